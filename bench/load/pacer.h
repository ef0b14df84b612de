// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// An open loop: what is due is due, however the server does.
#ifndef LIFESIGN_BENCH_LOAD_PACER_H_
#define LIFESIGN_BENCH_LOAD_PACER_H_

#include <chrono>
#include <cstdint>

namespace lifesign::bench {

using SteadyTime = std::chrono::steady_clock::time_point;

inline SteadyTime SteadyNow() { return std::chrono::steady_clock::now(); }
inline std::int64_t Nanoseconds(std::chrono::steady_clock::duration time) {
  return std::chrono::nanoseconds(time).count();
}

// Gives out the instants at which things were meant to happen, evenly, and
// waits for each. One that is late is not postponed and does not postpone the
// next, so a wait that the server causes is measured, not hidden
// ("coordinated omission").
class Pacer {
 public:
  // REQUIRES: `per_second` > 0.
  Pacer(double per_second, SteadyTime start)
      : period_ns_(1e9 / per_second), start_(start) {}

  // The instant of the next one. Returns once it is reached; at once if it is
  // past.
  SteadyTime Next();

 private:
  const double period_ns_;
  const SteadyTime start_;
  std::int64_t given_ = 0;
};

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_LOAD_PACER_H_
