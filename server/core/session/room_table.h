// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Which sessions of a user are in which rooms, as their shard knows it.
// docs/concepts.md § 11.
#ifndef LIFESIGN_SERVER_CORE_SESSION_ROOM_TABLE_H_
#define LIFESIGN_SERVER_CORE_SESSION_ROOM_TABLE_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "server/core/availability/veil.h"
#include "server/core/reduce/reduce_user.h"
#include "server/core/room/member_change.h"
#include "server/core/session/records.h"

namespace lifesign {

// Beside the users, whom it names by their slots: who is in no room takes
// nothing of it. A user in a room takes about 150 bytes. Not thread-safe: its
// shard guards it.
class RoomTable {
 public:
  // When sessions were last heard of and active while they were there; of those
  // that are not any more.
  struct Times {
    RealTime last_seen = kNeverReal;
    RealTime last_active = kNeverReal;

    // What `veil`, which may be null, covers is left out.
    void Note(const Session& session, const Veil* veil) {
      if (veil == nullptr || !veil->Covers(session.last_seen)) {
        last_seen = std::max(last_seen, session.last_seen);
      }
      if (veil == nullptr || !veil->Covers(session.last_active)) {
        last_active = std::max(last_active, session.last_active);
      }
    }
  };
  // Of a user who was invisible, as those know it who see through.
  struct Truth {
    Membership told;
    Times times;
  };

  // A user in a room.
  struct Place {
    std::string room;
    // The slots of the sessions that are there.
    absl::InlinedVector<std::uint32_t, 2> sessions;
    // As the room was last told.
    Membership told;
    // Of sessions that were there and are not any more since the room was told,
    // as they would be had they not left.
    Aggregate left;
    // Of those and all before them.
    Times times;
    // Null: everybody knows the same.
    std::unique_ptr<Truth> truth;
    // To go with what the room is told next, which is told whatever it is.
    std::shared_ptr<const MemberChange::Replacement> replaces;
    std::shared_ptr<const std::string> merged_into;

    bool Holds(std::uint32_t session) const {
      return std::find(sessions.begin(), sessions.end(), session) !=
             sessions.end();
    }
  };
  // In the order in which they were joined.
  using Places = std::vector<Place>;

  // REQUIRES: the user is in a room, for both.
  Places& Of(std::uint32_t user) { return users_.find(user)->second; }
  const Places& Of(std::uint32_t user) const {
    return users_.find(user)->second;
  }

  // The user's place in `room`, which is made if there is none.
  Place& FindOrAdd(std::uint32_t user, absl::string_view room) {
    Places& places = users_[user];
    if (Place* place = Find(user, room)) return *place;
    places.emplace_back();
    places.back().room = std::string(room);
    return places.back();
  }

  // Null if the user is not in `room`. REQUIRES: they are in a room.
  const Place* Find(std::uint32_t user, absl::string_view room) const {
    const Places& places = Of(user);
    const auto found =
        std::find_if(places.begin(), places.end(),
                     [&](const Place& place) { return place.room == room; });
    return found == places.end() ? nullptr : &*found;
  }
  Place* Find(std::uint32_t user, absl::string_view room) {
    return const_cast<Place*>(
        static_cast<const RoomTable*>(this)->Find(user, room));
  }

  // All places of a user who is in no room; and takes them out.
  void Put(std::uint32_t user, Places&& places) {
    users_[user] = std::move(places);
  }
  // REQUIRES: the user is in a room.
  Places Take(std::uint32_t user) {
    const auto found = users_.find(user);
    Places places = std::move(found->second);
    users_.erase(found);
    return places;
  }

  // Drops the places that no session is in. False if the user is in no room any
  // more.
  bool DropEmpty(std::uint32_t user) {
    const auto found = users_.find(user);
    Places& places = found->second;
    places.erase(std::remove_if(
                     places.begin(), places.end(),
                     [](const Place& place) { return place.sessions.empty(); }),
                 places.end());
    if (!places.empty()) return true;
    users_.erase(found);
    return false;
  }

 private:
  absl::flat_hash_map<std::uint32_t, Places> users_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_SESSION_ROOM_TABLE_H_
