// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// One session in a HeartbeatWorld, in the words of the tests.
#ifndef LIFESIGN_TESTS_CLIENT_HEARTBEAT_FIXTURE_H_
#define LIFESIGN_TESTS_CLIENT_HEARTBEAT_FIXTURE_H_

#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"
#include "lifesign/client/internal/proto_time.h"
#include "tests/client/heartbeat_world.h"

namespace lifesign::client::internal {

constexpr Duration kSmallest = std::chrono::microseconds(1);

class HeartbeatTest : public testing::Test {
 protected:
  void Interact() {
    world_.Do([](auto& logic, RealTime now) { logic.Interacted(1, now); });
  }
  void Become(Lifecycle lifecycle) {
    world_.Do([lifecycle](auto& logic, RealTime now) {
      logic.Signal(1, lifecycle, absl::nullopt, now);
    });
  }
  absl::Status Join(const std::string& room) {
    return world_.Do([&](auto& logic, RealTime now) {
      return logic.JoinRoom(1, room, now);
    });
  }
  absl::Status LeaveRoom(const std::string& room) {
    return world_.Do([&](auto& logic, RealTime now) {
      return logic.LeaveRoom(1, room, now);
    });
  }
  void ChangeNetwork() {
    world_.Do([](auto& logic, RealTime now) { logic.OnNetworkChange(now); });
  }
  // Advances until something was said, and returns how long that took.
  Duration UntilSaid() {
    const RealTime before = world_.now;
    const size_t said = world_.said.size();
    while (world_.said.size() == said) {
      world_.Advance(world_.logic.NextDeadline() - world_.now);
    }
    return world_.now - before;
  }
  const v1::Signal& LastSignal() { return world_.last().signals(0); }
  Duration IdleForOfLast() { return FromProto(LastSignal().idle_for()); }

  HeartbeatWorld world_;
};

}  // namespace lifesign::client::internal

#endif  // LIFESIGN_TESTS_CLIENT_HEARTBEAT_FIXTURE_H_
