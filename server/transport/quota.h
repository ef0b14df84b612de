// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A bound on what is held in the whole server.
#ifndef LIFESIGN_SERVER_TRANSPORT_QUOTA_H_
#define LIFESIGN_SERVER_TRANSPORT_QUOTA_H_

#include <atomic>
#include <cstdint>
#include <utility>

#include "absl/types/optional.h"

namespace lifesign {

// Thread-safe, without a lock. Outlives its shares.
class Quota {
 public:
  // Some of it; gives itself back.
  class Share {
   public:
    Share(Share&& other) noexcept
        : owner_(other.owner_), amount_(std::exchange(other.amount_, 0)) {}
    Share& operator=(Share&&) = delete;
    ~Share() { owner_->held_.fetch_sub(amount_, std::memory_order_relaxed); }

   private:
    friend class Quota;
    Share(Quota* owner, std::int64_t amount) : owner_(owner), amount_(amount) {}

    Quota* owner_;
    std::int64_t amount_;
  };

  explicit Quota(std::int64_t most) : most_(most) {}

  // None if there is not as much left.
  absl::optional<Share> Take(std::int64_t amount) {
    const std::int64_t before =
        held_.fetch_add(amount, std::memory_order_relaxed);
    Share share(this, amount);
    if (before + amount > most_) return absl::nullopt;
    return share;
  }

  std::int64_t most() const { return most_; }
  std::int64_t held() const { return held_.load(std::memory_order_relaxed); }

 private:
  const std::int64_t most_;
  std::atomic<std::int64_t> held_{0};
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_QUOTA_H_
