// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Floor (f): what the work of a heartbeat cannot be had below, a hash map with
// a lock a stripe.
#ifndef LIFESIGN_BENCH_MICRO_MAP_FLOOR_H_
#define LIFESIGN_BENCH_MICRO_MAP_FLOOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "bench/micro/session_ids.h"
#include "server/base/mutex.h"

namespace lifesign::bench {

// A time for each key. One hash finds stripe and entry; the table is made in
// the size that it needs. Thread-safe.
class MapFloor {
 public:
  using Key = SessionIds;

  MapFloor(std::size_t stripes, absl::Span<const Key> keys);

  // REQUIRES: `key` is one of `keys`.
  void Touch(const Key& key, std::int64_t now);

 private:
  struct Hash {
    std::size_t operator()(const Key& key) const;
  };
  struct Equal {
    bool operator()(const Key& a, const Key& b) const;
  };
  // On cache lines of its own.
  struct alignas(128) Stripe {
    Mutex mutex;
    absl::flat_hash_map<Key, std::int64_t, Hash, Equal> times
        ABSL_GUARDED_BY(mutex);
  };

  Stripe& StripeOf(std::size_t hash) {
    // The lower half of the hash serves inside the map.
    return stripes_[((hash >> 32) * stripe_count_) >> 32];
  }

  const std::size_t stripe_count_;
  const std::unique_ptr<Stripe[]> stripes_;
};

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_MICRO_MAP_FLOOR_H_
