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
  const bool sees_through = filter.view == View::kTrue;
  const bool hidden = sees_through && HiddenUsers::Holds(slot);
  const std::uint32_t slots = hidden ? hidden_.slots_end() : users_.slots();
  slot = std::min(slot, slots);
  const std::uint32_t end = slot + std::min(slots - slot, most_slots);
  // Asked for before any is looked at: memory is waited for once, not once
  // each.
  for (std::uint32_t i = slot; i < end && !hidden; ++i) {
    PrefetchSessions(users_[i]);
  }
  for (; slot < end && users.size() < most_users; ++slot) {
    User* const user = FindListed(slot, hidden, filter.view, listing, held);
    if (user == nullptr) continue;
    // Who has no session is OFFLINE, and was told so.
    if (user->sessions > 0) Evaluate(*user, held);
    if (!filter.states.Has(user->told.state())) continue;
    UserView view = UserViewOf(*user, filter.view, held);
    if (filter.IsSeenWithin(view.record, held)) {
      users.push_back(std::move(view));
    }
  }
  if (slot < slots) return true;
  if (!sees_through || hidden || hidden_.empty()) return false;
  slot = HiddenUsers::kFirstSlot;
  return true;
}

User* SessionShard::FindListed(std::uint32_t slot, bool hidden, View view,
                               ListingNumber listing, const Now& now) {
  User& user = hidden ? hidden_[slot] : users_[slot];
  if (user.id.view().empty()) return nullptr;
  const std::uint64_t taken_at =
      hidden ? hidden_stamps_.TakenAt(slot & ~HiddenUsers::kFirstSlot)
             : user_stamps_.TakenAt(slot);
  if (taken_at >= listing) return nullptr;
  if (user.declared) {
    const std::string id(user.id.view());
    Settle(id, now);
    if (hidden) {
      User* const shown = FindUser(id, HashUser(id, options_.hash_seed));
      // Met where their public record lies, unless they came there just now.
      if (shown != nullptr) {
        return user_stamps_.TakenAt(shown->slot) < listing ? nullptr : shown;
      }
      if (user.id.view() != id) return nullptr;
    }
  }
  if (view == View::kTrue && !hidden && HasTruth(user)) {
    return hidden_.Find(user.id.view());
  }
  return &user;
}

bool SessionShard::CompleteMember(absl::string_view room, std::uint64_t hash,
                                  View view, const Now& now, UserView& member) {
  MutexLock lock(mutex_);
  const Now held = Hold(now);
  // Not the record's own: settling may replace it.
  const std::string id = member.record.user;
  Settle(id, held);
  User* user = FindIn(view, id, hash);
  if (user == nullptr) return false;
  Evaluate(*user, held);
  if (!user->in_rooms) return false;
  const RoomTable::Place* place = rooms_.Find(user->slot, room);
  if (place == nullptr) return false;
  const Membership there = MembershipOf(*user, *place, view);
  if (there.sessions == 0) return false;
  if (there.last_seen != kNeverReal) {
    member.record.last_seen = WallAt(there.last_seen, held);
  }
  if (there.last_active != kNeverReal) {
    member.record.last_active = WallAt(there.last_active, held);
  }
  const Veil* const veil = VeilOver(*user, view);
  double all_gone = 1;
  for (const std::uint32_t slot : place->sessions) {
    const Session& session = sessions_[slot];
    if (!IsLive(session.evaluated)) continue;
    ++member.sessions_by_state[static_cast<std::size_t>(session.evaluated)];
    if (session.evaluated == member.record.state) {
      all_gone *= 1 - ConfidenceOf(session, veil, held);
    }
  }
  member.confidence = 1 - all_gone;
  return true;
}

void SessionShard::TellAndRegister(const std::shared_ptr<Await>& await,
                                   std::size_t number, std::uint64_t hash,
                                   const Now& now) {
  const std::string& user = await->terms().users[number];
  const View view = await->terms().view;
  MutexLock lock(mutex_);
  const Now held = Hold(now);
  Settle(user, held);
  State state = State::kOffline;
  Revision revision = outbox_.last();
  if (User* known = FindIn(view, user, hash)) {
    Evaluate(*known, held);
    state = known->told.state();
    revision = RevisionIn(view, *known);
  }
  // In this order: once it is registered above this state, no older one is told
  // any more.
  awaits_.Register(user, await, number, revision);
  await->Look(number, state);
}

}  // namespace lifesign
