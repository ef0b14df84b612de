// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What a room that fills and empties costs those who are not in it.
#ifndef LIFESIGN_BENCH_MICRO_CROWDED_ROOM_H_
#define LIFESIGN_BENCH_MICRO_CROWDED_ROOM_H_

#include <cstddef>

namespace lifesign::bench {

struct CrowdedRoomOptions {
  // Who comes within half of the time, and leaves within the other.
  std::size_t crowd = 100'000;
  int seconds = 20;
  // Who watch how many there are.
  int watchers = 1'000;
  int shards = 16;
};

// One line for each of: nobody comes; a crowd comes, into no room; a crowd
// comes into one room. Each tells how late heartbeats of 20,000 sessions of
// other users are applied, and how long it takes until a change of another
// other user is with its watcher. The core with its ticker and its publisher,
// in real time; what the watchers are told is taken, and not written.
int RunCrowdedRoom(const CrowdedRoomOptions& options);

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_MICRO_CROWDED_ROOM_H_
