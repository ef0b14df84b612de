// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// That a user wants to reach another one in a room. docs/concepts.md § 11.
#ifndef LIFESIGN_SERVER_CORE_ROOM_INTENT_H_
#define LIFESIGN_SERVER_CORE_ROOM_INTENT_H_

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

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

// The intents of a room. Not thread-safe: its room guards it.
class Intents {
 public:
  // True if it changes what there is.
  bool Apply(const Intent& intent) {
    const auto held =
        std::find_if(intents_.begin(), intents_.end(), [&](const Intent& one) {
          return one.from == intent.from && one.target == intent.target;
        });
    const bool was_held = held != intents_.end();
    if (was_held) intents_.erase(held);
    if (intent.expires_at == RealTime::min()) return was_held;
    DropOneIfTooMany(intent.target);
    intents_.push_back(intent);
    return true;
  }

  // Takes out those that have run out, and returns them.
  std::vector<Intent> TakeExpired(RealTime now) {
    const auto expired = std::stable_partition(
        intents_.begin(), intents_.end(),
        [now](const Intent& one) { return one.expires_at > now; });
    std::vector<Intent> taken(expired, intents_.end());
    intents_.erase(expired, intents_.end());
    return taken;
  }

  // In the order in which they were declared last.
  std::vector<Intent> Towards(absl::string_view target, RealTime now) const {
    std::vector<Intent> towards;
    for (const Intent& one : intents_) {
      if (one.target == target && one.expires_at > now) towards.push_back(one);
    }
    return towards;
  }

  // When the next one runs out; RealTime::max() if there is none.
  RealTime NextExpiry() const {
    RealTime next = RealTime::max();
    for (const Intent& one : intents_) next = std::min(next, one.expires_at);
    return next;
  }

  bool empty() const { return intents_.empty(); }

 private:
  // The oldest gives way, so that who is wanted by many is told of the newest.
  void DropOneIfTooMany(absl::string_view target) {
    std::size_t towards = 0;
    auto oldest = intents_.end();
    for (auto one = intents_.begin(); one != intents_.end(); ++one) {
      if (one->target != target) continue;
      if (++towards == 1) oldest = one;
    }
    if (towards >= limits::kMaxIntentsPerTarget) intents_.erase(oldest);
  }

  // Few: of those who are wanted now.
  std::vector<Intent> intents_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_ROOM_INTENT_H_
