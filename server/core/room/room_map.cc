// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/room/room_map.h"

#include <utility>

#include "absl/hash/hash.h"
#include "server/base/limits.h"

namespace lifesign {
namespace {

constexpr std::size_t kStripes = 16;

}  // namespace

RoomMap::RoomMap(Revision epoch, RealTime start) {
  for (std::size_t i = 0; i < kStripes; ++i) {
    stripes_.push_back(std::make_unique<Stripe>(epoch, start));
  }
}

RoomMap::Stripe& RoomMap::StripeOf(absl::string_view room) {
  // The upper bits: the lower serve in the stripe's table.
  return *stripes_[(absl::Hash<absl::string_view>()(room) >> 48) % kStripes];
}

std::shared_ptr<Room> RoomMap::Find(absl::string_view room) {
  Stripe& stripe = StripeOf(room);
  MutexLock lock(stripe.mutex);
  const auto found = stripe.rooms.find(room);
  return found == stripe.rooms.end() ? nullptr : found->second;
}

std::shared_ptr<Room> RoomMap::FindOrAdd(absl::string_view room,
                                         const Now& now) {
  Stripe& stripe = StripeOf(room);
  MutexLock lock(stripe.mutex);
  std::shared_ptr<Room>& place = stripe.rooms[room];
  if (place == nullptr) {
    stripe.revisions.Watermark(now.real);
    place = std::make_shared<Room>(room, stripe.revisions);
  }
  return place;
}

void RoomMap::Apply(const std::vector<MemberChange>& changes, const Now& now) {
  std::shared_ptr<Room> room;
  for (const MemberChange& change : changes) {
    // Crowds come and go together.
    if (room == nullptr || room->id() != change.room) {
      room = FindOrAdd(change.room, now);
    }
    Room::Outcome outcome = room->Apply(change, now);
    while (outcome == Room::Outcome::kClosed) {
      room = FindOrAdd(change.room, now);
      outcome = room->Apply(change, now);
    }
    if (outcome == Room::Outcome::kEmptied) NoteEmptied(room, now);
  }
}

Occupancy RoomMap::GetOccupancy(absl::string_view room, const Now& now) {
  if (const std::shared_ptr<Room> found = Find(room)) {
    return found->GetOccupancy(now);
  }
  Occupancy nobody;
  Stripe& stripe = StripeOf(room);
  MutexLock lock(stripe.mutex);
  nobody.revision = stripe.revisions.Watermark(now.real);
  return nobody;
}

void RoomMap::NoteEmptied(std::shared_ptr<Room> room, const Now& now) {
  MutexLock lock(emptied_mutex_);
  if (std::exchange(room->awaits_closing, true)) return;
  emptied_.push_back({now.real, std::move(room)});
}

Room::Closing RoomMap::Close(Room& room, bool forgetting, const Now& now) {
  Stripe& stripe = StripeOf(room.id());
  // Both at once: nobody finds a room that is closed.
  MutexLock lock(stripe.mutex);
  const Room::Closing closing = room.Close(forgetting, now);
  if (closing == Room::Closing::kClosed) {
    stripe.revisions.Raise(room.last_revision());
    stripe.rooms.erase(room.id());
  }
  return closing;
}

void RoomMap::Tick(const Now& now) {
  MutexLock lock(emptied_mutex_);
  for (int i = 0; i < limits::kRoomsClosedPerTick && !emptied_.empty(); ++i) {
    const bool too_many = emptied_.size() > limits::kMaxEmptiedRooms;
    if (!too_many &&
        now.real - emptied_.front().since < kOccupancyWindows.back()) {
      return;
    }
    Emptied oldest = std::move(emptied_.front());
    emptied_.pop_front();
    switch (Close(*oldest.room, too_many, now)) {
      case Room::Closing::kClosed:
        break;
      case Room::Closing::kInUse:
        oldest.room->awaits_closing = false;
        break;
      case Room::Closing::kRemembered:
        // It filled and emptied again meanwhile.
        oldest.since = now.real;
        emptied_.push_back(std::move(oldest));
        break;
    }
  }
}

std::size_t RoomMap::size() const {
  std::size_t size = 0;
  for (const auto& stripe : stripes_) {
    MutexLock lock(stripe->mutex);
    size += stripe->rooms.size();
  }
  return size;
}

}  // namespace lifesign
