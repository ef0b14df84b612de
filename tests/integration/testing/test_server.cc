// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/integration/testing/test_server.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "server/base/limits.h"
#include "server/transport/channel/channel_settings.h"
#include "tests/testing/eventually.h"

namespace lifesign::testing {

namespace {

// Another for each run, as in a real server.
PresenceRuntime::Options WithSeed(PresenceRuntime::Options options) {
  static std::atomic<std::uint64_t> runs{0};
  if (options.seed == 0) options.seed = ++runs;
  return options;
}

}  // namespace

TestServer::TestServer(SimulatedClock& clock,
                       const PresenceRuntime::Options& options)
    : clock_(clock),
      runtime_(std::make_unique<PresenceRuntime>(WithSeed(options), clock)),
      next_tick_(clock.RealNow() + limits::kDefaultTick) {
  grpc::ServerBuilder builder;
  ApplyChannelSettings(ChannelSettings(), builder);
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port_);
  builder.RegisterService(&runtime_->service());
  server_ = builder.BuildAndStart();
  runtime_->gate().Set(ServingGate::State::kServing);
}

TestServer::~TestServer() { Kill(); }

void TestServer::Kill() {
  if (server_ == nullptr) return;
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
  server_.reset();
  runtime_.reset();
}

void TestServer::Advance(Duration by) {
  const RealTime until = clock_.RealNow() + by;
  // Ticks that a test left out by moving the clock itself do not come late.
  next_tick_ = std::max(next_tick_, clock_.RealNow());
  while (next_tick_ <= until) {
    clock_.Advance(next_tick_ - clock_.RealNow());
    next_tick_ += limits::kDefaultTick;
    runtime_->Tick();
    runtime_->Settle();
  }
  clock_.Advance(until - clock_.RealNow());
}

bool TestServer::ReachesAwaits(std::int64_t awaits) {
  return Eventually([&] { return runtime_->parts().awaits.count() == awaits; });
}

std::shared_ptr<grpc::Channel> TestServer::NewChannel() const {
  grpc::ChannelArguments arguments;
  // Otherwise channels to one address share a connection.
  arguments.SetInt("grpc.use_local_subchannel_pool", 1);
  // Or a client that does not read swallows 4 MiB before its server notices.
  arguments.SetInt("grpc.http2.bdp_probe", 0);
  return grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", port_),
                                   grpc::InsecureChannelCredentials(),
                                   arguments);
}

}  // namespace lifesign::testing
