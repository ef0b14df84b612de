// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Whom the users of a shard want to reach. docs/concepts.md § 11.
#ifndef LIFESIGN_SERVER_CORE_SESSION_INTENT_TABLE_H_
#define LIFESIGN_SERVER_CORE_SESSION_INTENT_TABLE_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "server/base/limits.h"
#include "server/core/signal/signal.h"
#include "server/core/time.h"

namespace lifesign {

// Beside the users, whom it names by their slots: who wants to reach nobody
// takes nothing of it. Not thread-safe: its shard guards it.
class IntentTable {
 public:
  struct Held {
    std::string room;
    std::string target;
    RealTime expires_at{};
  };

  // Whether the user would have at most limits::kMaxIntentsPerUser.
  bool HasRoomFor(std::uint32_t user,
                  absl::Span<const IntentDeclaration> declared,
                  RealTime now) const {
    return declared.empty() ||
           HeldAfter(user, declared, now).size() <= limits::kMaxIntentsPerUser;
  }
  // Takes what the user declares. REQUIRES: HasRoomFor it.
  void Declare(std::uint32_t user, absl::Span<const IntentDeclaration> declared,
               RealTime now) {
    users_[user] = HeldAfter(user, declared, now);
  }

  // Takes out all that the user has.
  std::vector<Held> Withdraw(std::uint32_t user, RealTime now) {
    std::vector<Held> held = HeldBy(user, now);
    users_.erase(user);
    return held;
  }

 private:
  std::vector<Held> HeldAfter(std::uint32_t user,
                              absl::Span<const IntentDeclaration> declared,
                              RealTime now) const {
    std::vector<Held> held = HeldBy(user, now);
    for (const IntentDeclaration& one : declared) {
      held.erase(std::remove_if(held.begin(), held.end(),
                                [&](const Held& other) {
                                  return other.room == one.room &&
                                         other.target == one.target;
                                }),
                 held.end());
      if (one.expires_in == Duration::zero()) continue;
      held.push_back({std::string(one.room), std::string(one.target),
                      SaturatingAdd(now, one.expires_in)});
    }
    return held;
  }
  std::vector<Held> HeldBy(std::uint32_t user, RealTime now) const {
    std::vector<Held> held;
    const auto found = users_.find(user);
    if (found == users_.end()) return held;
    for (const Held& one : found->second) {
      if (one.expires_at > now) held.push_back(one);
    }
    return held;
  }

  absl::flat_hash_map<std::uint32_t, std::vector<Held>> users_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_SESSION_INTENT_TABLE_H_
