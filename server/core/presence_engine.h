// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Presence as a whole: sessions in, changes out. The only place where the
// stages are joined (docs/architecture.md, "the way of a signal").
#ifndef LIFESIGN_SERVER_CORE_PRESENCE_ENGINE_H_
#define LIFESIGN_SERVER_CORE_PRESENCE_ENGINE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "server/base/limits.h"
#include "server/base/mutex.h"
#include "server/core/derive/confidence.h"
#include "server/core/policy/policy.h"
#include "server/core/query/await.h"
#include "server/core/query/counts_by_view.h"
#include "server/core/query/list.h"
#include "server/core/query/presence_counts.h"
#include "server/core/query/views.h"
#include "server/core/room/occupancy.h"
#include "server/core/room/room_views.h"
#include "server/core/session/outcome.h"
#include "server/core/session/session_map.h"
#include "server/core/session/silence_watch.h"
#include "server/core/signal/signal.h"
#include "server/core/time.h"
#include "server/core/to_wake.h"
#include "server/core/watch/change.h"
#include "server/core/watch/watch.h"

namespace lifesign {

// What a tick did.
struct TickReport {
  // Deadlines handled.
  int deadlines = 0;
  // The age of the oldest deadline handled: how late time was told.
  Duration worst_lag{0};
  // Open sessions, and those of them that fell STALE within the last
  // limits::kMassSilenceWindow.
  std::int64_t sessions = 0;
  std::int64_t fell_silent = 0;
  // Set on the tick at which more than limits::kMassSilencePercent of the
  // sessions have fallen silent together; not again until they have not.
  bool mass_silence = false;
};

// Knows no gRPC, starts no thread, has no clock: every call brings `Now`.
// Inputs are validated before (server/core/signal/text_rules.h, the codec);
// nothing is called while a lock is held.
//
// Thread-safe. Lock order: see docs/architecture.md.
class PresenceEngine {
 public:
  struct Options {
    // REQUIRES: ValidatePolicy finds nothing.
    Policy policy;
    // Lock stripes; 1 to 4,096.
    int shards = 16;
    // Revisions of this run lie above it: the wall time at the start, in µs.
    Revision epoch = 0;
    // Secret of this run: which shard and bucket a user falls into.
    std::uint64_t hash_seed = 0;
    int max_sessions_per_user = limits::kMaxSessionsPerUser;
    std::int64_t max_retained_users = limits::kMaxRetainedUsers;
    std::int64_t max_declared_availabilities =
        limits::kMaxDeclaredAvailabilities;
    // Called, with no lock held and on any thread that is in a call, when there
    // is something to publish and had been nothing. May be empty.
    std::function<void()> on_changes;
    // May be empty if nobody watches rooms.
    Room::Encoders encode_rooms;
  };
  using Encode = ChangeEncoder;

  PresenceEngine(Options options, const Now& start);

  // --- Signals (docs/concepts.md §§ 4, 5) ---

  // Begins or resumes a session and binds it. On a refusal nothing changed.
  OpenOutcome Open(const OpenRequest& request, const Now& now);

  // A signal of a stream. kSessionNotOpen: `ref` is not current any more (its
  // session ended, detached, or was opened again). Allocates nothing unless the
  // user changes. O(sessions of the user).
  SignalOutcome Apply(const SessionRef& ref, const Signal& signal,
                      const Now& now);

  // Applies each as Apply() does, those of a user in their order, and leaves
  // their outcomes in them. Takes the lock of a shard once for all that lie in
  // it. REQUIRES: at most limits::kSignalsPerLock.
  void ApplyAll(absl::Span<BoundSignal> signals, const Now& now);

  // Likewise, with what the signal declares, in one step. kTooManyRooms,
  // kTooManyIntents, kTooManyAvailabilities: nothing changed.
  SignalOutcome ApplyDeclaring(const SessionRef& ref, const Signal& signal,
                               const Declaration& declaration, const Now& now);

  // A unary signal. kNoAttachment is current for kLeave only, while the session
  // is not connected. LEAVE of a session that is not open is OK.
  SignalOutcome ApplyUnary(const SessionName& name, Attachment attachment,
                           const Signal& signal, const Now& now,
                           const Declaration& declaration = Declaration());

  // What a user declares about themselves (docs/concepts.md § 13), without
  // speaking for a session: moves no age. Also of a user who is not known.
  // kTooManyAvailabilities: nothing has changed.
  Refusal Declare(absl::string_view user,
                  const AvailabilityDeclaration& declaration, const Now& now);

  // The stream of this binding is closed: the session is not connected, if
  // `ref` is current. Changes no state.
  void Disconnect(const SessionRef& ref, const Now& now);

  // Whether `ref` still binds a session to its stream.
  bool IsBound(const SessionRef& ref, const Now& now) const;

  // --- Reads. Each evaluates the user, and so may find a change. ---

  // `view` is what the caller has a right to (docs/concepts.md § 13).

  UserView GetUser(absl::string_view user, const Now& now,
                   View view = View::kPublic);
  // Oldest open first.
  std::vector<SessionView> ListSessions(absl::string_view user, const Now& now,
                                        View view = View::kPublic);
  // `room` not empty: also whether the user is in it.
  UserExplanation Explain(absl::string_view user, const Now& now,
                          absl::string_view room = "",
                          View view = View::kPublic);

  // A page of at most `most` of those whom `filter` tells of: the first one, or
  // the one that begins at `from`. Whoever matches all the time is on one page,
  // others are on one at most. Looks at no more than
  // limits::kListedSlotsPerPage users and, one lock each, as many shards; so a
  // page may be short, or empty, and not be the last. Of a room: as of what the
  // room was told, but for when they were last heard of. REQUIRES: 0 < most.
  PresencePage List(const ListFilter& filter,
                    const absl::optional<ListPlace>& from, std::size_t most,
                    const Now& now);

  // How many there were at the last tick, of each shard at an instant within
  // it, as `view` shows them. O(1): counters move with what they count, and a
  // tick sums them up.
  CountsView Counts(View view = View::kPublic) const;

  // As of what the room was told, which is all that was published. Finds no
  // change.
  Occupancy GetOccupancy(absl::string_view room, const Now& now,
                         View view = View::kPublic);
  // Likewise: who wants to reach `target` there; nobody, as long as they are
  // not there themselves.
  std::vector<IntentView> IntentsTowards(absl::string_view room,
                                         absl::string_view target,
                                         const Now& now,
                                         View view = View::kPublic);

  // --- Time ---

  // Ends, lowers and forgets whatever is due. To be called every tick by one
  // thread, but not on a tick for which PresenceClock::Tick said false. Holds a
  // shard's lock for at most limits::kDeadlinesPerLock deadlines at a time.
  TickReport Tick(const Now& now);

  // Until when the server reconverges after its start; none once it has.
  absl::optional<PresenceTime> ReconvergingUntil(const Now& now) const;

  // Judges by `policy` from now on; a session from its next signal on.
  // REQUIRES: ValidatePolicy finds nothing.
  void SetPolicy(const Policy& policy);
  Policy policy() const;

  // --- Watches (docs/concepts.md § 9) ---

  // Copies the presence of `users` as of one instant each, as `watch` may see
  // it, and registers it for all that is newer. Called again for the same user,
  // it replaces what waits of them. With `since`, those who have not changed
  // after it, nor after `watch` was last copied or told them, are registered,
  // but not among the records. REQUIRES: at most limits::kSnapshotSliceUsers,
  // each once.
  std::vector<PresenceRecord> CopyAndRegister(
      const std::shared_ptr<Watch>& watch, absl::Span<const std::string> users,
      const Now& now, Revision since = 0);

  // Nothing more is delivered for these users to `watch`.
  void Unregister(const Watch& watch, absl::Span<const std::string> users);

  // `watch`, which is registered for the user of `change`, was told it.
  void NoteTold(const Watch& watch, const Change& change);

  // In which order everyone is copied.
  enum class CopyOrder : std::uint8_t {
    // By where users lie: every one has their turn, however often they change.
    kBySlot,
    // The latest change first, as far back as wanted: nobody else is looked at.
    // Who changes before their turn has none: they come by mail. Not for who
    // sees through: what they see is in no such order.
    kByLog,
  };
  // What a watch of everyone has been told, shard by shard.
  using AllTold = std::vector<InterestIndex::Told>;
  // A copy of everyone, and how far it is.
  struct AllCopy {
    CopyOrder order = CopyOrder::kBySlot;
    // Of those who changed after what was told, be they what they are. Empty: a
    // snapshot, of those who are live and in a state of interest (and, for who
    // sees through, of whoever is invisible). REQUIRES: not empty if kByLog.
    AllTold told;
    std::size_t shard = 0;
    // kBySlot: the next one. kByLog: 0 until the shard is begun.
    std::uint32_t slot = 0;
  };
  struct AllSlice {
    std::vector<PresenceRecord> records;
    // Of those who changed after what was told some are not remembered: the
    // copy is over, and a snapshot is to be made instead.
    bool compacted = false;
  };
  // Copies a slice for a watch of everyone: passes at most `most` users under
  // one lock, and registers for all that is newer of those who have been
  // passed; of others nothing is delivered yet. May be empty. REQUIRES:
  // !HasCopiedAll(copy), 0 < most; before the first slice of a copy
  // UnregisterAll, and Watch::OpenMailbox after that.
  AllSlice CopyAllAndRegister(const std::shared_ptr<Watch>& watch,
                              std::size_t most, AllCopy& copy, const Now& now);
  bool HasCopiedAll(const AllCopy& copy) const {
    return copy.shard == map_.size();
  }
  // Nothing more is delivered to a watch of everyone. Returns what it has been
  // told, without what it has not taken out of its mailbox; of a shard that it
  // was not registered with: everything up to `since`.
  AllTold UnregisterAll(const Watch& watch, Revision since = 0);
  // Of users who changed after it none was forgotten that `view` shows: such
  // changes can be copied.
  Revision forgotten_up_to(View view = View::kPublic) const;

  // --- Awaits (docs/concepts.md § 10) ---

  // Tells `await` what each of its users is, as of one instant each, and what
  // its rooms were told, and registers it for all that is newer. May decide it:
  // its listener is not woken for that, and the other users are looked at even
  // so. Called again, it tells it anew what they are.
  void TellAndRegister(const std::shared_ptr<Await>& await, const Now& now);

  // Nothing more is told to `await`.
  void Unregister(const Await& await);

  // Moves what lies in the outboxes into mailboxes, in order, tells awaits, and
  // wakes their watchers. One call at a time; to be called by the publisher's
  // thread after `on_changes`, and every tick.
  void Publish(const Now& now, const Encode& encode);

  // Every change up to this revision has been left in every mailbox that it
  // belongs in.
  Revision published_up_to() const {
    return published_up_to_.load(std::memory_order_acquire);
  }

  Revision epoch() const { return options_.epoch; }

  // --- Watches of rooms (docs/concepts.md § 11). What they are told has the
  // revisions of the room. ---

  // Copies the members of a room as of one instant, opens the mailbox of
  // `watch`, and registers it for all that is newer, and for the end that a
  // room too large brings (Watch::End). Everything up to `leads_to` is in the
  // copy. `since`, and what may come of it: see Room.
  Room::Copied CopyRoomAndRegister(const std::shared_ptr<Watch>& watch,
                                   absl::string_view room, Revision since,
                                   const Now& now,
                                   std::vector<PresenceRecord>& records,
                                   Revision& leads_to);
  bool RoomRemembers(absl::string_view room, Revision since,
                     View view = View::kPublic);
  // Leaves how many there are with `watch`, now and after each change; at most
  // once each limits::kOccupancyInterval. Returns the revision of the first.
  Revision WatchOccupancy(const std::shared_ptr<Watch>& watch,
                          absl::string_view room, const Now& now);
  // Leaves who wants to reach `target` with `watch`, now and whenever that
  // changes.
  Revision WatchIntents(const std::shared_ptr<Watch>& watch,
                        absl::string_view room, absl::string_view target,
                        const Now& now);
  void UnregisterFromRoom(const Watch& watch, absl::string_view room);
  // Every change of the room up to it has been left in every mailbox that it
  // belongs in.
  Revision LastRevisionOfRoom(absl::string_view room,
                              View view = View::kPublic);
  // Rooms have been told of all who came back while the server reconverged: a
  // round of Publish that began after it is done.
  bool rooms_reconverged() const {
    return rooms_reconverged_.load(std::memory_order_acquire);
  }

  // --- Sizes, for logs and metrics ---

  std::int64_t sessions() const;
  std::int64_t users() const;
  // Rooms that take memory.
  std::size_t rooms() const { return rooms_.size(); }

 private:
  // A session of a guest that has gone over to a user, and is to end.
  struct Merge {
    std::string guest;
    std::string session;
    std::shared_ptr<const std::string> into;
    std::vector<std::string> rooms;
  };
  PresencePage ListRoom(const ListFilter& filter,
                        const absl::optional<ListPlace>& from, std::size_t most,
                        const Now& now);
  // Completes `record`, of a member of the room of `filter`, by what their
  // sessions there say, and appends it if `filter` tells of them.
  void AppendMember(const ListFilter& filter, PresenceRecord&& record,
                    const Now& now, std::vector<UserView>& users);
  OpenOutcome OpenForGuest(const OpenRequest& request, const Now& now);
  std::vector<Merge> TakeMerges();
  void FinishMerge(const Merge& merge, const Now& now, const Encode& encode,
                   ToWake& to_wake);
  // Leaves what lies in its outbox with watches, awaits and rooms, in order.
  Revision PublishShard(SessionShard& shard, const Now& now,
                        const Encode& encode, ToWake& to_wake);
  void TickRooms(const Now& now);

  // Calls on_changes if `shard` has something to publish and nobody said so.
  void Announce(const SessionShard& shard) {
    if (shard.HasChanges()) AnnounceChanges();
  }
  void AnnounceChanges();
  // Sums up the counts of the shards, if any `moved`, as of `now`.
  void SumCounts(bool moved, const Now& now);
  // Learns from how silences ended since the last exchange.
  void ExchangeConfidence(const Now& now);
  // The longest ttl that any session is judged by.
  Duration LongestTtlInUse() const;

  // Constant after construction.
  const Options options_;
  const PresenceTime reconverging_until_;

  // Synchronised by themselves.
  Listings listings_;
  SessionMap map_;
  RoomViews rooms_;
  std::atomic<Revision> published_up_to_;
  std::atomic<bool> rooms_reconverged_{false};
  std::atomic<bool> changes_announced_{false};

  // A leaf.
  Mutex merges_mutex_;
  std::vector<Merge> merges_ ABSL_GUARDED_BY(merges_mutex_);

  // A leaf.
  mutable Mutex policy_mutex_;
  Policy policy_ ABSL_GUARDED_BY(policy_mutex_);

  // A leaf.
  mutable Mutex counts_mutex_;
  CountsByView counts_ ABSL_GUARDED_BY(counts_mutex_);
  Now counts_as_of_ ABSL_GUARDED_BY(counts_mutex_);

  // Used by the ticking thread only.
  std::vector<CountsByView> counts_of_shards_;
  SilenceWatch silence_watch_;
  SilenceCounts learned_;
  PresenceTime last_exchange_;
  PresenceTime next_exchange_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_PRESENCE_ENGINE_H_
