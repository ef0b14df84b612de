// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What questions about many users cost.
#ifndef LIFESIGN_BENCH_MICRO_QUERY_H_
#define LIFESIGN_BENCH_MICRO_QUERY_H_

#include <cstddef>

namespace lifesign::bench {

struct QueryOptions {
  std::size_t sessions = 1'000'000;
  int shards = 16;
};

// One line for each question: CPU time of a count; of a listing of everybody,
// by the user, and of the longest of its pages, also where nobody matches; of
// an await that begins and ends, and of a change that one await, and that 1,000
// awaits, are told.
int RunQuery(const QueryOptions& options);

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_MICRO_QUERY_H_
