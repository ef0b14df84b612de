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
#include "absl/container/btree_set.h"
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
// Thread-safe. Lock order: emptied rooms, then a stripe, then a room; visits
// are a leaf.
class RoomMap {
 public:
  RoomMap(Revision epoch, RealTime start, Room::Encoders encoders);

  // Tells rooms of their members, and of what these want. By one thread at a
  // time.
  void Apply(const RoomNews& news, const Now& now,
             const Room::EncodeChange& encode, Room::ToWake& to_wake);

  bool Holds(absl::string_view room) const;
  // If `room` is not held, it is from now on: what it is among `others`, where
  // its watches stay.
  void Copy(RoomMap& others, absl::string_view room, const Now& now);

  // Of a room that nobody is in, too. O(changes in the last quarter of an
  // hour), at most 900.
  Occupancy GetOccupancy(absl::string_view room, const Now& now);
  // See Room.
  std::vector<IntentView> IntentsTowards(absl::string_view room,
                                         absl::string_view target,
                                         const Now& now);
  // The newest revision of the room; of one that is not held, none below those
  // that it had.
  Revision LastRevisionOf(absl::string_view room);

  // See Room. What is not held is made, and remembers nothing.
  Room::Copied CopyAndRegister(absl::string_view room,
                               const std::shared_ptr<Watch>& watch,
                               Revision since, const Now& now,
                               std::vector<PresenceRecord>& records,
                               Revision& leads_to);
  bool Remembers(absl::string_view room, Revision since);
  // Returns the revision that `watch` is told of at first.
  Revision RegisterForOccupancy(absl::string_view room,
                                const std::shared_ptr<Watch>& watch,
                                const Now& now);
  Revision RegisterForIntents(absl::string_view room,
                              const std::shared_ptr<Watch>& watch,
                              absl::string_view target, const Now& now);
  void Unregister(absl::string_view room, const Watch& watch);

  // See Room. What is not held is made.
  void TellAndRegister(const std::shared_ptr<Await>& await,
                       std::size_t predicate, const Now& now);
  void Unregister(absl::string_view room, const Await& await);

  // See Room. Of one that is not held nobody is listed.
  bool ListMembers(absl::string_view room, StateSet states,
                   std::uint32_t most_passed, std::size_t most, Revision& begun,
                   Revision& after, const Now& now,
                   std::vector<PresenceRecord>& records);

  // Visits rooms of which something is due, and drops those that are not needed
  // any more, at most limits::kRoomsClosedPerTick. To be called every tick, by
  // one thread.
  void Tick(const Now& now, Room::ToWake& to_wake);

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
  struct Visit {
    RealTime at;
    // A room is not kept for its visit.
    std::weak_ptr<Room> room;

    // The next one first.
    friend bool operator<(const Visit& a, const Visit& b) {
      if (a.at != b.at) return a.at < b.at;
      return a.room.owner_before(b.room);
    }
  };
  // When to look whether it is to be forgotten.
  struct Emptied {
    RealTime due;
    std::shared_ptr<Room> room;
  };

  Stripe& StripeOf(absl::string_view room) const;
  std::shared_ptr<Room> Find(absl::string_view room);
  std::shared_ptr<Room> FindOrAdd(absl::string_view room, const Now& now);
  // Calls `tell(room)` for the room, which is made if it is not held.
  template <typename Word>
  void ApplyTo(absl::string_view id, const Now& now, const Word& tell,
               std::shared_ptr<Room>& last);
  void NoteEmptied(std::shared_ptr<Room> room, RealTime due);
  // Sees to it that the room is visited then, if not before.
  void ExpectVisit(const std::shared_ptr<Room>& room, RealTime at);
  // There is nothing to visit of a room that is closed, now or later.
  void ExpectNoVisit(const std::shared_ptr<Room>& room);
  void VisitThoseDue(const Now& now, Room::ToWake& to_wake);
  void CloseThoseForgotten(const Now& now);
  Room::Closing Close(const std::shared_ptr<Room>& room, bool forgetting,
                      const Now& now);

  const Room::Encoders encoders_;

  // Synchronised by themselves.
  std::vector<std::unique_ptr<Stripe>> stripes_;

  mutable Mutex emptied_mutex_;  // before the stripes
  // In the order in which they emptied; some may have filled again.
  std::deque<Emptied> emptied_ ABSL_GUARDED_BY(emptied_mutex_);

  Mutex visits_mutex_;  // a leaf
  // At most one for each room, at its Room::visit_at.
  absl::btree_set<Visit> visits_ ABSL_GUARDED_BY(visits_mutex_);
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_ROOM_ROOM_MAP_H_
