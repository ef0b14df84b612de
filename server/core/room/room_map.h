// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// All rooms that somebody is in. docs/concepts.md § 11.
#ifndef LIFESIGN_SERVER_CORE_ROOM_ROOM_MAP_H_
#define LIFESIGN_SERVER_CORE_ROOM_ROOM_MAP_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "server/base/mutex.h"
#include "server/core/room/member_change.h"
#include "server/core/room/occupancy.h"
#include "server/core/room/room.h"
#include "server/core/time.h"
#include "server/core/watch/revision_clock.h"

namespace lifesign {

// Finds a room by its name, and makes and drops rooms. Every name is a room; a
// Room is held only of those that somebody is in, and, with nothing but how
// many were there, for a quarter of an hour after that, of
// limits::kMaxEmptiedRooms at most.
//
// Thread-safe. Lock order: emptied rooms, then a stripe, then a room.
class RoomMap {
 public:
  RoomMap(Revision epoch, RealTime start);

  // Tells rooms of their members. By one thread at a time.
  void Apply(const std::vector<MemberChange>& changes, const Now& now);

  // Of a room that nobody is in, too. O(changes in the last quarter of an
  // hour), at most 900.
  Occupancy GetOccupancy(absl::string_view room, const Now& now);

  // Drops what is not needed any more: at most
  // limits::kRoomsClosedPerTick rooms. To be called every tick.
  void Tick(const Now& now);

  // Rooms held.
  std::size_t size() const;

 private:
  struct alignas(64) Stripe {
    mutable Mutex mutex;
    absl::flat_hash_map<std::string, std::shared_ptr<Room>> rooms
        ABSL_GUARDED_BY(mutex);
    // Above those of the rooms that were dropped.
    RevisionClock revisions ABSL_GUARDED_BY(mutex);

    Stripe(Revision epoch, RealTime start) : revisions(epoch, start) {}
  };
  // Since when nobody is in it.
  struct Emptied {
    RealTime since;
    std::shared_ptr<Room> room;
  };

  Stripe& StripeOf(absl::string_view room);
  std::shared_ptr<Room> Find(absl::string_view room);
  std::shared_ptr<Room> FindOrAdd(absl::string_view room, const Now& now);
  void NoteEmptied(std::shared_ptr<Room> room, const Now& now);
  Room::Closing Close(Room& room, bool forgetting, const Now& now);

  // Synchronised by themselves.
  std::vector<std::unique_ptr<Stripe>> stripes_;

  mutable Mutex emptied_mutex_;  // before the stripes
  // In the order of `since`; some may have filled again.
  std::deque<Emptied> emptied_ ABSL_GUARDED_BY(emptied_mutex_);
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_ROOM_ROOM_MAP_H_
