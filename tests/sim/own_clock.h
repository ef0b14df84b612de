// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Presence time as docs/concepts.md § 2 says it: what the server's is compared
// with.
#ifndef LIFESIGN_TESTS_SIM_OWN_CLOCK_H_
#define LIFESIGN_TESTS_SIM_OWN_CLOCK_H_

#include <algorithm>

#include "server/base/clock.h"
#include "server/core/time.h"

namespace lifesign::sim {

class OwnClock {
 public:
  explicit OwnClock(RealTime start)
      : ticked_(start), at_tick_(start.time_since_epoch()) {}

  // False if deadlines have to wait for the next one.
  bool Tick(RealTime real) {
    const Duration gap = real - ticked_;
    ticked_ = real;
    at_tick_ += std::min(gap, kMost);
    return gap <= kMost;
  }

  Now At(const Clock::Reading& reading) const {
    return {at_tick_ + std::min(reading.real - ticked_, kMost), reading.real,
            reading.wall};
  }

 private:
  static constexpr Duration kMost = seconds(2);

  RealTime ticked_;
  PresenceTime at_tick_;
};

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_OWN_CLOCK_H_
