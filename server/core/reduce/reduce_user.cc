// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/reduce/reduce_user.h"

namespace lifesign {
namespace {

Cause CauseOfFall(State actual, State by_time) {
  if (actual != by_time) return Cause::kLeave;
  return IsLive(actual) ? Cause::kDecay : Cause::kExpiry;
}

Cause CauseOfDeviceChange(const Aggregate& told, const Aggregate& actual,
                          const Aggregate& by_time) {
  bool left = false;
  bool expired = false;
  for (std::size_t i = 0; i < kDeviceClasses; ++i) {
    const State before = told.devices()[i];
    const State after = actual.devices()[i];
    if (after < before) return Cause::kSignal;
    if (after == before) continue;
    const Cause cause = CauseOfFall(after, by_time.devices()[i]);
    left |= cause == Cause::kLeave;
    expired |= cause == Cause::kExpiry;
  }
  if (left) return Cause::kLeave;
  return expired ? Cause::kExpiry : Cause::kDecay;
}

}  // namespace

absl::optional<Cause> CauseOfChange(const Aggregate& told,
                                    const Aggregate& actual,
                                    const Aggregate& by_time,
                                    bool availability_moved) {
  if (actual == told && !availability_moved) return absl::nullopt;
  if (actual.state() < told.state()) return Cause::kSignal;
  if (actual.state() > told.state()) {
    return CauseOfFall(actual.state(), by_time.state());
  }
  if (availability_moved) return Cause::kAvailability;
  return CauseOfDeviceChange(told, actual, by_time);
}

}  // namespace lifesign
