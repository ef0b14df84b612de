// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A real server on loopback whose time is moved by hand.
#ifndef LIFESIGN_TESTS_INTEGRATION_TESTING_TEST_SERVER_H_
#define LIFESIGN_TESTS_INTEGRATION_TESTING_TEST_SERVER_H_

#include <grpcpp/channel.h>
#include <grpcpp/server.h>

#include <cstdint>
#include <memory>
#include <string>

#include "server/base/clock.h"
#include "server/transport/presence_runtime.h"

namespace lifesign::testing {

// Ticks come at each multiple of 100 ms after the start, as time is moved over
// them; what they change has reached the watches' streams when the call that
// moved it returns.
class TestServer {
 public:
  // Starts at once. `clock` outlives it.
  TestServer(SimulatedClock& clock, const PresenceRuntime::Options& options);
  ~TestServer();

  // Moves time, tick by tick. `t` counts from the first server's start.
  void Advance(Duration by);

  // Waits until so many AwaitPresence calls wait. False if they never did.
  bool ReachesAwaits(std::int64_t awaits);

  // Of 127.0.0.1.
  int port() const { return port_; }
  // A connection of its own.
  std::shared_ptr<grpc::Channel> NewChannel() const;

  PresenceRuntime& runtime() { return *runtime_; }
  // Ends the server as a crash would: no drain, connections break.
  void Kill();

 private:
  SimulatedClock& clock_;
  std::unique_ptr<PresenceRuntime> runtime_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  RealTime next_tick_;
};

}  // namespace lifesign::testing

#endif  // LIFESIGN_TESTS_INTEGRATION_TESTING_TEST_SERVER_H_
