// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What time costs while it changes nothing.
#ifndef LIFESIGN_BENCH_MICRO_TICK_H_
#define LIFESIGN_BENCH_MICRO_TICK_H_

#include <cstddef>

namespace lifesign::bench {

struct TickOptions {
  std::size_t sessions = 1'000'000;
  int shards = 16;
};

// One line: CPU time per tick, mean and most, from the last open until the
// first deadline. The sessions were opened in the course of an interval, so
// their deadlines come 5 to 15 s later: the ticks carry them towards the bottom
// of the wheel, but none is due.
int RunTick(const TickOptions& options);

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_MICRO_TICK_H_
