// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Rooms, and guests who turn out to be users. docs/concepts.md § 11.
#include <utility>

#include "server/core/presence_engine.h"

namespace lifesign {

Occupancy PresenceEngine::GetOccupancy(absl::string_view room, const Now& now,
                                       View view) {
  return rooms_.GetOccupancy(room, view, now);
}

std::vector<IntentView> PresenceEngine::IntentsTowards(absl::string_view room,
                                                       absl::string_view target,
                                                       const Now& now,
                                                       View view) {
  return rooms_.IntentsTowards(room, target, view, now);
}

// --- Watches ---

Room::Copied PresenceEngine::CopyRoomAndRegister(
    const std::shared_ptr<Watch>& watch, absl::string_view room, Revision since,
    const Now& now, std::vector<PresenceRecord>& records, Revision& leads_to) {
  return rooms_.CopyAndRegister(room, watch, since, now, records, leads_to);
}

bool PresenceEngine::RoomRemembers(absl::string_view room, Revision since,
                                   View view) {
  return rooms_.Remembers(room, view, since);
}

Revision PresenceEngine::WatchOccupancy(const std::shared_ptr<Watch>& watch,
                                        absl::string_view room,
                                        const Now& now) {
  return rooms_.RegisterForOccupancy(room, watch, now);
}

Revision PresenceEngine::WatchIntents(const std::shared_ptr<Watch>& watch,
                                      absl::string_view room,
                                      absl::string_view target,
                                      const Now& now) {
  return rooms_.RegisterForIntents(room, watch, target, now);
}

void PresenceEngine::UnregisterFromRoom(const Watch& watch,
                                        absl::string_view room) {
  rooms_.Unregister(room, watch);
}

Revision PresenceEngine::LastRevisionOfRoom(absl::string_view room, View view) {
  return rooms_.LastRevisionOf(room, view);
}

void PresenceEngine::TickRooms(const Now& now) {
  ToWake to_wake;
  rooms_.Tick(now, to_wake);
  // Here and not by the publisher: a crowd that is told how many there are must
  // not keep the changes of others waiting.
  to_wake.WakeAll();
}

// --- Guests ---

OpenOutcome PresenceEngine::OpenForGuest(const OpenRequest& request,
                                         const Now& now) {
  const SessionName guest = {request.guest, request.name.session};
  const SessionMap::Place from = map_.Find(guest.user);
  const absl::optional<GuestHistory> history =
      from.shard.PrepareMerge(guest, from.hash, now);
  Announce(from.shard);
  OpenRequest with_history = request;
  // To whoever looks, a guest who is invisible has left.
  if (history.has_value() && !history->hidden) with_history.history = &*history;
  const SessionMap::Place place = map_.Find(request.name.user);
  const OpenOutcome outcome = place.shard.Open(with_history, place.hash, now);
  Announce(place.shard);
  if (!history.has_value()) return outcome;
  if (!outcome.ok()) {
    from.shard.CallOffMerge(guest, from.hash);
    return outcome;
  }
  if (outcome.hidden || history->hidden) {
    // Whom somebody invisible was, or a guest who is, nobody is told: what
    // there is to see is that a session leaves.
    from.shard.FinishMerge(guest, from.hash, {}, nullptr, now);
    Announce(from.shard);
    return outcome;
  }
  Merge merge = {std::string(guest.user),
                 std::string(guest.session),
                 std::make_shared<const std::string>(request.name.user),
                 {}};
  for (const GuestHistory::Place& left : history->places) {
    merge.rooms.push_back(left.room);
  }
  {
    // Not before the user's own change was put on its way: whoever takes this
    // has that told first.
    MutexLock lock(merges_mutex_);
    merges_.push_back(std::move(merge));
  }
  AnnounceChanges();
  return outcome;
}

std::vector<PresenceEngine::Merge> PresenceEngine::TakeMerges() {
  MutexLock lock(merges_mutex_);
  return std::exchange(merges_, {});
}

void PresenceEngine::FinishMerge(const Merge& merge, const Now& now,
                                 const Encode& encode, ToWake& to_wake) {
  const SessionMap::Place from = map_.Find(merge.guest);
  from.shard.FinishMerge({merge.guest, merge.session}, from.hash, merge.rooms,
                         merge.into, now);
  PublishShard(from.shard, now, encode, to_wake);
}

}  // namespace lifesign
