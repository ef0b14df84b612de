// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What the users of a shard have declared, and when it runs out.
// docs/concepts.md § 13.
#ifndef LIFESIGN_SERVER_CORE_AVAILABILITY_AVAILABILITY_TABLE_H_
#define LIFESIGN_SERVER_CORE_AVAILABILITY_AVAILABILITY_TABLE_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/btree_set.h"
#include "absl/container/node_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "server/core/availability/availability.h"
#include "server/core/time.h"

namespace lifesign {

// Beside the users, by their ids: few declare anything, and what is declared
// outlasts whatever else is known of its user. Once a user has declared
// something an entry stays as long as the user is remembered, also when what
// was declared has run out: so that a client that comes back with something
// older does not bring it into force.
//
// Not thread-safe: its shard guards it.
class AvailabilityTable {
 public:
  struct Entry {
    Availability declared;
    // With the user's last change: to everybody; and to those who see through,
    // of a user who is invisible, or has been since they were remembered.
    Availability told;
    Availability truly_told;
    // Since when the user, who was invisible, is not any more; the first
    // instants there are if they never were, as far as is remembered.
    RealTime visible_since = RealTime::min();
    PresenceTime visible_since_presence = PresenceTime::min();

    bool was_invisible() const { return visible_since != RealTime::min(); }
    bool invisible() const {
      return declared.kind == AvailabilityKind::kInvisible;
    }
    // It is in effect while the user is live.
    const Availability& InEffect(bool live) const;
  };

  // Holds the declarations of up to `most` users, and of as many who are
  // invisible: whether there is room must not tell of them.
  explicit AvailabilityTable(std::int64_t most) : most_(most) {}

  bool empty() const { return by_user_.empty(); }
  // Null if `user` has declared nothing.
  const Entry* Find(absl::string_view user) const;
  Entry* Find(absl::string_view user);
  // Whether what `user` declares can be held.
  bool HasRoomFor(absl::string_view user, AvailabilityKind kind) const;
  bool IsAnyoneInvisible() const { return invisible_ > 0; }
  // Whether `user` is to be invisible as of what they declared.
  bool IsInvisible(absl::string_view user) const {
    if (!IsAnyoneInvisible()) return false;
    const Entry* const entry = Find(user);
    return entry != nullptr && entry->invisible();
  }

  // `user` declares `availability`, which replaces what is held. REQUIRES:
  // HasRoomFor it.
  void Declare(absl::string_view user, Availability availability);
  // The entry of `user`, with what holds at `now`: what has run out by then
  // reverts. REQUIRES: there is one.
  Entry& At(absl::string_view user, RealTime now);

  // Reverts one declaration that has run out by `now`: whose and what it was,
  // and when it ran out. None: no more have.
  struct Expired {
    std::string user;
    RealTime at;
    bool was_invisible;
  };
  absl::optional<Expired> RevertNext(RealTime now);

  // The user, who is not remembered, will be: what ran out before is not held.
  void Recall(absl::string_view user, RealTime now);

  // The user is remembered no more, by nobody. What is declared stays until it
  // runs out; that nothing is, is forgotten.
  void Forget(absl::string_view user);

 private:
  using Entries = absl::node_hash_map<std::string, Entry>;

  void Replace(Entries::value_type& entry, Availability availability);

  const std::int64_t most_;
  Entries by_user_;
  // Of by_user_, those who are invisible.
  std::int64_t invisible_ = 0;
  // Of entries that run out; views of their keys.
  absl::btree_set<std::pair<RealTime, absl::string_view>> expiries_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_AVAILABILITY_AVAILABILITY_TABLE_H_
