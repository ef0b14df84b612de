// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Delays that spread clients.
#ifndef LIFESIGN_SERVER_TRANSPORT_JITTER_H_
#define LIFESIGN_SERVER_TRANSPORT_JITTER_H_

#include <atomic>
#include <cstdint>

#include "server/base/time.h"

namespace lifesign {

// Uniform delays; the same sequence for the same seed. Thread-safe.
class Jitter {
 public:
  explicit Jitter(std::uint64_t seed) : state_(seed) {}

  // In [least, most).
  Duration Between(Duration least, Duration most) {
    const auto span = static_cast<std::uint64_t>((most - least).count());
    return least + Duration(static_cast<std::int64_t>(Next() % span));
  }

 private:
  // SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
  std::uint64_t Next() {
    std::uint64_t z =
        state_.fetch_add(0x9e3779b97f4a7c15, std::memory_order_relaxed);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  std::atomic<std::uint64_t> state_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_JITTER_H_
