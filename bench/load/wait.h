// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#ifndef LIFESIGN_BENCH_LOAD_WAIT_H_
#define LIFESIGN_BENCH_LOAD_WAIT_H_

#include <chrono>
#include <thread>

#include "bench/load/pacer.h"

namespace lifesign::bench {

// After what a load sent last the server is given this long to finish.
inline constexpr auto kQuietAfter = std::chrono::milliseconds(100);
inline constexpr auto kLongestWait = std::chrono::seconds(60);

// Waits until `done()`; false when that takes longer than `at_most`.
template <typename Done>
bool WaitUntil(Done done, SteadyTime::duration at_most = kLongestWait) {
  const SteadyTime end = SteadyNow() + at_most;
  while (!done()) {
    if (SteadyNow() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_LOAD_WAIT_H_
