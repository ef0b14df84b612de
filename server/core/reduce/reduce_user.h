// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Sessions of a user -> the user -> what is told. Pure functions.
// docs/concepts.md §§ 7, 8.
#ifndef LIFESIGN_SERVER_CORE_REDUCE_REDUCE_USER_H_
#define LIFESIGN_SERVER_CORE_REDUCE_REDUCE_USER_H_

#include "absl/types/optional.h"
#include "server/core/presence_state.h"

namespace lifesign {

// What a user is: the highest state of their sessions, as a whole and on each
// class of device.
class Aggregate {
 public:
  void Add(DeviceClass device, State state) {
    State& on_device = devices_[static_cast<std::size_t>(device)];
    on_device = Higher(on_device, state);
    state_ = Higher(state_, state);
  }

  State state() const { return state_; }
  const DeviceStates& devices() const { return devices_; }

  friend bool operator==(const Aggregate&, const Aggregate&) = default;

 private:
  State state_ = State::kOffline;
  DeviceStates devices_ = kNoDevices;
};

// Why a user who was last told to be `told` is now `actual`; none if there is
// nothing to tell.
//
// `by_time`: what they would be had no session been ended, but only time gone
// by, since. A fall to just that is time's (DECAY, EXPIRY); any other fall is
// LEAVE; a rise is SIGNAL. If the state is the same: AVAILABILITY if what is in
// effect of what they declared differs (`availability_moved`); if only devices
// differ, SIGNAL if one rose, else the cause of the falls.
absl::optional<Cause> CauseOfChange(const Aggregate& told,
                                    const Aggregate& actual,
                                    const Aggregate& by_time,
                                    bool availability_moved = false);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_REDUCE_REDUCE_USER_H_
