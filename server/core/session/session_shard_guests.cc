// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Guests who turn out to be users. docs/concepts.md § 11.
#include "server/core/session/session_shard.h"

namespace lifesign {

absl::optional<GuestHistory> SessionShard::PrepareMerge(const SessionName& name,
                                                        std::uint64_t hash,
                                                        const Now& now) {
  MutexLock lock(mutex_);
  const Now held = Hold(now);
  Settle(name.user, held);
  User* user = FindOwner(name.user, hash);
  if (user == nullptr) return absl::nullopt;
  Session* session = FindSession(*user, name.session);
  if (session == nullptr || Ended(*session, held)) return absl::nullopt;
  const std::uint32_t slot = SlotOf(*session, *user);
  if (!merging_.insert(slot).second) return absl::nullopt;
  if (session->Has(kWaiting)) ApplyWaiting(*session, held);
  // By what waited they may have become somebody else.
  user = &UserOf(*session);
  Evaluate(*user, held);

  GuestHistory history;
  history.guest = std::string(name.user);
  history.hidden = HiddenUsers::Holds(user->slot);
  history.device = session->device;
  if (session->rest().extras != nullptr) {
    history.metadata = session->rest().extras->metadata;
  }
  history.times = session->Times();
  history.last_active = session->last_active;
  history.lifecycle = session->lifecycle;
  history.no_signal_yet = session->Has(kNoSignalYet);
  if (!user->in_rooms) return history;
  for (const RoomTable::Place& place : rooms_.Of(user->slot)) {
    if (!place.Holds(slot)) continue;
    Membership after = MembershipOf(*user, place, View::kPublic, slot);
    if (after.state.state() != place.told.state.state()) {
      after.cause = Cause::kLeave;
      after.since = held.real;
    } else {
      after.cause = place.told.cause;
      after.since = place.told.since;
    }
    history.places.push_back({place.room, after});
  }
  return history;
}

void SessionShard::CallOffMerge(const SessionName& name, std::uint64_t hash) {
  MutexLock lock(mutex_);
  // Without Settle: whoever it is by now, the session is there.
  User* user = FindUser(name.user, hash);
  Session* session =
      user == nullptr ? nullptr : FindSession(*user, name.session);
  if (session == nullptr) {
    user = hidden_.Find(name.user);
    if (user != nullptr) session = FindSession(*user, name.session);
  }
  if (session != nullptr) merging_.erase(SlotOf(*session, *user));
}

void SessionShard::FinishMerge(const SessionName& name, std::uint64_t hash,
                               absl::Span<const std::string> rooms,
                               const std::shared_ptr<const std::string>& into,
                               const Now& now) {
  MutexLock lock(mutex_);
  const Now held = Hold(now);
  Settle(name.user, held);
  User* user = FindOwner(name.user, hash);
  Session* session =
      user == nullptr ? nullptr : FindSession(*user, name.session);
  // It may have ended meanwhile, and another have begun.
  const bool goes =
      session != nullptr && merging_.contains(SlotOf(*session, *user));
  const bool hidden = user != nullptr && HiddenUsers::Holds(user->slot);
  for (const std::string& room : rooms) {
    RoomTable::Place* place = nullptr;
    if (user != nullptr && user->in_rooms) {
      place = rooms_.Find(user->slot, room);
    }
    if (place != nullptr) place->merged_into = into;
    // Who has become invisible meanwhile has left, to everybody else.
    if (place == nullptr || hidden) {
      TellRoom({room, std::string(name.user), Membership(), nullptr, into,
                place == nullptr ? Audience::kEverybody : Audience::kPublic});
    }
  }
  if (user == nullptr) return;
  if (!goes) {
    Evaluate(*user, held);
    return;
  }
  if (into == nullptr) {
    // To everybody it leaves, as one does that says so.
    session->last_seen = held.real;
  } else if (!hidden && IsLive(user->told.state())) {
    // Else nothing changes by which it could be told.
    user->merged = true;
    merged_into_[user->slot] = into;
  }
  const Left left[] = {LeftBy(*session, held)};
  End(*session, held);
  Evaluate(*user, held, left);
  // Another session still is the guest's.
  if (user->merged && IsLive(user->told.state())) ForgetMerge(*user);
}

void SessionShard::ForgetMerge(User& user) {
  user.merged = false;
  merged_into_.erase(user.slot);
}

void SessionShard::TakeOver(Session& session, const OpenRequest& request,
                            bool resumed) {
  const GuestHistory& history = *request.history;
  if (history.last_active != kNeverReal &&
      (session.last_active == kNeverReal ||
       history.times.last_activity > session.last_activity)) {
    session.last_activity = history.times.last_activity;
    session.last_active = history.last_active;
  }
  User& user = UserOf(session);
  if (request.rooms == nullptr) {
    for (const GuestHistory::Place& place : history.places) {
      JoinRoom(user, session, place.room);
    }
  }
  if (resumed) return;
  if (history.last_active == kNeverReal) {
    session.last_activity = history.times.last_activity;
  }
  if (request.metadata == nullptr && !history.metadata.empty()) {
    session.Extras().metadata = history.metadata;
  }
  session.SetCaps(history.times.idle_cap_since,
                  history.times.background_cap_since);
  session.lifecycle = history.lifecycle;
  if (!history.no_signal_yet) session.Clear(kNoSignalYet);
  PromiseInterval(session);
}

}  // namespace lifesign
