// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What watches take: memory for whom they are of, and locks while they copy.
#ifndef LIFESIGN_BENCH_MICRO_WATCHES_H_
#define LIFESIGN_BENCH_MICRO_WATCHES_H_

#include <cstddef>

namespace lifesign::bench {

struct WatchesOptions {
  std::size_t pairs = 1'000'000;
  std::size_t users = 1'000'000;
  int shards = 16;
};

// A line for each way to make so many pairs of a watch and a user: bytes of a
// pair by the allocator, ids included. Then a line for each way to copy a
// tenant of so many users with a session each: how long all of it takes, and
// how long a slice of 1,000 users, which is what a shard's lock is held for.
int RunWatches(const WatchesOptions& options);

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_MICRO_WATCHES_H_
