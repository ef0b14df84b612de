// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// How many are in a room, now and lately. docs/concepts.md § 11.
#ifndef LIFESIGN_SERVER_CORE_ROOM_OCCUPANCY_H_
#define LIFESIGN_SERVER_CORE_ROOM_OCCUPANCY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "server/base/limits.h"
#include "server/core/presence_state.h"
#include "server/core/time.h"
#include "server/core/watch/change.h"

namespace lifesign {

// The users of a room over a while that ends now.
struct OccupancyFigures {
  int peak = 0;
  double mean = 0;  // weighted by time
};

inline constexpr std::array<Duration, 3> kOccupancyWindows = {
    seconds(60), seconds(300), seconds(900)};

// As of `revision`; what is lately, as of when it was asked for.
struct Occupancy {
  Revision revision = 0;
  // Live ones, by their state in the room, and all of them.
  std::array<int, kStates> users_by_state{};
  int users = 0;
  // Live sessions.
  int sessions = 0;
  // Over each of kOccupancyWindows.
  std::array<OccupancyFigures, kOccupancyWindows.size()> lately{};
};

// A number and what it was in the last quarter of an hour: a step function, cut
// into seconds. Only seconds in which it changed take memory (32 bytes each).
//
// Peak and mean are exact, but for the second at the far end of what is asked
// for: it counts with its peak, and with its share of its mean. Time that runs
// backwards stands still. Not thread-safe.
class OccupancyHistory {
 public:
  // It is `users` from `now` on.
  void Set(int users, RealTime now);

  // REQUIRES: `window` is at most kOccupancyWindows.back().
  OccupancyFigures Over(Duration window, RealTime now) const;

  // Whether it was 0 for all of the last quarter of an hour.
  bool IsForgotten(RealTime now) const;

 private:
  // A second in which the number changed.
  struct Slot {
    RealTime begin;
    int peak;
    int last;            // the number since `changed`
    Duration::rep area;  // the numbers before that, each times its length
    RealTime changed;

    double AreaUpTo(RealTime end) const {
      return static_cast<double>(area) +
             static_cast<double>(last) *
                 static_cast<double>((end - changed).count());
    }
  };

  void Forget(RealTime now);

  // Oldest first, from first_ on.
  std::vector<Slot> slots_;
  std::size_t first_ = 0;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_ROOM_OCCUPANCY_H_
