// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// How costs grow.
#ifndef LIFESIGN_BENCH_MICRO_SCALE_H_
#define LIFESIGN_BENCH_MICRO_SCALE_H_

#include <cstddef>

namespace lifesign::bench {

struct ScaleOptions {
  std::size_t most_sessions = 10'000'000;
  double seconds = 1;
  int shards = 16;
  std::size_t sessions_of_shards = 1'000'000;
};

// One line for each number of sessions (what a heartbeat costs and how many
// bytes a session takes) and one for each number of shards and threads (how
// many heartbeats a second). Sizes that memory does not allow are left out.
int RunScale(const ScaleOptions& options);

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_MICRO_SCALE_H_
