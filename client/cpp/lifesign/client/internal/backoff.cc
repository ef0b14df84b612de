// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "lifesign/client/internal/backoff.h"

#include <algorithm>

#include "absl/random/distributions.h"

namespace lifesign::client::internal {
namespace {

constexpr double kJitter = 0.1;

Duration UniformBelow(Duration bound, absl::BitGenRef random) {
  return Duration(absl::Uniform<int64_t>(random, 0, bound.count()));
}

}  // namespace

Duration Backoff::NextWait(absl::BitGenRef random) {
  const int failures = failures_;
  // 2^6 s is above the longest wait: counting further would say nothing.
  failures_ = std::min(failures + 1, 6);
  if (failures == 0) return UniformBelow(kFirstWait, random);
  const Duration bound = std::chrono::seconds(int64_t{1} << failures);
  return UniformBelow(std::min(bound, kLongestWait), random);
}

Duration WithJitter(Duration interval, absl::BitGenRef random) {
  return std::chrono::duration_cast<Duration>(
      interval * absl::Uniform<double>(random, 1 - kJitter, 1 + kJitter));
}

}  // namespace lifesign::client::internal
