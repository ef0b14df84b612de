// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// How many there are. docs/concepts.md § 10.
#ifndef LIFESIGN_SERVER_CORE_QUERY_PRESENCE_COUNTS_H_
#define LIFESIGN_SERVER_CORE_QUERY_PRESENCE_COUNTS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "server/core/presence_state.h"
#include "server/core/time.h"

namespace lifesign {

// Counters by state. Those of classes and of sessions count who is live only:
// their kOffline stays 0.
using StateCounts = std::array<std::int64_t, kStates>;

// Moved where what they count moves, in the same step: they are what a recount
// would be, and nobody ever counts.
class PresenceCounts {
 public:
  // Users; kOffline: without a live session, and remembered.
  const StateCounts& users() const { return users_; }
  // Users by their state on a class of device: who is on two classes counts on
  // both.
  const StateCounts& users_on(DeviceClass device) const {
    return users_on_[static_cast<std::size_t>(device)];
  }
  const StateCounts& sessions_on(DeviceClass device) const {
    return sessions_on_[static_cast<std::size_t>(device)];
  }

  // A user comes to be known, or is forgotten: OFFLINE either way.
  void AddUser() { ++users_[kOffline]; }
  void RemoveUser() { --users_[kOffline]; }

  // A user was one and is the other.
  void MoveUser(State from, const DeviceStates& devices_from, State to,
                const DeviceStates& devices_to) {
    --users_[Index(from)];
    ++users_[Index(to)];
    for (std::size_t i = 0; i < kDeviceClasses; ++i) {
      Move(users_on_[i], devices_from[i], devices_to[i]);
    }
  }

  // A session was one and is the other; kOffline: not there.
  void MoveSession(DeviceClass device, State from, State to) {
    Move(sessions_on_[static_cast<std::size_t>(device)], from, to);
  }

  PresenceCounts& operator+=(const PresenceCounts& other) {
    Add(users_, other.users_);
    for (std::size_t i = 0; i < kDeviceClasses; ++i) {
      Add(users_on_[i], other.users_on_[i]);
      Add(sessions_on_[i], other.sessions_on_[i]);
    }
    return *this;
  }

  friend bool operator==(const PresenceCounts&,
                         const PresenceCounts&) = default;

 private:
  static constexpr std::size_t kOffline =
      static_cast<std::size_t>(State::kOffline);

  static std::size_t Index(State state) {
    return static_cast<std::size_t>(state);
  }
  static void Move(StateCounts& counts, State from, State to) {
    if (from == to) return;
    if (IsLive(from)) --counts[Index(from)];
    if (IsLive(to)) ++counts[Index(to)];
  }
  static void Add(StateCounts& to, const StateCounts& from) {
    for (std::size_t i = 0; i < kStates; ++i) to[i] += from[i];
  }

  StateCounts users_{};
  std::array<StateCounts, kDeviceClasses> users_on_{};
  std::array<StateCounts, kDeviceClasses> sessions_on_{};
};

// Counts, and the tick as of which they are.
struct CountsView {
  PresenceCounts counts;
  Now as_of;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_QUERY_PRESENCE_COUNTS_H_
