// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Listing the members of a room. docs/concepts.md § 10.
#include <algorithm>
#include <utility>

#include "server/core/presence_engine.h"

namespace lifesign {

PresencePage PresenceEngine::ListRoom(const ListFilter& filter,
                                      const absl::optional<ListPlace>& from,
                                      std::size_t most, const Now& now) {
  PresencePage page;
  ListPlace place = from.value_or(ListPlace());
  std::uint32_t budget = limits::kListedSlotsPerPage;
  bool more = true;
  while (more && budget > 0 && page.users.size() < most) {
    const std::uint32_t slice = std::min(budget, limits::kListedSlotsPerLock);
    std::vector<PresenceRecord> records;
    more = rooms_.ListMembers(filter.room, filter.view, filter.states, slice,
                              most - page.users.size(), place.listing,
                              place.came_at, now, records);
    budget -= slice;
    // Under their shards' locks, and none of the room's.
    for (PresenceRecord& record : records) {
      AppendMember(filter, std::move(record), now, page.users);
    }
  }
  if (more) page.next = place;
  return page;
}

void PresenceEngine::AppendMember(const ListFilter& filter,
                                  PresenceRecord&& record, const Now& now,
                                  std::vector<UserView>& users) {
  const SessionMap::Place place = map_.Find(record.user);
  UserView view;
  view.record = std::move(record);
  const bool is_there = place.shard.CompleteMember(filter.room, place.hash,
                                                   filter.view, now, view);
  Announce(place.shard);
  if (is_there && filter.IsSeenWithin(view.record, now)) {
    users.push_back(std::move(view));
  }
}

}  // namespace lifesign
