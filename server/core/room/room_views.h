// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Rooms, as each view shows them. docs/concepts.md §§ 11, 13,
// docs/threat-model.md.
#ifndef LIFESIGN_SERVER_CORE_ROOM_ROOM_VIEWS_H_
#define LIFESIGN_SERVER_CORE_ROOM_ROOM_VIEWS_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "server/base/mutex.h"
#include "server/core/availability/veil.h"
#include "server/core/query/await.h"
#include "server/core/room/member_change.h"
#include "server/core/room/occupancy.h"
#include "server/core/room/room.h"
#include "server/core/room/room_map.h"
#include "server/core/time.h"
#include "server/core/watch/change.h"
#include "server/core/watch/watch.h"

namespace lifesign {

// All rooms as everybody sees them; and once more, as those see them who see
// through, the few of which that is something else or has been, or that they
// watch. Such a second one begins as a copy, and stays until it is emptied and
// forgotten. What everybody sees, revisions and bounds included, is what it
// would be if there were no second ones.
//
// Thread-safe. Lock order: its own, then those of the maps.
class RoomViews {
 public:
  RoomViews(Revision epoch, RealTime start, const Room::Encoders& encoders);

  // See RoomMap. What is of a watch or an await is as that may see it.
  void Apply(const RoomNews& news, const Now& now,
             const Room::EncodeChange& encode, Room::ToWake& to_wake);
  Occupancy GetOccupancy(absl::string_view room, View view, const Now& now) {
    return Of(view, room).GetOccupancy(room, now);
  }
  std::vector<IntentView> IntentsTowards(absl::string_view room,
                                         absl::string_view target, View view,
                                         const Now& now) {
    return Of(view, room).IntentsTowards(room, target, now);
  }
  Revision LastRevisionOf(absl::string_view room, View view) {
    return Of(view, room).LastRevisionOf(room);
  }
  Room::Copied CopyAndRegister(absl::string_view room,
                               const std::shared_ptr<Watch>& watch,
                               Revision since, const Now& now,
                               std::vector<PresenceRecord>& records,
                               Revision& leads_to) {
    return ToTell(watch->terms().view, room, now)
        .CopyAndRegister(room, watch, since, now, records, leads_to);
  }
  bool Remembers(absl::string_view room, View view, Revision since) {
    return MapOf(view).Remembers(room, since);
  }
  Revision RegisterForOccupancy(absl::string_view room,
                                const std::shared_ptr<Watch>& watch,
                                const Now& now) {
    return ToTell(watch->terms().view, room, now)
        .RegisterForOccupancy(room, watch, now);
  }
  Revision RegisterForIntents(absl::string_view room,
                              const std::shared_ptr<Watch>& watch,
                              absl::string_view target, const Now& now) {
    return ToTell(watch->terms().view, room, now)
        .RegisterForIntents(room, watch, target, now);
  }
  void Unregister(absl::string_view room, const Watch& watch) {
    MapOf(watch.terms().view).Unregister(room, watch);
  }
  void TellAndRegister(const std::shared_ptr<Await>& await,
                       std::size_t predicate, const Now& now) {
    const AwaitTerms& terms = await->terms();
    ToTell(terms.view, terms.predicates[predicate].place->room, now)
        .TellAndRegister(await, predicate, now);
  }
  void Unregister(absl::string_view room, const Await& await) {
    MapOf(await.terms().view).Unregister(room, await);
  }
  bool ListMembers(absl::string_view room, View view, StateSet states,
                   std::uint32_t most_passed, std::size_t most, Revision& begun,
                   Revision& after, const Now& now,
                   std::vector<PresenceRecord>& records) {
    return Of(view, room)
        .ListMembers(room, states, most_passed, most, begun, after, now,
                     records);
  }
  void Tick(const Now& now, Room::ToWake& to_wake) {
    shown_.Tick(now, to_wake);
    truths_.Tick(now, to_wake);
  }
  // Of both.
  std::size_t size() const { return shown_.size() + truths_.size(); }

 private:
  RoomMap& MapOf(View view) { return view == View::kTrue ? truths_ : shown_; }
  // Where `view` finds the room.
  RoomMap& Of(View view, absl::string_view room) {
    return view == View::kTrue && truths_.Holds(room) ? truths_ : shown_;
  }
  // Where who is told what `view` shows is to be registered for the room.
  RoomMap& ToTell(View view, absl::string_view room, const Now& now);
  // From here on the two may be told different things.
  void Split(absl::string_view room, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Synchronised by themselves.
  RoomMap shown_;
  RoomMap truths_;

  // Held while both are told the same: nobody copies one of them meanwhile.
  Mutex mutex_;
  // Whether there may be a second room.
  bool has_truths_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_ROOM_ROOM_VIEWS_H_
