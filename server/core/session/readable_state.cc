// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/session/readable_state.h"

#include <algorithm>
#include <utility>

#include "server/core/derive/confidence.h"

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

ReadableState::Left ReadableState::LeftBy(const Session& session,
                                          const Now& now) const {
  if (session.Has(kToldGone)) return {session.device, State::kOffline};
  return {session.device, DeriveAt(session, now.presence).state};
}

PresenceRecord ReadableState::UnknownRecord(absl::string_view user) const {
  PresenceRecord record;
  record.user = std::string(user);
  record.revision = outbox_.last();
  return record;
}

PresenceRecord ReadableState::RecordOf(const User& user, View view,
                                       const Now& now) const {
  const bool hidden = HiddenUsers::Holds(user.slot);
  const Veil* const shown = VeilOver(user, View::kPublic);
  const Veil* const veil = view == View::kPublic ? shown : nullptr;
  const Veil* const beneath = view == View::kTrue ? shown : nullptr;
  RealTime last_seen = beneath == nullptr ? user.last_seen : beneath->last_seen;
  RealTime last_active =
      beneath == nullptr ? user.last_active : beneath->last_active;
  for (std::uint32_t slot = user.first_session(); slot != kNoSlot;
       slot = sessions_[slot].rest().next_of_user) {
    const Session& session = sessions_[slot];
    if (veil == nullptr || !veil->Covers(session.last_seen)) {
      last_seen = std::max(last_seen, session.last_seen);
    }
    if (veil == nullptr || !veil->Covers(session.last_active)) {
      last_active = std::max(last_active, session.last_active);
    }
  }
  PresenceRecord record;
  record.user = std::string(user.id.view());
  record.state = user.told.state();
  record.devices = user.told.devices();
  record.cause = beneath == nullptr ? user.cause : beneath->cause;
  record.revision = beneath == nullptr ? user.revision : beneath->revision;
  record.known = true;
  record.since = WallAt(beneath == nullptr ? user.since : beneath->since, now);
  record.last_seen = WallIfAny(last_seen, now);
  record.last_active = WallIfAny(last_active, now);
  if (user.merged) record.merged_into = merged_into_.find(user.slot)->second;
  if (user.declared) {
    const auto* const entry = availability_.Find(user.id.view());
    if (entry != nullptr) {
      const bool truly = hidden || beneath != nullptr;
      record.availability =
          AsTold(truly ? entry->truly_told : entry->told, now);
    }
  }
  return record;
}

UserView ReadableState::UserViewOf(const User& user, View view,
                                   const Now& now) const {
  UserView read;
  read.record = RecordOf(user, view, now);
  const Veil* const veil = VeilOver(user, view);
  double all_gone = 1;
  for (const Session* session : OpenSessions(user, now)) {
    const State state = LeftBy(*session, now).state;
    ++read.sessions_by_state[static_cast<std::size_t>(state)];
    if (state == read.record.state) {
      all_gone *= 1 - ConfidenceOf(*session, veil, now);
    }
  }
  read.confidence = IsLive(read.record.state) ? 1 - all_gone : 0;
  return read;
}

double ReadableState::ConfidenceOf(const Session& session, const Veil* veil,
                                   const Now& now) const {
  const ConfidenceTable& table = session.last_signal < confidence_since_
                                     ? *confidence_before_
                                     : *confidence_;
  Silence silence = session.SilenceAt(PolicyOf(session), now.presence);
  if (veil != nullptr) {
    silence.length = std::min(
        silence.length,
        SaturatingDifference(now.presence, veil->visible_since_presence));
  }
  return Confidence(table, silence);
}

std::vector<const Session*> ReadableState::OpenSessions(const User& user,
                                                        const Now& now) const {
  std::vector<const Session*> open;
  for (std::uint32_t slot = user.first_session(); slot != kNoSlot;
       slot = sessions_[slot].rest().next_of_user) {
    if (!Ended(sessions_[slot], now)) open.push_back(&sessions_[slot]);
  }
  return open;
}

SessionView ReadableState::ViewOf(const Session& session, const Veil* veil,
                                  const Now& now) const {
  // What may be told of an instant.
  const auto if_seen = [&](RealTime at) {
    return veil != nullptr && veil->Covers(at) ? absl::nullopt
                                               : WallIfAny(at, now);
  };
  const SessionExtras* const extras = session.rest().extras.get();
  SessionView view;
  view.session = std::string(session.rest().id.view());
  view.state = LeftBy(session, now).state;
  view.device = session.device;
  view.connected = session.Connected(PolicyOf(session), now.presence);
  const bool attached_unseen =
      veil != nullptr && extras != nullptr && extras->attached_unseen;
  view.attachment = attached_unseen ? kNoAttachment : session.attachment;
  view.opened_at = if_seen(session.rest().opened_at());
  view.last_seen = if_seen(session.last_seen);
  view.last_active = if_seen(session.last_active);
  view.next_interval = session.Promised();
  view.confidence = ConfidenceOf(session, veil, now);
  if (!session.Has(kNoSignalYet)) view.lifecycle = session.lifecycle;
  if (extras != nullptr) view.metadata = extras->metadata;
  const User& user = UserOf(session);
  if (user.in_rooms) {
    const std::uint32_t slot = SlotOf(session, user);
    for (const RoomTable::Place& place : rooms_.Of(user.slot)) {
      if (place.Holds(slot)) view.rooms.push_back(place.room);
    }
  }
  return view;
}

SessionExplanation ReadableState::ExplanationOf(const Session& session,
                                                const Veil* veil,
                                                State user_state,
                                                const Now& now) const {
  const Policy& policy = PolicyOf(session);
  const PolicyRow& row = RowOf(session);
  const Duration debounce = policy.downgrade_debounce;
  const Derivation derived =
      Derive(session.Times(), row, debounce, now.presence);
  const auto age_if_seen = [&](PresenceTime at) -> absl::optional<Duration> {
    if (veil != nullptr && at < veil->visible_since_presence) {
      return absl::nullopt;
    }
    return SaturatingDifference(now.presence, at);
  };
  const auto cap_if_seen = [&](PresenceTime since) {
    absl::optional<CapView> cap = CapOf(since, debounce, now);
    if (cap.has_value() && veil != nullptr &&
        since < veil->visible_since_presence) {
      cap->started_at.reset();
      cap->in_force_at.reset();
    }
    return cap;
  };
  SessionExplanation explanation;
  explanation.session = ViewOf(session, veil, now);
  explanation.rule = derived.rule;
  explanation.signal_age = age_if_seen(session.last_signal);
  // What counts instead of an activity tells of the opening.
  const bool tells_of_opening = session.last_active == kNeverReal;
  if (!tells_of_opening) {
    explanation.activity_age = age_if_seen(session.last_activity);
  } else if (veil == nullptr || !veil->Covers(session.rest().opened_at())) {
    explanation.activity_age =
        SaturatingDifference(now.presence, session.last_activity);
  }
  explanation.idle_cap = cap_if_seen(session.Times().idle_cap_since);
  explanation.background_cap =
      cap_if_seen(session.Times().background_cap_since);
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

ReadableState::Fall ReadableState::NextFall(
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

RoomExplanation ReadableState::ExplainRoom(
    absl::string_view room, const User& user,
    absl::Span<const Session* const> open, View view, const Now& now) const {
  RoomExplanation explanation;
  explanation.room = std::string(room);
  if (!user.in_rooms) return explanation;
  const RoomTable::Place* const place = rooms_.Find(user.slot, room);
  if (place == nullptr) return explanation;
  const Membership& told = view == View::kTrue && place->truth != nullptr
                               ? place->truth->told
                               : place->told;
  if (!IsLive(told)) return explanation;
  std::vector<const Session*> there;
  for (const Session* session : open) {
    if (!place->Holds(SlotOf(*session, user))) continue;
    there.push_back(session);
    explanation.sessions.emplace_back(session->rest().id.view());
  }
  // Evaluated with the user, and so what the room is told, or is about to be.
  explanation.state = told.state.state();
  explanation.since = WallAt(told.since, now);
  explanation.cause = told.cause;
  Fall fall = NextFall(there, explanation.state, now.presence);
  explanation.next_change = NextChangeView{WallAt(fall.at, now), fall.to};
  while (IsLive(fall.to)) fall = NextFall(there, fall.to, fall.at);
  explanation.ends_at = WallAt(fall.at, now);
  return explanation;
}

}  // namespace lifesign
