// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What gRPC alone costs: servers as lean as we know how to write them, with the
// product's messages and channel settings and none of its work. The product is
// measured against these in the same run (docs/performance.md).
//
// The listener is gRPC's own, nothing ticks, no stream is counted.
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include "absl/synchronization/mutex.h"
#include "bench/baseline/floors.h"
#include "bench/baseline/queue_echo.h"
#include "server/ops/port_file.h"
#include "server/transport/channel/channel_settings.h"

namespace lifesign::bench {
namespace {

std::unique_ptr<grpc::Service> MakeFloor(const std::string& name) {
  if (name == "echo") return MakeEcho();
  if (name == "discard") return MakeDiscard();
  if (name == "parse") return MakeParse();
  if (name == "broadcast") return MakeBroadcast();
  return MakeRelay();
}

int Serve(const std::string& name, const std::string& port_file) {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);

  grpc::ServerBuilder builder;
  ChannelSettings settings;
  settings.reflection = false;
  ApplyChannelSettings(settings, builder);
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  std::unique_ptr<grpc::Service> service;
  std::unique_ptr<QueueEcho> queue_echo;
  if (name == "echo_queue") {
    queue_echo = std::make_unique<QueueEcho>(builder);
  } else {
    service = MakeFloor(name);
    builder.RegisterService(service.get());
  }
  const auto server = builder.BuildAndStart();
  if (server == nullptr || port == 0) return 1;
  if (queue_echo != nullptr) queue_echo->Start();
  const auto written =
      WritePortFile(port_file, static_cast<std::uint16_t>(port));
  if (!written.ok()) {
    std::fprintf(stderr, "%s\n", written.ToString().c_str());
    return 1;
  }
  int signal = 0;
  sigwait(&stop, &signal);
  // Its calls are not waited for: a floor owes nobody a farewell.
  std::fflush(nullptr);
  std::quick_exit(0);
}

}  // namespace
}  // namespace lifesign::bench

int main(int argc, char** argv) {
  // As the product does.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  CLI::App app("A bare gRPC server to measure against.");
  std::string floor;
  std::string port_file;
  app.add_option("--floor", floor, "What it does")
      ->required()
      ->check(CLI::IsMember(
          {"echo", "echo_queue", "discard", "parse", "broadcast", "relay"}));
  app.add_option("--port-file", port_file, "Where to write the port")
      ->required();
  CLI11_PARSE(app, argc, argv);
  return lifesign::bench::Serve(floor, port_file);
}
