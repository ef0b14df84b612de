// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/session/session_map.h"

namespace lifesign {
namespace {

// Attachments start at a number drawn for this run, below 2^52 so that every
// language can hold them: one of an earlier run is then none of this one's. The
// seed is mixed before the shard is added, so that runs whose seeds lie side by
// side do not share any.
constexpr std::uint64_t kAttachmentBits = 52;

std::uint64_t Mix(std::uint64_t value) {
  // The finaliser of SplitMix64 (Steele, Lea, Flood; OOPSLA 2014).
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return value ^ (value >> 31);
}

}  // namespace

SessionMap::SessionMap(int shards, SessionShard::Options options,
                       const Now& start)
    : hash_seed_(options.hash_seed) {
  options.max_retained_users =
      (options.max_retained_users + shards - 1) / shards;
  options.max_declared_availabilities =
      (options.max_declared_availabilities + shards - 1) / shards;
  for (int i = 0; i < shards; ++i) {
    options.index = static_cast<std::uint32_t>(i);
    options.first_attachment =
        (Mix(Mix(options.hash_seed) + static_cast<std::uint64_t>(i)) >>
         (64 - kAttachmentBits)) |
        1;
    shards_.push_back(std::make_unique<Separated>(options, start));
  }
}

}  // namespace lifesign
