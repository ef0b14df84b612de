// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/micro/map_floor.h"

#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace lifesign::bench {

std::size_t MapFloor::Hash::operator()(const Key& key) const {
  return XXH3_64bits(&key, sizeof(key));
}

bool MapFloor::Equal::operator()(const Key& a, const Key& b) const {
  return std::memcmp(&a, &b, sizeof(Key)) == 0;
}

MapFloor::MapFloor(std::size_t stripes, absl::Span<const Key> keys)
    : stripe_count_(stripes), stripes_(std::make_unique<Stripe[]>(stripes)) {
  std::vector<std::size_t> sizes(stripes);
  for (const Key& key : keys) {
    ++sizes[static_cast<std::size_t>(&StripeOf(Hash()(key)) - stripes_.get())];
  }
  for (std::size_t i = 0; i < stripes; ++i) {
    MutexLock lock(stripes_[i].mutex);
    stripes_[i].times.reserve(sizes[i]);
  }
  for (const Key& key : keys) {
    Stripe& stripe = StripeOf(Hash()(key));
    MutexLock lock(stripe.mutex);
    stripe.times.emplace(key, 0);
  }
}

void MapFloor::Touch(const Key& key, std::int64_t now) {
  const std::size_t hash = Hash()(key);
  Stripe& stripe = StripeOf(hash);
  MutexLock lock(stripe.mutex);
  stripe.times.find(key, hash)->second = now;
}

}  // namespace lifesign::bench
