// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Finds running streams by number.
#ifndef LIFESIGN_SERVER_TRANSPORT_STREAM_REGISTRY_H_
#define LIFESIGN_SERVER_TRANSPORT_STREAM_REGISTRY_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "server/base/mutex.h"

namespace lifesign {

// Names a running stream; 0 names none.
using StreamId = std::uint64_t;

// Holds no stream alive. Thread-safe; its mutexes are leaves: the streams are
// called after they are released.
template <typename Stream>
class StreamRegistry {
 public:
  StreamId NewId() { return next_id_.fetch_add(1, std::memory_order_relaxed); }

  void Add(StreamId id, std::weak_ptr<Stream> stream) {
    Stripe& stripe = StripeOf(id);
    MutexLock lock(stripe.mutex);
    stripe.streams.emplace(id, std::move(stream));
    count_.fetch_add(1, std::memory_order_relaxed);
  }

  // Does nothing if it is not there.
  void Remove(StreamId id) {
    Stripe& stripe = StripeOf(id);
    MutexLock lock(stripe.mutex);
    count_.fetch_sub(static_cast<std::int64_t>(stripe.streams.erase(id)),
                     std::memory_order_relaxed);
  }

  // Null if it is not there any more.
  std::shared_ptr<Stream> Find(StreamId id) const {
    const Stripe& stripe = StripeOf(id);
    MutexLock lock(stripe.mutex);
    const auto found = stripe.streams.find(id);
    return found == stripe.streams.end() ? nullptr : found->second.lock();
  }

  // In the order of their numbers, so that what is done to all is done the same
  // way again.
  std::vector<std::shared_ptr<Stream>> All() const {
    std::vector<std::shared_ptr<Stream>> all;
    for (const Stripe& stripe : stripes_) {
      MutexLock lock(stripe.mutex);
      for (const auto& [id, weak] : stripe.streams) {
        auto stream = weak.lock();
        if (stream != nullptr) all.push_back(std::move(stream));
      }
    }
    std::sort(all.begin(), all.end(),
              [](const auto& a, const auto& b) { return a->id() < b->id(); });
    return all;
  }

  std::int64_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kStripes = 16;

  struct alignas(64) Stripe {
    mutable Mutex mutex;  // a leaf
    absl::flat_hash_map<StreamId, std::weak_ptr<Stream>> streams
        ABSL_GUARDED_BY(mutex);
  };

  Stripe& StripeOf(StreamId id) { return stripes_[id % kStripes]; }
  const Stripe& StripeOf(StreamId id) const { return stripes_[id % kStripes]; }

  std::atomic<StreamId> next_id_{1};
  std::atomic<std::int64_t> count_{0};
  std::array<Stripe, kStripes> stripes_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_STREAM_REGISTRY_H_
