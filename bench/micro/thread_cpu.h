// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// CPU time of the calling thread.
#ifndef LIFESIGN_BENCH_MICRO_THREAD_CPU_H_
#define LIFESIGN_BENCH_MICRO_THREAD_CPU_H_

#include <ctime>

namespace lifesign::bench {

// In nanoseconds. Time in which others had the core does not count.
inline double ThreadCpuNanoseconds() {
  timespec used;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) * 1e9 +
         static_cast<double>(used.tv_nsec);
}

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_MICRO_THREAD_CPU_H_
