// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What a heartbeat costs in the core, beside the floor.
#ifndef LIFESIGN_BENCH_MICRO_APPLY_H_
#define LIFESIGN_BENCH_MICRO_APPLY_H_

#include <cstddef>

namespace lifesign::bench {

struct ApplyOptions {
  std::size_t sessions = 1'000'000;
  double seconds = 1;  // of CPU time, for each of the three, each run
  int runs = 5;
  int shards = 16;
};

// One line a run: nanoseconds of CPU time per heartbeat for a look-up in a map
// (floor), for a session that is found by its stream's reference and for one
// that is found by its ids.
int RunApply(const ApplyOptions& options);

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_MICRO_APPLY_H_
