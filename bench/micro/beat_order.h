// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Who beats when.
#ifndef LIFESIGN_BENCH_MICRO_BEAT_ORDER_H_
#define LIFESIGN_BENCH_MICRO_BEAT_ORDER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

#include "absl/types/span.h"

namespace lifesign::bench {

// Passes over 0 … size - 1 in random order, cut into steps. A pass is like the
// one before it except that its tenths are shuffled anew, each in itself: who
// beats once a pass beats every 0.9 to 1.1 passes, as clients with a jitter of
// 10 % do.
class BeatOrder {
 public:
  static constexpr std::size_t kStepsPerPass = 100;

  // REQUIRES: size >= kStepsPerPass.
  BeatOrder(std::size_t size, std::uint64_t seed) : random_(seed) {
    order_.resize(size);
    std::iota(order_.begin(), order_.end(), 0u);
    std::shuffle(order_.begin(), order_.end(), random_);
  }

  // The next step's share of a pass.
  absl::Span<const std::uint32_t> Next() {
    if (step_ % kStepsPerPass == 0 && step_ != 0) ShuffleTenths();
    const std::size_t step = step_++ % kStepsPerPass;
    const std::size_t from = order_.size() * step / kStepsPerPass;
    const std::size_t to = order_.size() * (step + 1) / kStepsPerPass;
    return absl::MakeConstSpan(order_).subspan(from, to - from);
  }

 private:
  static constexpr std::size_t kParts = 10;

  void ShuffleTenths() {
    for (std::size_t part = 0; part < kParts; ++part) {
      const auto from = order_.size() * part / kParts;
      const auto to = order_.size() * (part + 1) / kParts;
      std::shuffle(order_.begin() + static_cast<std::ptrdiff_t>(from),
                   order_.begin() + static_cast<std::ptrdiff_t>(to), random_);
    }
  }

  std::mt19937_64 random_;
  std::vector<std::uint32_t> order_;
  std::size_t step_ = 0;
};

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_MICRO_BEAT_ORDER_H_
