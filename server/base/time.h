// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Points and spans of time, one type for each timeline so that they cannot be
// mixed. All are whole microseconds in 64 bits: 292,000 years either way.
#ifndef LIFESIGN_SERVER_BASE_TIME_H_
#define LIFESIGN_SERVER_BASE_TIME_H_

#include <chrono>
#include <cstdint>

namespace lifesign {

using Duration = std::chrono::microseconds;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Tags a timeline. It has no now(): a time enters as a value, from a Clock.
template <typename Tag>
struct Timeline {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<Timeline, Duration>;
  static constexpr bool is_steady = true;
};

// Monotonic time since some fixed instant, running also while the process or
// the machine sleeps.
struct RealTag {};
using RealTime = Timeline<RealTag>::time_point;

// What clocks on walls say: microseconds since 1970-01-01T00:00:00Z. May jump.
struct WallTag {};
using WallTime = Timeline<WallTag>::time_point;

// `time + by`, held at the ends of the timeline instead of overflowing.
template <typename TimePoint>
constexpr TimePoint SaturatingAdd(TimePoint time, Duration by) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(std::int64_t{time.time_since_epoch().count()},
                             std::int64_t{by.count()}, &sum)) {
    return by.count() < 0 ? TimePoint::min() : TimePoint::max();
  }
  return TimePoint(Duration(sum));
}

// `time - by`, likewise.
template <typename TimePoint>
constexpr TimePoint SaturatingSubtract(TimePoint time, Duration by) {
  std::int64_t difference = 0;
  if (__builtin_sub_overflow(std::int64_t{time.time_since_epoch().count()},
                             std::int64_t{by.count()}, &difference)) {
    return by.count() > 0 ? TimePoint::min() : TimePoint::max();
  }
  return TimePoint(Duration(difference));
}

// `later - earlier`, held at the ends of Duration.
template <typename TimePoint>
constexpr Duration SaturatingDifference(TimePoint later, TimePoint earlier) {
  std::int64_t difference = 0;
  if (__builtin_sub_overflow(std::int64_t{later.time_since_epoch().count()},
                             std::int64_t{earlier.time_since_epoch().count()},
                             &difference)) {
    return later > earlier ? Duration::max() : Duration::min();
  }
  return Duration(difference);
}

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_BASE_TIME_H_
