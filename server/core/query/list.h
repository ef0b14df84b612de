// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Listing users page by page. docs/concepts.md § 10.
#ifndef LIFESIGN_SERVER_CORE_QUERY_LIST_H_
#define LIFESIGN_SERVER_CORE_QUERY_LIST_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "server/core/availability/veil.h"
#include "server/core/presence_state.h"
#include "server/core/query/views.h"
#include "server/core/time.h"
#include "server/core/watch/change.h"

namespace lifesign {

// Whom a listing tells of: who is in one of `states`, and was last heard of at
// most `seen_within` ago, if that is given. Of a room: who is live there, by
// their state and sessions there.
struct ListFilter {
  StateSet states;
  absl::optional<Duration> seen_within;
  // What the caller has a right to see.
  View view = View::kPublic;
  // Empty: everyone.
  std::string room = {};

  // By what is told of them.
  bool IsSeenWithin(const PresenceRecord& record, const Now& now) const {
    if (!seen_within.has_value()) return true;
    return record.last_seen.has_value() &&
           SaturatingDifference(now.wall, *record.last_seen) <= *seen_within;
  }
};

// Numbers listings in the order in which they begin, from 1.
using ListingNumber = std::uint64_t;

// The numbers of one engine. Thread-safe.
class Listings {
 public:
  ListingNumber Begin() {
    return newest_.fetch_add(1, std::memory_order_relaxed) + 1;
  }
  // That of the listing that began last; 0 before the first.
  ListingNumber newest() const {
    return newest_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<ListingNumber> newest_{0};
};

// How far a listing has come. Users are listed in the order of their slots, and
// keep their slot as long as they are known: so whoever is there all the time
// is met once. Who is forgotten and comes back may get a slot that lies ahead;
// a slot that was taken after the listing began is passed over, so nobody is
// met twice. To who sees through, somebody who becomes invisible or visible
// while they are listed may get another slot, and be passed over.
//
// The members of a room are listed in the order in which they came: `listing`
// is the room's revision when it began, and who comes after that is passed
// over.
struct ListPlace {
  ListingNumber listing = 0;
  std::uint32_t shard = 0;
  std::uint32_t slot = 0;
  // Of a room: with which change came who was passed last.
  Revision came_at = 0;

  friend bool operator==(const ListPlace&, const ListPlace&) = default;
};

struct PresencePage {
  std::vector<UserView> users;
  // Where the next page begins; none after the last one.
  absl::optional<ListPlace> next;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_QUERY_LIST_H_
