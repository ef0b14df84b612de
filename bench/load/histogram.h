// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// How long things took, without keeping each of them.
#ifndef LIFESIGN_BENCH_LOAD_HISTOGRAM_H_
#define LIFESIGN_BENCH_LOAD_HISTOGRAM_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace lifesign::bench {

// Counts of durations in log-linear buckets, as HdrHistogram has them: each
// power of two is cut into 128 equal parts, so a percentile is at most 0.8 %
// too high. Values below 0 count as 0. Not thread-safe: one a thread, merged.
class Histogram {
 public:
  void Record(std::int64_t nanoseconds) {
    const auto value =
        static_cast<std::uint64_t>(std::max<std::int64_t>(nanoseconds, 0));
    ++counts_[BucketOf(value)];
    ++count_;
    max_ = std::max(max_, value);
  }

  void Merge(const Histogram& other) {
    for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    max_ = std::max(max_, other.max_);
  }

  std::uint64_t count() const { return count_; }
  std::int64_t max() const { return static_cast<std::int64_t>(max_); }

  // The least bound, to a bucket, below which `share` (0 to 1) of the values
  // lie; 0 without values.
  std::int64_t Percentile(double share) const {
    if (count_ == 0) return 0;
    const auto rank = static_cast<std::uint64_t>(
        std::max(1.0, share * static_cast<double>(count_) + 0.5));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
      seen += counts_[i];
      if (seen >= rank) {
        return static_cast<std::int64_t>(std::min(UpperBound(i), max_));
      }
    }
    return max();
  }

 private:
  static constexpr int kPartBits = 7;
  static constexpr std::uint64_t kParts = 1u << kPartBits;
  static constexpr std::size_t kBuckets = (64 - kPartBits + 1) * kParts;

  // Below kParts each value is a bucket; above, the seven bits after the first.
  static std::size_t BucketOf(std::uint64_t value) {
    if (value < kParts) return value;
    const int shift = std::bit_width(value) - 1 - kPartBits;
    return static_cast<std::size_t>(shift + 1) * kParts +
           ((value >> shift) - kParts);
  }
  static std::uint64_t UpperBound(std::size_t bucket) {
    if (bucket < kParts) return bucket;
    const std::size_t shift = bucket / kParts - 1;
    return ((bucket % kParts + kParts + 1) << shift) - 1;
  }

  std::array<std::uint64_t, kBuckets> counts_ = {};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_LOAD_HISTOGRAM_H_
