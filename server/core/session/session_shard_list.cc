// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Listing the users of a shard, and awaiting some of them. docs/concepts.md
// § 10.
#include <algorithm>
#include <string>
#include <utility>

#include "server/core/session/session_shard.h"

namespace lifesign {
namespace {

// By what is told of them.
bool IsSeenWithin(const absl::optional<Duration>& within,
                  const PresenceRecord& record, const Now& now) {
  if (!within.has_value()) return true;
  return record.last_seen.has_value() &&
         SaturatingDifference(now.wall, *record.last_seen) <= *within;
}

}  // namespace

bool SessionShard::List(const ListFilter& filter, ListingNumber listing,
                        std::size_t most_users, std::uint32_t most_slots,
                        std::uint32_t& slot, const Now& now,
                        std::vector<UserView>& users) {
  MutexLock lock(mutex_);
  const Now held = Hold(now);
  const std::uint32_t slots = users_.slots();
  slot = std::min(slot, slots);
  const std::uint32_t end = slot + std::min(slots - slot, most_slots);
  // Asked for before any is looked at: memory is waited for once, not once
  // each.
  for (std::uint32_t i = slot; i < end; ++i) PrefetchSessions(users_[i]);
  for (; slot < end && users.size() < most_users; ++slot) {
    User& user = users_[slot];
    const bool free = user.id.view().empty();
    if (free || user_stamps_.TakenAt(slot) >= listing) continue;
    // Who has no session is OFFLINE, and was told so.
    if (user.sessions > 0) Evaluate(user, held);
    if (!filter.states.Has(user.told.state())) continue;
    UserView view = UserViewOf(user, held);
    if (IsSeenWithin(filter.seen_within, view.record, held)) {
      users.push_back(std::move(view));
    }
  }
  return slot < slots;
}

void SessionShard::TellAndRegister(const std::shared_ptr<Await>& await,
                                   std::size_t number, std::uint64_t hash,
                                   const Now& now) {
  const std::string& user = await->terms().users[number];
  MutexLock lock(mutex_);
  const Now held = Hold(now);
  State state = State::kOffline;
  Revision revision = outbox_.last();
  if (User* known = FindUser(user, hash)) {
    Evaluate(*known, held);
    state = known->told.state();
    revision = known->revision;
  }
  // In this order: once it is registered above this state, no older one is told
  // any more.
  awaits_.Register(user, await, number, revision);
  await->Look(number, state);
}

}  // namespace lifesign
