// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Derives presence time from real time. docs/concepts.md § 2.
#ifndef LIFESIGN_SERVER_CORE_PRESENCE_CLOCK_H_
#define LIFESIGN_SERVER_CORE_PRESENCE_CLOCK_H_

#include <atomic>
#include <cstdint>

#include "server/core/time.h"

namespace lifesign {

// Real time, except that between two ticks it advances by at most
// limits::kMaxPresenceAdvance: a process that was frozen missed signals that
// were sent, so that time counts into nobody's age.
//
// Thread-safe: one thread ticks, any thread reads, without a lock. A reader
// that races with the tick after a pause may read a slightly earlier time,
// never a later one; shards hold their own clock from running backwards.
class PresenceClock {
 public:
  explicit PresenceClock(RealTime start);

  // Marks a tick. Returns false after a gap above kMaxPresenceAdvance: then
  // deadlines must wait for the next tick, so that what lies in the sockets is
  // heard first.
  bool Tick(RealTime real);

  // The presence time at `real`.
  PresenceTime At(RealTime real) const;

 private:
  // Written in this order by Tick and read in the other, so that a reader who
  // sees the new tick sees what was skipped before it.
  std::atomic<std::int64_t> skipped_{0};
  std::atomic<std::int64_t> last_tick_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_PRESENCE_CLOCK_H_
