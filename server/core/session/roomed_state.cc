// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/session/roomed_state.h"

#include <algorithm>
#include <utility>

#include "server/base/limits.h"
#include "server/core/signal/signal.h"

namespace lifesign {
namespace {

bool Contains(absl::Span<const absl::string_view> rooms,
              absl::string_view room) {
  return std::find(rooms.begin(), rooms.end(), room) != rooms.end();
}

// A session leaves a place. `veil`: what lies over it, mostly null.
void Leave(RoomTable::Place& place, std::uint32_t slot, const Session& session,
           DeviceClass device, State state, const Veil* veil) {
  place.sessions.erase(
      std::find(place.sessions.begin(), place.sessions.end(), slot));
  place.left.Add(device, state);
  place.times.Note(session, veil);
  if (place.truth != nullptr) place.truth->times.Note(session, nullptr);
}

// `told`, what a room was told last, becomes `actual`. True if it is to be
// told.
bool Supersede(Membership& told, Membership&& actual, const Aggregate& by_time,
               const Now& now) {
  const auto cause = CauseOfChange(told.state, actual.state, by_time);
  if (!cause.has_value() && actual.sessions == told.sessions) return false;
  actual.cause = cause.value_or(told.cause);
  actual.since =
      actual.state.state() == told.state.state() ? told.since : now.real;
  told = std::move(actual);
  return true;
}

}  // namespace

std::vector<absl::string_view> RoomedState::RoomsAfter(
    const User& user, const Session& session, const RoomChange& change) const {
  const std::uint32_t slot = SlotOf(session, user);
  std::vector<absl::string_view> rooms;
  if (user.in_rooms) {
    for (const RoomTable::Place& place : rooms_.Of(user.slot)) {
      if (place.Holds(slot) && !Contains(change.leave, place.room)) {
        rooms.push_back(place.room);
      }
    }
  }
  for (const absl::string_view room : change.join) {
    if (!Contains(rooms, room)) rooms.push_back(room);
  }
  return rooms;
}

void RoomedState::ReplaceRooms(User& user, const Session& session,
                               absl::Span<const absl::string_view> rooms,
                               const Now& now) {
  const std::uint32_t slot = SlotOf(session, user);
  if (user.in_rooms) {
    const Left left = LeftBy(session, now);
    const Veil* const veil = VeilOver(user, View::kPublic);
    for (RoomTable::Place& place : rooms_.Of(user.slot)) {
      if (!place.Holds(slot) || Contains(rooms, place.room)) continue;
      Leave(place, slot, session, left.device, left.state, veil);
    }
  }
  for (const absl::string_view room : rooms) JoinRoom(user, session, room);
}

void RoomedState::JoinRoom(User& user, const Session& session,
                           absl::string_view room) {
  const std::uint32_t slot = SlotOf(session, user);
  RoomTable::Place& place = rooms_.FindOrAdd(user.slot, room);
  if (!place.Holds(slot)) place.sessions.push_back(slot);
  user.in_rooms = true;
}

void RoomedState::LeaveRooms(User& user, const Session& session,
                             const Left& left) {
  const std::uint32_t slot = SlotOf(session, user);
  const Veil* const veil = VeilOver(user, View::kPublic);
  for (RoomTable::Place& place : rooms_.Of(user.slot)) {
    if (!place.Holds(slot)) continue;
    Leave(place, slot, session, left.device, left.state, veil);
  }
}

Membership RoomedState::MembershipOf(const User& user,
                                     const RoomTable::Place& place, View view,
                                     std::uint32_t without) const {
  const bool truly = view == View::kTrue && place.truth != nullptr;
  const Veil* const veil = VeilOver(user, view);
  RoomTable::Times times = truly ? place.truth->times : place.times;
  Membership membership;
  for (const std::uint32_t slot : place.sessions) {
    const Session& session = sessions_[slot];
    times.Note(session, veil);
    if (slot == without) continue;
    membership.state.Add(session.device, session.evaluated);
    if (IsLive(session.evaluated)) ++membership.sessions;
  }
  membership.last_seen = times.last_seen;
  membership.last_active = times.last_active;
  return membership;
}

void RoomedState::EvaluateRooms(User& user, const Now& now) {
  const Audience audience = AudienceOf(user);
  const std::string id(user.id.view());
  for (RoomTable::Place& place : rooms_.Of(user.slot)) {
    Aggregate by_time = std::exchange(place.left, Aggregate());
    for (const std::uint32_t slot : place.sessions) {
      by_time.Add(sessions_[slot].device, sessions_[slot].evaluated);
    }
    const auto replaces = std::move(place.replaces);
    const auto merged_into = std::move(place.merged_into);
    const bool merges = replaces != nullptr || merged_into != nullptr;
    const auto tell = [&](const Membership& told,
                          Audience to) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      TellRoom({place.room, id, told, replaces, merged_into, to});
    };
    if (user.veiled && place.truth == nullptr) {
      place.truth = std::make_unique<RoomTable::Truth>(
          RoomTable::Truth{place.told, place.times});
    }
    const bool is_told =
        Supersede(place.told, MembershipOf(user, place, View::kPublic), by_time,
                  now) ||
        merges;
    if (place.truth == nullptr) {
      if (is_told) tell(place.told, audience);
      continue;
    }
    const Membership& truth = place.truth->told;
    const bool truth_is_told =
        Supersede(place.truth->told, MembershipOf(user, place, View::kTrue),
                  by_time, now) ||
        merges;
    if (is_told && truth_is_told && place.told == truth) {
      tell(truth, Audience::kEverybody);
      continue;
    }
    if (truth_is_told) tell(truth, Audience::kTrue);
    if (is_told) tell(place.told, Audience::kPublic);
  }
  user.in_rooms = rooms_.DropEmpty(user.slot);
}

void RoomedState::TellRoom(MemberChange&& change) {
  // What only those are told who see through wakes nobody: see EmitHidden.
  const bool is_public = change.audience != Audience::kTrue;
  news_.members.push_back(std::move(change));
  has_room_news_.store(true, std::memory_order_relaxed);
  if (is_public) has_changes_.store(true, std::memory_order_relaxed);
}

void RoomedState::HideInRooms(User& user, User& hidden, const Now& now) {
  const Veil* const veil = VeilOver(user, View::kPublic);
  RoomTable::Places places;
  for (RoomTable::Place& shown : rooms_.Of(user.slot)) {
    RoomTable::Place place;
    place.room = shown.room;
    place.sessions = shown.sessions;
    place.left = shown.left;
    place.told = shown.truth == nullptr ? shown.told : shown.truth->told;
    place.times = shown.truth == nullptr ? shown.times : shown.truth->times;
    shown.truth.reset();
    for (const std::uint32_t slot : place.sessions) {
      const Session& session = sessions_[slot];
      const Left left = LeftBy(session, now);
      Leave(shown, slot, session, left.device, left.state, veil);
      // As a LEAVE, which is heard, does.
      if (!Ended(session, now)) {
        shown.times.last_seen = std::max(shown.times.last_seen, now.real);
      }
    }
    places.push_back(std::move(place));
  }
  rooms_.Put(hidden.slot, std::move(places));
  hidden.in_rooms = true;
}

void RoomedState::ShowInRooms(User& hidden, User& user) {
  RoomTable::Places places = rooms_.Take(hidden.slot);
  hidden.in_rooms = false;
  for (RoomTable::Place& place : places) {
    // The public was told that they left, and knows of nothing since.
    place.truth = std::make_unique<RoomTable::Truth>(
        RoomTable::Truth{std::exchange(place.told, Membership()),
                         std::exchange(place.times, RoomTable::Times())});
  }
  rooms_.Put(user.slot, std::move(places));
  user.in_rooms = true;
}

void RoomedState::DeclareIntents(User& user,
                                 absl::Span<const IntentDeclaration> intents,
                                 const Now& now) {
  if (intents.empty()) return;
  intents_.Declare(user.slot, intents, now.real);
  user.has_intents = true;
  for (const IntentDeclaration& intent : intents) {
    const bool holds = intent.expires_in > Duration::zero();
    TellIntent(
        user, intent.room, intent.target,
        holds ? SaturatingAdd(now.real, intent.expires_in) : RealTime::min());
  }
}

void RoomedState::WithdrawIntents(User& user, const Now& now) {
  user.has_intents = false;
  for (const IntentTable::Held& one : intents_.Withdraw(user.slot, now.real)) {
    TellIntent(user, one.room, one.target, RealTime::min());
  }
}

void RoomedState::TellIntent(const User& user, absl::string_view room,
                             absl::string_view target, RealTime expires_at) {
  const bool hidden = HiddenUsers::Holds(user.slot);
  news_.intents.push_back(
      {std::string(room),
       {std::string(user.id.view()), std::string(target), expires_at},
       hidden ? Audience::kTrue : Audience::kEverybody});
  has_room_news_.store(true, std::memory_order_relaxed);
  // Of who is invisible nobody is woken: see EmitHidden.
  if (!hidden) has_changes_.store(true, std::memory_order_relaxed);
}

void RoomedState::NoteReplaced(User& user, const Session& session,
                               const GuestHistory& history) {
  // That somebody invisible was that guest is told to nobody.
  if (!user.in_rooms || HiddenUsers::Holds(user.slot)) return;
  const std::uint32_t slot = SlotOf(session, user);
  for (const GuestHistory::Place& left : history.places) {
    RoomTable::Place* place = rooms_.Find(user.slot, left.room);
    if (place == nullptr || !place->Holds(slot)) continue;
    place->replaces = std::make_shared<const MemberChange::Replacement>(
        MemberChange::Replacement{history.guest, left.guest_after});
  }
}

bool RoomedState::WouldBeInTooManyRooms(const User& user,
                                        const Session& session,
                                        const OpenRequest& request) const {
  if (request.rooms != nullptr || !user.in_rooms) return false;
  const std::uint32_t slot = SlotOf(session, user);
  std::size_t rooms = request.history->places.size();
  for (const RoomTable::Place& place : rooms_.Of(user.slot)) {
    if (!place.Holds(slot)) continue;
    const bool counted = std::any_of(
        request.history->places.begin(), request.history->places.end(),
        [&](const auto& other) { return other.room == place.room; });
    if (!counted) ++rooms;
  }
  return rooms > limits::kMaxRoomsPerSession;
}

}  // namespace lifesign
