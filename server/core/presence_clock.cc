// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/presence_clock.h"

#include <algorithm>

#include "server/base/limits.h"

namespace lifesign {

PresenceClock::PresenceClock(RealTime start)
    : last_tick_(start.time_since_epoch().count()) {}

bool PresenceClock::Tick(RealTime real) {
  const std::int64_t tick = real.time_since_epoch().count();
  const std::int64_t gap = tick - last_tick_.load(std::memory_order_relaxed);
  const std::int64_t excess =
      std::max<std::int64_t>(gap - limits::kMaxPresenceAdvance.count(), 0);
  if (excess > 0) {
    skipped_.store(skipped_.load(std::memory_order_relaxed) + excess,
                   std::memory_order_relaxed);
  }
  last_tick_.store(tick, std::memory_order_release);
  return excess == 0;
}

PresenceTime PresenceClock::At(RealTime real) const {
  const std::int64_t last = last_tick_.load(std::memory_order_acquire);
  const std::int64_t skipped = skipped_.load(std::memory_order_relaxed);
  const std::int64_t reached =
      std::min(std::int64_t{real.time_since_epoch().count()},
               last + limits::kMaxPresenceAdvance.count());
  return PresenceTime(Duration(reached - skipped));
}

}  // namespace lifesign
