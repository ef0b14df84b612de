// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Listing the users of a shard, and awaiting some of them. docs/concepts.md
// § 10.
#include <algorithm>
#include <string>
#include <utility>

#include "server/core/session/session_shard.h"

namespace lifesign {
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
    if (filter.IsSeenWithin(view.record, held)) {
      users.push_back(std::move(view));
    }
  }
  return slot < slots;
}

bool SessionShard::CompleteMember(absl::string_view room, std::uint64_t hash,
                                  const Now& now, UserView& view) {
  MutexLock lock(mutex_);
  const Now held = Hold(now);
  User* user = FindUser(view.record.user, hash);
  if (user == nullptr) return false;
  Evaluate(*user, held);
  if (!user->in_rooms) return false;
  const RoomTable::Place* place = rooms_.Find(user->slot, room);
  if (place == nullptr) return false;
  const Membership there = MembershipOf(*place);
  if (there.sessions == 0) return false;
  if (there.last_seen != kNeverReal) {
    view.record.last_seen = WallAt(there.last_seen, held);
  }
  if (there.last_active != kNeverReal) {
    view.record.last_active = WallAt(there.last_active, held);
  }
  double all_gone = 1;
  for (const std::uint32_t slot : place->sessions) {
    const Session& session = sessions_[slot];
    if (!IsLive(session.evaluated)) continue;
    ++view.sessions_by_state[static_cast<std::size_t>(session.evaluated)];
    if (session.evaluated == view.record.state) {
      all_gone *= 1 - ConfidenceOf(session, held);
    }
  }
  view.confidence = 1 - all_gone;
  return true;
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
