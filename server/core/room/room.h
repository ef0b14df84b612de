// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// One room: who is there, and how many. docs/concepts.md § 11.
#ifndef LIFESIGN_SERVER_CORE_ROOM_ROOM_H_
#define LIFESIGN_SERVER_CORE_ROOM_ROOM_H_

#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/base/mutex.h"
#include "server/core/query/room_awaits.h"
#include "server/core/room/intent.h"
#include "server/core/room/intent_watches.h"
#include "server/core/room/member_change.h"
#include "server/core/room/occupancy.h"
#include "server/core/time.h"
#include "server/core/to_wake.h"
#include "server/core/watch/change.h"
#include "server/core/watch/revision_clock.h"
#include "server/core/watch/watch.h"

namespace lifesign {

// A plain class with one lock. It knows nothing of sessions or of other rooms:
// it is told of its members by the shards, through their outboxes, and is exact
// as of what it was told. Its revisions are its own.
//
// It keeps a log: its members in the order of their last change, those who left
// included for limits::kDepartedKept. Once nobody is there, nobody is in the
// log either.
//
// A room that nothing is left of is closed by its RoomMap. Whoever found it
// before is refused, and finds the one that took its place.
//
// Thread-safe. Lock order: a room, then a watch or an await
// (docs/architecture.md).
class Room {
 public:
  using EncodeChange = ChangeEncoder;
  // Makes the bytes that those who watch the same of a room share.
  struct Encoders {
    // How many there are.
    std::function<std::shared_ptr<const void>(absl::string_view room,
                                              const Occupancy&)>
        occupancy;
    // Who wants to reach somebody there.
    std::function<std::shared_ptr<const void>(absl::string_view room,
                                              absl::Span<const IntentView>)>
        intents;
  };

  // Its revisions go on from those of `revisions`. `encoders` outlive it.
  Room(absl::string_view id, const RevisionClock& revisions,
       const Encoders& encoders);
  ~Room();
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

  // One that is told of other things from here on, and has no watches: for
  // those who see through. Its revisions go on from both `revisions` and its
  // own; of what changed before it remembers nothing.
  std::shared_ptr<Room> Copy(const RevisionClock& revisions,
                             const Encoders& encoders, const Now& now) const;

  const std::string& id() const { return id_; }

  // --- What it is told ---

  using ToWake = lifesign::ToWake;
  struct Outcome {
    // Nothing was done: find the room anew.
    bool closed = false;
    // Nobody is there any more.
    bool emptied = false;
    // When it is to be visited at latest; RealTime::max() if never.
    RealTime visit_at = RealTime::max();
  };
  // By one thread at a time, in the order of the user's changes.
  Outcome Apply(const MemberChange& change, const Now& now,
                const EncodeChange& encode, ToWake& to_wake);

  // Takes what a user wants. By one thread at a time.
  Outcome Apply(const Intent& intent, const Now& now, ToWake& to_wake);

  // Does what is due: forgets who left long ago and what they wanted, and tells
  // how many there are if that had to wait.
  Outcome Visit(const Now& now, ToWake& to_wake);

  // --- Reads ---

  Occupancy GetOccupancy(const Now& now) const;
  // Who wants to reach `target`; nobody, as long as they are not there.
  std::vector<IntentView> IntentsTowards(absl::string_view target,
                                         const Now& now) const;
  Revision last_revision() const;

  // Appends the records of those members whom `states` tells of, in the order
  // in which they came: who came after `after`, and not after the listing
  // `begun`, which begins now if that is 0. Passes at most `most_passed`,
  // moving `after` on, and appends at most `most` of them. Returns whether
  // there may be more. Who goes and comes again has come anew.
  bool ListMembers(StateSet states, std::uint32_t most_passed, std::size_t most,
                   Revision& begun, Revision& after, const Now& now,
                   std::vector<PresenceRecord>& records) const;

  // --- Watches. See Selection for what these are for. ---

  enum class Copied : std::uint8_t {
    kClosed,     // nothing: find the room anew
    kTooLarge,   // more users than limits::kMaxWatchedMembers
    kCompacted,  // who changed since is not in the log, or too many are
    kCopied,
  };
  // Appends the records of those who are live and in a state of interest, or,
  // if `since` is not 0, of those who changed after it; opens the mailbox of
  // `watch` and registers it for all that is newer than `leads_to`. If nothing
  // was copied it is registered for nothing.
  Copied CopyAndRegister(const std::shared_ptr<Watch>& watch, Revision since,
                         const Now& now, std::vector<PresenceRecord>& records,
                         Revision& leads_to);
  // Whoever changed after `since` is in the log.
  bool Remembers(Revision since) const;
  // Leaves how many there are with `watch`, now and after each change. False if
  // the room is closed.
  bool RegisterForOccupancy(const std::shared_ptr<Watch>& watch, const Now& now,
                            Revision& leads_to);
  // Likewise, who wants to reach `target`.
  bool RegisterForIntents(const std::shared_ptr<Watch>& watch,
                          absl::string_view target, const Now& now,
                          Revision& leads_to);
  // Returns whether nobody is there, and nobody is wanted there.
  bool Unregister(const Watch& watch);

  // --- Awaits ---

  // Tells predicate `predicate` of `await`, which is over this room, what holds
  // now, and registers it for each change. False if the room is closed.
  bool TellAndRegister(const std::shared_ptr<Await>& await,
                       std::size_t predicate, const Now& now);
  // As for a watch.
  bool Unregister(const Await& await);

  // --- Its end ---

  // Whether the room was closed, for good, because nobody is there; or why not.
  enum class Closing : std::uint8_t { kClosed, kInUse, kRemembered };
  // kRemembered: somebody was there in the last quarter of an hour. With
  // `forgetting` it is closed all the same.
  Closing Close(bool forgetting, const Now& now);

  // --- Of its RoomMap, which guards them ---

  bool awaits_closing = false;
  RealTime visit_at = RealTime::max();

 private:
  using Hook = boost::intrusive::list_member_hook<
      boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

  struct Member {
    std::string user;
    Membership told;
    Revision revision = 0;
    // With which change they came. One that is live is in by_coming_.
    Revision came_at = 0;
    RealTime departed_at{};
    // A guest whose session has gone over, while what comes of them is of
    // before; and to whom, unless other sessions of theirs are there.
    bool merging = false;
    std::shared_ptr<const std::string> merged_into;
    Hook in_log;
    Hook in_departed;
  };
  template <Hook Member::*kHook>
  using List =
      boost::intrusive::list<Member,
                             boost::intrusive::member_hook<Member, Hook, kHook>,
                             boost::intrusive::constant_time_size<false>>;

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

  Member& FindOrAdd(absl::string_view user)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes what is told of a member, and tells it.
  void Update(Member& member, const Membership& told, const Now& now,
              const EncodeChange& encode, ToWake& to_wake)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // How many are still counted when the user of `change` has come in, and leave
  // in the same step: the guest whom they replace, or nobody.
  int AboutToLeave(const MemberChange& change) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes a guest out for whom the user has come in.
  void Replace(const MemberChange& change, const Now& now,
               const EncodeChange& encode, ToWake& to_wake)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes what is told of a member, and counts anew.
  void Take(Member& member, const Membership& told, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Count(const Membership& member, int by)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  PresenceRecord RecordOf(const Member& member, const Now& now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TellMembers(Change&& change, const EncodeChange& encode, ToWake& to_wake)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // At once, or when it is visited.
  void TellOccupancy(const Now& now, ToWake& to_wake)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // To whoever watches for `target`, if there is anybody.
  void TellIntents(absl::string_view target, const Now& now, ToWake& to_wake)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<IntentView> Towards(absl::string_view target,
                                  const Now& now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsThere(absl::string_view user) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Occupancy OccupancyAt(const Now& now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetDeparted(Member& member) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetAllDeparted() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetDepartedOf(const Now& now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsEmpty() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  RealTime NextVisit() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string id_;
  const Encoders& encoders_;

  mutable Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  RevisionClock revisions_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<std::unique_ptr<Member>, MemberHash, MemberEq> members_
      ABSL_GUARDED_BY(mutex_);
  absl::btree_map<Revision, const Member*> by_coming_ ABSL_GUARDED_BY(mutex_);
  // All members, by their last change; those of them who left, likewise.
  List<&Member::in_log> log_ ABSL_GUARDED_BY(mutex_);
  List<&Member::in_departed> departed_ ABSL_GUARDED_BY(mutex_);
  int departed_count_ ABSL_GUARDED_BY(mutex_) = 0;
  // Whoever changed after it is in the log.
  Revision forgotten_up_to_ ABSL_GUARDED_BY(mutex_);
  // Without what is lately.
  Occupancy occupancy_ ABSL_GUARDED_BY(mutex_);
  OccupancyHistory history_ ABSL_GUARDED_BY(mutex_);
  // While a change is applied; else 0.
  int about_to_leave_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<WatchRef> of_members_ ABSL_GUARDED_BY(mutex_);
  std::vector<WatchRef> of_occupancy_ ABSL_GUARDED_BY(mutex_);
  IntentWatches of_intents_ ABSL_GUARDED_BY(mutex_);
  Intents intents_ ABSL_GUARDED_BY(mutex_);
  RoomAwaits awaits_ ABSL_GUARDED_BY(mutex_);
  RealTime occupancy_told_at_ ABSL_GUARDED_BY(mutex_) = RealTime::min();
  // How many there are has changed, and was not told.
  bool occupancy_waits_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_ROOM_ROOM_H_
