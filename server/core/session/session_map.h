// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Users over lock stripes: routes each call to the shard of its user.
#ifndef LIFESIGN_SERVER_CORE_SESSION_SESSION_MAP_H_
#define LIFESIGN_SERVER_CORE_SESSION_SESSION_MAP_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/core/session/session_shard.h"

namespace lifesign {

// A thin shell (in the manner of LevelDB's sharded cache): it only chooses.
// All sessions of a user lie in one shard. Thread-safe.
class SessionMap {
 public:
  // Where a user lies.
  struct Place {
    SessionShard& shard;
    std::uint64_t hash;
  };

  // `options.index` and `options.first_attachment` are set for each shard; its
  // bounds are divided among them.
  SessionMap(int shards, SessionShard::Options options, const Now& start);

  Place Find(absl::string_view user) {
    const std::uint64_t hash = SessionShard::HashUser(user, hash_seed_);
    return {shard(IndexOf(hash)), hash};
  }
  std::size_t IndexOf(absl::string_view user) const {
    return IndexOf(SessionShard::HashUser(user, hash_seed_));
  }
  SessionShard& shard(std::size_t index) { return shards_[index]->shard; }
  const SessionShard& shard(std::size_t index) const {
    return shards_[index]->shard;
  }
  std::size_t size() const { return shards_.size(); }

 private:
  // Shards on cache lines of their own: a lock taken does not slow its
  // neighbour.
  struct alignas(128) Separated {
    Separated(const SessionShard::Options& options, const Now& start)
        : shard(options, start) {}
    SessionShard shard;
  };

  // The upper half of the hash: the lower serves inside the shard.
  std::size_t IndexOf(std::uint64_t hash) const {
    return static_cast<std::size_t>(((hash >> 32) * shards_.size()) >> 32);
  }

  const std::uint64_t hash_seed_;
  std::vector<std::unique_ptr<Separated>> shards_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_SESSION_SESSION_MAP_H_
