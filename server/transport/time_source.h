// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The reading of time that every call into the core carries.
#ifndef LIFESIGN_SERVER_TRANSPORT_TIME_SOURCE_H_
#define LIFESIGN_SERVER_TRANSPORT_TIME_SOURCE_H_

#include "server/base/clock.h"
#include "server/core/presence_clock.h"
#include "server/core/time.h"

namespace lifesign {

// A clock, and the presence clock that runs on it. Thread-safe; one thread
// ticks.
class TimeSource {
 public:
  // `clock` outlives it.
  explicit TimeSource(const Clock& clock)
      : clock_(clock), presence_(clock.RealNow()) {}

  Now Read() const {
    const Clock::Reading reading = clock_.Read();
    return {presence_.At(reading.real), reading.real, reading.wall};
  }

  // Marks a tick. False after a gap: then deadlines wait for the next one.
  bool Tick() { return presence_.Tick(clock_.RealNow()); }

 private:
  const Clock& clock_;
  PresenceClock presence_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_TIME_SOURCE_H_
