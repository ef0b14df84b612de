// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// That a user wants to reach another one in a room. docs/concepts.md § 11.
#ifndef LIFESIGN_SERVER_CORE_ROOM_INTENT_H_
#define LIFESIGN_SERVER_CORE_ROOM_INTENT_H_

#include <algorithm>
#include <cstddef>
#include <string>
#include <tuple>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "server/base/limits.h"
#include "server/core/availability/veil.h"
#include "server/core/time.h"

namespace lifesign {

// Holds until `expires_at`; RealTime::min(): not any more.
struct Intent {
  std::string from;
  std::string target;
  RealTime expires_at{};
};

// For people.
struct IntentView {
  std::string from;
  std::string target;
  WallTime expires_at;
};

// What a shard tells a room of an intent of one of its users. It replaces what
// the room held of the same user and target.
struct IntentChange {
  std::string room;
  Intent intent;
  Audience audience = Audience::kEverybody;
};

// The intents of a room, of n in all. What is done for one target costs the
// same however many others are wanted, but for finding the place of an expiry,
// O(log n). Not thread-safe: its room guards it.
class Intents {
 public:
  // True if it changes what there is.
  // O(log n + limits::kMaxIntentsPerTarget).
  bool Apply(const Intent& intent) {
    const bool was_held = TakeOut(intent.target, intent.from);
    if (intent.expires_at == RealTime::min()) return was_held;
    std::vector<Intent>& towards = by_target_[intent.target];
    if (towards.size() >= limits::kMaxIntentsPerTarget) {
      // The oldest gives way, so that who is wanted by many is told of the
      // newest.
      by_expiry_.erase(ExpiryOf(towards.front()));
      towards.erase(towards.begin());
    }
    towards.push_back(intent);
    by_expiry_.insert(ExpiryOf(intent));
    return true;
  }

  // Takes out those that have run out, and returns them, the first to do so
  // first. O(log n + limits::kMaxIntentsPerTarget) for each.
  std::vector<Intent> TakeExpired(RealTime now) {
    std::vector<Intent> taken;
    while (!empty() && NextExpiry() <= now) {
      const Expiry& next = *by_expiry_.begin();
      taken.push_back({next.from, next.target, next.at});
      TakeOut(taken.back().target, taken.back().from);
    }
    return taken;
  }

  // In the order in which they were declared last.
  // O(limits::kMaxIntentsPerTarget).
  std::vector<Intent> Towards(absl::string_view target, RealTime now) const {
    std::vector<Intent> towards;
    const auto found = by_target_.find(target);
    if (found == by_target_.end()) return towards;
    for (const Intent& one : found->second) {
      if (one.expires_at > now) towards.push_back(one);
    }
    return towards;
  }

  // When the next one runs out; RealTime::max() if there is none. O(1).
  RealTime NextExpiry() const {
    return empty() ? RealTime::max() : by_expiry_.begin()->at;
  }

  bool empty() const { return by_expiry_.empty(); }
  std::size_t size() const { return by_expiry_.size(); }

 private:
  struct Expiry {
    RealTime at;
    std::string target;
    std::string from;

    friend bool operator<(const Expiry& a, const Expiry& b) {
      return std::tie(a.at, a.target, a.from) <
             std::tie(b.at, b.target, b.from);
    }
  };
  static Expiry ExpiryOf(const Intent& intent) {
    return {intent.expires_at, intent.target, intent.from};
  }

  // False if there is none.
  bool TakeOut(absl::string_view target, absl::string_view from) {
    const auto found = by_target_.find(target);
    if (found == by_target_.end()) return false;
    std::vector<Intent>& towards = found->second;
    const auto held =
        std::find_if(towards.begin(), towards.end(),
                     [from](const Intent& one) { return one.from == from; });
    if (held == towards.end()) return false;
    by_expiry_.erase(ExpiryOf(*held));
    towards.erase(held);
    if (towards.empty()) by_target_.erase(found);
    return true;
  }

  // At most limits::kMaxIntentsPerTarget each, and never none, in the order in
  // which they were declared last.
  absl::flat_hash_map<std::string, std::vector<Intent>> by_target_;
  // The same ones.
  absl::btree_set<Expiry> by_expiry_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_ROOM_INTENT_H_
