// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/presence_server.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>
#include <thread>
#include <utility>

#include "server/base/limits.h"
#include "server/ops/config/part_options.h"
#include "server/transport/channel/channel_settings.h"
#include "server/transport/listener/descriptor_budget.h"
#include "server/transport/listener/grpc_acceptor.h"

namespace lifesign {
namespace {

PresenceRuntime::Options RuntimeOptions(const config::v1::Config& config) {
  PresenceRuntime::Options options = RuntimeOptionsOf(
      config, static_cast<int>(std::thread::hardware_concurrency()));
  std::random_device device;
  options.seed = std::uint64_t{device()} << 32 | device();
  return options;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PresenceServer>> PresenceServer::Start(
    const config::v1::Config& config, const Clock& clock) {
  auto listener =
      Listener::Bind(ListenerOptionsOf(config, RaiseDescriptorLimit()), clock);
  if (!listener.ok()) return listener.status();
  return std::unique_ptr<PresenceServer>(
      new PresenceServer(config, clock, *std::move(listener)));
}

PresenceServer::PresenceServer(const config::v1::Config& config,
                               const Clock& clock,
                               std::unique_ptr<Listener> listener)
    : clock_(clock),
      listener_(std::move(listener)),
      runtime_(RuntimeOptions(config), clock) {
  grpc::ServerBuilder builder;
  ApplyChannelSettings(ChannelSettingsOf(config), builder);
  builder.RegisterService(&runtime_.service());
  auto hand_over = AddAcceptor(builder, grpc::InsecureServerCredentials());
  server_ = builder.BuildAndStart();
  health_.emplace(*server_);
  self_call_.emplace(*server_, clock_);
  ticker_.emplace(clock_, TickOf(config), [this] { Tick(); });
  runtime_.gate().Set(ServingGate::State::kServing);
  health_->SetServing(true);
  listener_->Start(std::move(hand_over));
}

PresenceServer::~PresenceServer() {
  if (server_ != nullptr) Shutdown(Duration(0));
}

void PresenceServer::Tick() {
  runtime_.Tick();
  self_call_->Poke(clock_.RealNow());
}

bool PresenceServer::Shutdown(Duration budget) {
  const RealTime end = clock_.RealNow() + budget;
  health_->SetServing(false);
  listener_->StopAccepting();
  runtime_.drain().Begin(budget);
  runtime_.drain().Await();
  self_call_->Stop();
  // What is left of the budget is for clients to take what they were told. Not
  // for them to close their connections, which gRPC would wait for: one whose
  // library does nothing between calls does not.
  const bool in_time = runtime_.service().AwaitNoStreams(
      std::max(end - limits::kShutdownGrace - clock_.RealNow(), Duration(0)));
  server_->Shutdown(std::chrono::system_clock::now() + limits::kShutdownGrace);
  server_->Wait();
  ticker_.reset();
  self_call_.reset();
  health_.reset();
  server_.reset();
  return in_time;
}

}  // namespace lifesign
