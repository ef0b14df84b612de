// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The presence clock, and the reading of time that every call into the core
// carries. docs/concepts.md § 2.
#ifndef LIFESIGN_SERVER_CORE_TIME_H_
#define LIFESIGN_SERVER_CORE_TIME_H_

#include "server/base/time.h"

namespace lifesign {

// The timeline on which silence and activity age: real time less the time
// during which the server was not there to hear anything.
struct PresenceTag {};
using PresenceTime = Timeline<PresenceTag>::time_point;

// No instant: a deadline that never comes, a signal that never came.
inline constexpr PresenceTime kNever = PresenceTime::max();
inline constexpr RealTime kNeverReal = RealTime::min();

// What time it is, on each timeline.
struct Now {
  PresenceTime presence;  // for ages
  RealTime real;          // for revisions, and to place the past on the wall
  WallTime wall;          // for people
};

// When `at` was, or will be, on the wall, seen from `now`. A wall clock that
// jumps moves every answer alike, so ages read off two of them stay true.
constexpr WallTime WallAt(RealTime at, const Now& now) {
  return SaturatingSubtract(now.wall, SaturatingDifference(now.real, at));
}
constexpr WallTime WallAt(PresenceTime at, const Now& now) {
  return SaturatingSubtract(now.wall, SaturatingDifference(now.presence, at));
}

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_TIME_H_
