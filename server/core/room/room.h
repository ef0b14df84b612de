// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// One room: who is there, and how many. docs/concepts.md § 11.
#ifndef LIFESIGN_SERVER_CORE_ROOM_ROOM_H_
#define LIFESIGN_SERVER_CORE_ROOM_ROOM_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "server/base/mutex.h"
#include "server/core/presence_state.h"
#include "server/core/room/member_change.h"
#include "server/core/room/occupancy.h"
#include "server/core/time.h"
#include "server/core/watch/revision_clock.h"

namespace lifesign {

// A plain class with one lock. It knows nothing of sessions or of other rooms:
// it is told of its members by the shards, through their outboxes, and is exact
// as of what it was told. Its revisions are its own.
//
// A room that nothing is left of is closed by its RoomMap. Whoever found it
// before is refused, and finds the one that took its place.
//
// Thread-safe. Lock order: after the publisher's round (docs/architecture.md).
class Room {
 public:
  // Its revisions go on from those of `revisions`.
  Room(absl::string_view id, const RevisionClock& revisions);
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

  const std::string& id() const { return id_; }

  // What became of a change that the room was told.
  enum class Outcome {
    kClosed,  // nothing: find the room anew
    kTold,
    kEmptied,  // its last user left
  };
  // By one thread at a time, in the order of the user's changes.
  Outcome Apply(const MemberChange& change, const Now& now);

  Occupancy GetOccupancy(const Now& now) const;

  // Whether the room was closed, for good, because nobody is there; or why not.
  enum class Closing { kClosed, kInUse, kRemembered };
  // kRemembered: somebody was there in the last quarter of an hour. With
  // `forgetting` it is closed all the same.
  Closing Close(bool forgetting, const Now& now);

  Revision last_revision() const;

  // Of its RoomMap, which guards it.
  bool awaits_closing = false;

 private:
  struct Member {
    std::string user;
    Membership told;
    Revision revision = 0;
  };
  struct MemberHash {
    using is_transparent = void;
    std::size_t operator()(absl::string_view user) const;
    std::size_t operator()(const std::unique_ptr<Member>& member) const {
      return (*this)(member->user);
    }
  };
  struct MemberEq {
    using is_transparent = void;
    static absl::string_view View(absl::string_view user) { return user; }
    static absl::string_view View(const std::unique_ptr<Member>& member) {
      return member->user;
    }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return View(a) == View(b);
    }
  };

  // Counts a member, or takes them out of what is counted.
  void Count(const Membership& member, int by)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string id_;

  mutable Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  RevisionClock revisions_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<std::unique_ptr<Member>, MemberHash, MemberEq> members_
      ABSL_GUARDED_BY(mutex_);
  // Without what is lately.
  Occupancy occupancy_ ABSL_GUARDED_BY(mutex_);
  OccupancyHistory history_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_ROOM_ROOM_H_
