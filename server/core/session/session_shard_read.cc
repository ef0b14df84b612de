// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Reading users and sessions. docs/concepts.md §§ 6, 7, 10.
#include <algorithm>
#include <string>
#include <utility>

#include "server/core/session/session_shard.h"

namespace lifesign {
namespace {

absl::optional<WallTime> WallIfAny(RealTime at, const Now& now) {
  if (at == kNeverReal) return absl::nullopt;
  return WallAt(at, now);
}

absl::optional<CapView> CapOf(PresenceTime since, Duration debounce,
                              const Now& now) {
  if (since == kNever) return absl::nullopt;
  const PresenceTime in_force = SaturatingAdd(since, debounce);
  return CapView{WallAt(since, now), WallAt(in_force, now),
                 now.presence >= in_force};
}

}  // namespace

UserView SessionShard::GetUser(absl::string_view user, std::uint64_t hash,
                               const Now& now) {
  MutexLock lock(mutex_);
  return ReadUser(user, FindUser(user, hash), Hold(now));
}

std::vector<SessionView> SessionShard::ListSessions(absl::string_view user,
                                                    std::uint64_t hash,
                                                    const Now& now) {
  MutexLock lock(mutex_);
  const Now held = Hold(now);
  std::vector<SessionView> views;
  User* known = FindUser(user, hash);
  if (known == nullptr) return views;
  Evaluate(*known, held);
  for (const Session* session : OpenSessions(*known, held)) {
    views.push_back(ViewOf(*session, held));
  }
  return views;
}

UserExplanation SessionShard::Explain(absl::string_view user,
                                      std::uint64_t hash,
                                      absl::string_view room, const Now& now) {
  MutexLock lock(mutex_);
  const Now held = Hold(now);
  User* known = FindUser(user, hash);
  UserExplanation explanation;
  explanation.user = ReadUser(user, known, held);
  if (!room.empty()) {
    explanation.room.emplace();
    explanation.room->room = std::string(room);
  }
  if (known == nullptr) return explanation;
  const std::vector<const Session*> open = OpenSessions(*known, held);
  const State state = explanation.user.record.state;
  for (const Session* session : open) {
    explanation.sessions.push_back(ExplanationOf(*session, state, held));
  }
  if (IsLive(state)) {
    const Fall next = NextFall(open, state, held.presence);
    explanation.next_change = NextChangeView{WallAt(next.at, held), next.to};
  }
  if (!room.empty()) explanation.room = ExplainRoom(room, *known, open, held);
  return explanation;
}

PresenceRecord SessionShard::UnknownRecord(absl::string_view user) const {
  PresenceRecord record;
  record.user = std::string(user);
  record.revision = outbox_.last();
  return record;
}

PresenceRecord SessionShard::RecordOf(const User& user, const Now& now) const {
  RealTime last_seen = user.last_seen;
  RealTime last_active = user.last_active;
  for (std::uint32_t slot = user.first_session(); slot != kNoSlot;
       slot = sessions_[slot].rest().next_of_user) {
    last_seen = std::max(last_seen, sessions_[slot].last_seen);
    last_active = std::max(last_active, sessions_[slot].last_active);
  }
  PresenceRecord record;
  record.user = std::string(user.id.view());
  record.state = user.told.state();
  record.devices = user.told.devices();
  record.cause = user.cause;
  record.revision = user.revision;
  record.known = true;
  record.since = WallAt(user.since, now);
  record.last_seen = WallIfAny(last_seen, now);
  record.last_active = WallIfAny(last_active, now);
  if (user.merged) record.merged_into = merged_into_.find(user.slot)->second;
  return record;
}

UserView SessionShard::ReadUser(absl::string_view user, User* known,
                                const Now& now) {
  if (known == nullptr) {
    UserView view;
    view.record = UnknownRecord(user);
    return view;
  }
  Evaluate(*known, now);
  return UserViewOf(*known, now);
}

UserView SessionShard::UserViewOf(const User& user, const Now& now) const {
  UserView view;
  view.record = RecordOf(user, now);
  double all_gone = 1;
  for (const Session* session : OpenSessions(user, now)) {
    const State state = LeftBy(*session, now).state;
    ++view.sessions_by_state[static_cast<std::size_t>(state)];
    if (state == view.record.state) all_gone *= 1 - ConfidenceOf(*session, now);
  }
  view.confidence = IsLive(view.record.state) ? 1 - all_gone : 0;
  return view;
}

double SessionShard::ConfidenceOf(const Session& session,
                                  const Now& now) const {
  const ConfidenceTable& table = session.last_signal < confidence_since_
                                     ? *confidence_before_
                                     : *confidence_;
  return Confidence(table, session.SilenceAt(PolicyOf(session), now.presence));
}

std::vector<const Session*> SessionShard::OpenSessions(const User& user,
                                                       const Now& now) const {
  std::vector<const Session*> open;
  for (std::uint32_t slot = user.first_session(); slot != kNoSlot;
       slot = sessions_[slot].rest().next_of_user) {
    if (!Ended(sessions_[slot], now)) open.push_back(&sessions_[slot]);
  }
  return open;
}

SessionView SessionShard::ViewOf(const Session& session, const Now& now) const {
  SessionView view;
  view.session = std::string(session.rest().id.view());
  view.state = LeftBy(session, now).state;
  view.device = session.device;
  view.connected = session.Connected(PolicyOf(session), now.presence);
  view.attachment = session.attachment;
  view.opened_at = WallAt(session.rest().opened_at(), now);
  view.last_seen = WallAt(session.last_seen, now);
  view.last_active = WallIfAny(session.last_active, now);
  view.next_interval = session.Promised();
  view.confidence = ConfidenceOf(session, now);
  if (!session.Has(kNoSignalYet)) view.lifecycle = session.lifecycle;
  if (session.rest().extras != nullptr)
    view.metadata = session.rest().extras->metadata;
  const User& user = users_[session.rest().user];
  if (user.in_rooms) {
    const std::uint32_t slot = SlotOf(session, user);
    for (const RoomTable::Place& place : rooms_.Of(user.slot)) {
      if (place.Holds(slot)) view.rooms.push_back(place.room);
    }
  }
  return view;
}

SessionExplanation SessionShard::ExplanationOf(const Session& session,
                                               State user_state,
                                               const Now& now) const {
  const Policy& policy = PolicyOf(session);
  const PolicyRow& row = RowOf(session);
  const Duration debounce = policy.downgrade_debounce;
  const Derivation derived =
      Derive(session.Times(), row, debounce, now.presence);
  SessionExplanation explanation;
  explanation.session = ViewOf(session, now);
  explanation.rule = derived.rule;
  explanation.signal_age =
      SaturatingDifference(now.presence, session.last_signal);
  explanation.activity_age =
      SaturatingDifference(now.presence, session.last_activity);
  explanation.idle_cap = CapOf(session.Times().idle_cap_since, debounce, now);
  explanation.background_cap =
      CapOf(session.Times().background_cap_since, debounce, now);
  const PresenceTime linger = session.LingerUntil();
  if (linger != kNever) explanation.linger_until = WallAt(linger, now);
  const PresenceTime next = std::min(derived.next_change, linger);
  explanation.next_change = NextChangeView{
      WallAt(next, now),
      next == linger ? State::kOffline
                     : DeriveState(session.Times(), row, debounce, next)};
  explanation.holds_user_state = derived.state == user_state;
  explanation.row = row;
  explanation.downgrade_debounce = debounce;
  return explanation;
}

SessionShard::Fall SessionShard::NextFall(
    absl::Span<const Session* const> sessions, State from,
    PresenceTime at) const {
  // From one session's change to the next, until the highest of them changes.
  // Ends: every session comes to OFFLINE.
  while (true) {
    PresenceTime next = kNever;
    State highest = State::kOffline;
    for (const Session* session : sessions) {
      if (session->Ended(RowOf(*session), at)) continue;
      const Derivation derived =
          Derive(session->Times(), RowOf(*session),
                 PolicyOf(*session).downgrade_debounce, at);
      highest = Higher(highest, derived.state);
      next = std::min({next, derived.next_change, session->LingerUntil()});
    }
    if (highest != from) return {at, highest};
    at = next;
  }
}

RoomExplanation SessionShard::ExplainRoom(absl::string_view room,
                                          const User& user,
                                          absl::Span<const Session* const> open,
                                          const Now& now) const {
  RoomExplanation explanation;
  explanation.room = std::string(room);
  if (!user.in_rooms) return explanation;
  const RoomTable::Place* const place = rooms_.Find(user.slot, room);
  if (place == nullptr || !IsLive(place->told.state.state())) {
    return explanation;
  }
  std::vector<const Session*> there;
  for (const Session* session : open) {
    if (!place->Holds(SlotOf(*session, user))) continue;
    there.push_back(session);
    explanation.sessions.emplace_back(session->rest().id.view());
  }
  // Evaluated with the user, and so what the room is told, or is about to be.
  explanation.state = place->told.state.state();
  explanation.since = WallAt(place->told.since, now);
  explanation.cause = place->told.cause;
  Fall fall = NextFall(there, explanation.state, now.presence);
  explanation.next_change = NextChangeView{WallAt(fall.at, now), fall.to};
  while (IsLive(fall.to)) fall = NextFall(there, fall.to, fall.at);
  explanation.ends_at = WallAt(fall.at, now);
  return explanation;
}

}  // namespace lifesign
