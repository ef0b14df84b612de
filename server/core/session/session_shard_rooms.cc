// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Who of this shard is in which room. docs/concepts.md § 11.
#include <algorithm>
#include <utility>

#include "server/base/limits.h"
#include "server/core/session/session_shard.h"

namespace lifesign {
namespace {

bool Contains(absl::Span<const absl::string_view> rooms,
              absl::string_view room) {
  return std::find(rooms.begin(), rooms.end(), room) != rooms.end();
}

void Leave(RoomTable::Place& place, std::uint32_t slot, const Session& session,
           DeviceClass device, State state) {
  place.sessions.erase(
      std::find(place.sessions.begin(), place.sessions.end(), slot));
  place.left.Add(device, state);
  place.last_seen = std::max(place.last_seen, session.last_seen);
  place.last_active = std::max(place.last_active, session.last_active);
}

}  // namespace

SignalOutcome SessionShard::ApplyDeclaring(const SessionRef& ref,
                                           const Signal& signal,
                                           const Declaration& declaration,
                                           const Now& now) {
  MutexLock lock(mutex_);
  const Now held = Hold(now);
  SignalOutcome refused;
  refused.refusal = Refusal::kSessionNotOpen;
  if (!sessions_.Has(ref.slot)) return refused;
  Session& session = sessions_[ref.slot];
  if (session.attachment != ref.attachment || !session.Has(kAttached) ||
      Ended(session, held)) {
    return refused;
  }
  return ApplyDeclared(session, signal, declaration, held);
}

SignalOutcome SessionShard::ApplyDeclared(Session& session,
                                          const Signal& signal,
                                          const Declaration& declaration,
                                          const Now& now) {
  User& user = users_[session.rest().user];
  SignalOutcome refused;
  std::vector<absl::string_view> rooms;
  if (declaration.rooms != nullptr) {
    rooms = RoomsAfter(user, session, *declaration.rooms);
    if (rooms.size() > limits::kMaxRoomsPerSession) {
      refused.refusal = Refusal::kTooManyRooms;
      return refused;
    }
  }
  if (!declaration.intents.empty()) {
    if (!intents_.Declare(user.slot, declaration.intents, now.real)) {
      refused.refusal = Refusal::kTooManyIntents;
      return refused;
    }
    user.has_intents = true;
  }
  if (declaration.rooms != nullptr) ReplaceRooms(user, session, rooms, now);
  const SignalOutcome outcome = ApplyTo(session, signal, now);
  // Also when the user stays as they are, or the signal is merged: rooms are
  // told at once.
  Evaluate(user, now);
  for (const IntentDeclaration& intent : declaration.intents) {
    const bool holds = intent.expires_in > Duration::zero();
    TellIntent(
        user, intent.room, intent.target,
        holds ? SaturatingAdd(now.real, intent.expires_in) : RealTime::min());
  }
  return outcome;
}

void SessionShard::WithdrawIntents(User& user, const Now& now) {
  user.has_intents = false;
  for (const IntentTable::Held& one : intents_.Withdraw(user.slot, now.real)) {
    TellIntent(user, one.room, one.target, RealTime::min());
  }
}

void SessionShard::TellIntent(const User& user, absl::string_view room,
                              absl::string_view target, RealTime expires_at) {
  news_.intents.push_back(
      {std::string(room),
       {std::string(user.id.view()), std::string(target), expires_at}});
  has_room_news_.store(true, std::memory_order_relaxed);
  has_changes_.store(true, std::memory_order_relaxed);
}

std::vector<absl::string_view> SessionShard::RoomsAfter(
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

void SessionShard::ReplaceRooms(User& user, const Session& session,
                                absl::Span<const absl::string_view> rooms,
                                const Now& now) {
  const std::uint32_t slot = SlotOf(session, user);
  if (user.in_rooms) {
    const Left left = LeftBy(session, now);
    for (RoomTable::Place& place : rooms_.Of(user.slot)) {
      if (!place.Holds(slot) || Contains(rooms, place.room)) continue;
      lifesign::Leave(place, slot, session, left.device, left.state);
    }
  }
  for (const absl::string_view room : rooms) JoinRoom(user, session, room);
}

void SessionShard::JoinRoom(User& user, const Session& session,
                            absl::string_view room) {
  const std::uint32_t slot = SlotOf(session, user);
  RoomTable::Place& place = rooms_.FindOrAdd(user.slot, room);
  if (!place.Holds(slot)) place.sessions.push_back(slot);
  user.in_rooms = true;
}

Membership SessionShard::MembershipOf(const RoomTable::Place& place,
                                      std::uint32_t without) const {
  Membership membership;
  membership.last_seen = place.last_seen;
  membership.last_active = place.last_active;
  for (const std::uint32_t slot : place.sessions) {
    const Session& session = sessions_[slot];
    membership.last_seen = std::max(membership.last_seen, session.last_seen);
    membership.last_active =
        std::max(membership.last_active, session.last_active);
    if (slot == without) continue;
    membership.state.Add(session.device, session.evaluated);
    if (IsLive(session.evaluated)) ++membership.sessions;
  }
  return membership;
}

void SessionShard::LeaveRooms(User& user, const Session& session,
                              const Left& left) {
  const std::uint32_t slot = SlotOf(session, user);
  for (RoomTable::Place& place : rooms_.Of(user.slot)) {
    if (!place.Holds(slot)) continue;
    lifesign::Leave(place, slot, session, left.device, left.state);
  }
}

void SessionShard::EvaluateRooms(User& user, const Now& now) {
  for (RoomTable::Place& place : rooms_.Of(user.slot)) {
    Membership actual = MembershipOf(place);
    Aggregate by_time = std::exchange(place.left, Aggregate());
    for (const std::uint32_t slot : place.sessions) {
      by_time.Add(sessions_[slot].device, sessions_[slot].evaluated);
    }
    Membership& told = place.told;
    const auto cause = CauseOfChange(told.state, actual.state, by_time);
    if (!cause.has_value() && actual.sessions == told.sessions &&
        place.replaces == nullptr && place.merged_into == nullptr) {
      continue;
    }
    actual.cause = cause.value_or(told.cause);
    actual.since =
        actual.state.state() == told.state.state() ? told.since : now.real;
    told = actual;
    TellRoom({place.room, std::string(user.id.view()), actual,
              std::move(place.replaces), std::move(place.merged_into)});
  }
  user.in_rooms = rooms_.DropEmpty(user.slot);
}

void SessionShard::TellRoom(MemberChange&& change) {
  news_.members.push_back(std::move(change));
  has_room_news_.store(true, std::memory_order_relaxed);
  has_changes_.store(true, std::memory_order_relaxed);
}

RoomNews SessionShard::TakeRoomNews() {
  MutexLock lock(mutex_);
  has_room_news_.store(false, std::memory_order_relaxed);
  return std::exchange(news_, RoomNews());
}

}  // namespace lifesign
