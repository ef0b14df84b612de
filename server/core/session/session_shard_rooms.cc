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
  if (!ChangeRooms(user, session, *declaration.rooms, now)) {
    SignalOutcome refused;
    refused.refusal = Refusal::kTooManyRooms;
    return refused;
  }
  const SignalOutcome outcome = ApplyTo(session, signal, now);
  // Also when the user stays as they are, or the signal is merged: rooms are
  // told at once.
  Evaluate(user, now);
  return outcome;
}

bool SessionShard::ChangeRooms(User& user, const Session& session,
                               const RoomChange& change, const Now& now) {
  const std::uint32_t slot = SlotOf(session, user);
  // Those that it stays in, and those that it is to join beside them.
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
  if (rooms.size() > limits::kMaxRoomsPerSession) return false;
  ReplaceRooms(user, session, rooms, now);
  return true;
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
  for (const absl::string_view room : rooms) {
    RoomTable::Place& place = rooms_.FindOrAdd(user.slot, room);
    if (!place.Holds(slot)) place.sessions.push_back(slot);
    user.in_rooms = true;
  }
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
    Membership actual;
    actual.last_seen = place.last_seen;
    actual.last_active = place.last_active;
    Aggregate by_time = std::exchange(place.left, Aggregate());
    for (const std::uint32_t slot : place.sessions) {
      const Session& session = sessions_[slot];
      actual.state.Add(session.device, session.evaluated);
      by_time.Add(session.device, session.evaluated);
      if (IsLive(session.evaluated)) ++actual.sessions;
      actual.last_seen = std::max(actual.last_seen, session.last_seen);
      actual.last_active = std::max(actual.last_active, session.last_active);
    }
    Membership& told = place.told;
    const auto cause = CauseOfChange(told.state, actual.state, by_time);
    if (!cause.has_value() && actual.sessions == told.sessions) continue;
    actual.cause = cause.value_or(told.cause);
    actual.since =
        actual.state.state() == told.state.state() ? told.since : now.real;
    told = actual;
    member_changes_.push_back(
        {place.room, std::string(user.id.view()), actual});
    has_member_changes_.store(true, std::memory_order_relaxed);
    has_changes_.store(true, std::memory_order_relaxed);
  }
  user.in_rooms = rooms_.DropEmpty(user.slot);
}

std::vector<MemberChange> SessionShard::TakeMemberChanges() {
  MutexLock lock(mutex_);
  has_member_changes_.store(false, std::memory_order_relaxed);
  return std::exchange(member_changes_, {});
}

}  // namespace lifesign
