// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// One lock stripe of the session map: all sessions of the users that hash here.
#ifndef LIFESIGN_SERVER_CORE_SESSION_SESSION_SHARD_H_
#define LIFESIGN_SERVER_CORE_SESSION_SESSION_SHARD_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "server/base/mutex.h"
#include "server/core/availability/availability_table.h"
#include "server/core/derive/confidence.h"
#include "server/core/policy/policy.h"
#include "server/core/query/await.h"
#include "server/core/query/await_index.h"
#include "server/core/query/counts_by_view.h"
#include "server/core/query/list.h"
#include "server/core/query/views.h"
#include "server/core/reduce/reduce_user.h"
#include "server/core/room/member_change.h"
#include "server/core/session/guest.h"
#include "server/core/session/outcome.h"
#include "server/core/session/records.h"
#include "server/core/session/roomed_state.h"
#include "server/core/session/shard_state.h"
#include "server/core/signal/signal.h"
#include "server/core/time.h"
#include "server/core/watch/change.h"
#include "server/core/watch/interest_index.h"
#include "server/core/watch/watch.h"

namespace lifesign {

// A plain class with one lock. It knows nothing of other stripes, of gRPC, or
// of what time it is: callers pass `Now`, which it holds from running
// backwards. Everything it decides comes back as a value or lies in its outbox;
// it calls nobody while its lock is held, but for the interest index and the
// mailboxes behind it.
//
// Thread-safe. Lock order: shard, then interest index, then watch
// (docs/architecture.md).
class SessionShard : private RoomedState {
 public:
  using Options = ShardOptions;

  SessionShard(Options options, const Now& start);
  ~SessionShard();
  SessionShard(const SessionShard&) = delete;
  SessionShard& operator=(const SessionShard&) = delete;

  using ShardState::HashUser;

  // See PresenceEngine for what these do. `hash` is HashUser of the user.
  OpenOutcome Open(const OpenRequest& request, std::uint64_t hash,
                   const Now& now);
  SignalOutcome Apply(const SessionRef& ref, const Signal& signal,
                      const Now& now);
  // Asks for the memory that Apply will need. Takes no lock; the slab guards
  // itself.
  void Prefetch(const SessionRef& ref) const ABSL_NO_THREAD_SAFETY_ANALYSIS {
    sessions_.Prefetch(ref.slot);
  }
  // REQUIRES: all lie in this shard.
  void ApplyAll(absl::Span<BoundSignal* const> signals, const Now& now);
  SignalOutcome ApplyUnary(const SessionName& name, std::uint64_t hash,
                           Attachment attachment, const Signal& signal,
                           const Declaration& declaration, const Now& now);
  SignalOutcome ApplyDeclaring(const SessionRef& ref, const Signal& signal,
                               const Declaration& declaration, const Now& now);
  Refusal Declare(absl::string_view user, std::uint64_t hash,
                  const AvailabilityDeclaration& declaration, const Now& now);

  // --- Guests (session_shard_guests.cc) ---
  // Of an open session of a guest that is about to go over to a user; none if
  // there is none, or it goes over already. Until CallOff or FinishMerge it is
  // the guest's, and cannot go over again.
  absl::optional<GuestHistory> PrepareMerge(const SessionName& name,
                                            std::uint64_t hash, const Now& now);
  // It does not go over after all.
  void CallOffMerge(const SessionName& name, std::uint64_t hash);
  // It has gone over to `into`, whose own change has been told: it ends here,
  // and each of `rooms` is told. `into` null: it leaves, and nobody is told
  // whom it went over to.
  void FinishMerge(const SessionName& name, std::uint64_t hash,
                   absl::Span<const std::string> rooms,
                   const std::shared_ptr<const std::string>& into,
                   const Now& now);

  void Disconnect(const SessionRef& ref, const Now& now);
  bool IsBound(const SessionRef& ref, const Now& now) const;

  UserView GetUser(absl::string_view user, std::uint64_t hash, View view,
                   const Now& now);
  std::vector<SessionView> ListSessions(absl::string_view user,
                                        std::uint64_t hash, View view,
                                        const Now& now);
  UserExplanation Explain(absl::string_view user, std::uint64_t hash,
                          absl::string_view room, View view, const Now& now);
  // Of listing number `listing`: looks at up to `most_slots` slots from `slot`
  // on, until `users` holds `most_users`; appends those who match and were
  // there before it began, and moves `slot` on. False once it has come to the
  // end. Who is invisible is found, by who sees through, where their public
  // record lies; last those of whom there is none.
  bool List(const ListFilter& filter, ListingNumber listing,
            std::size_t most_users, std::uint32_t most_slots,
            std::uint32_t& slot, const Now& now, std::vector<UserView>& users);
  // Fills in what a room is not told of a member, `member.record.user`: when
  // they were last heard of and active, and their sessions there, by which they
  // are in the state of `member`. False if they are not there any more.
  bool CompleteMember(absl::string_view room, std::uint64_t hash, View view,
                      const Now& now, UserView& member);

  // What one turn of the lock did; `more` asks for another.
  struct TickResult {
    int deadlines = 0;
    int fell_stale = 0;
    Duration worst_lag{0};
    bool more = false;
    // There is something for MakeMemoryHuge().
    bool has_small_pages = false;
    // There were other counts than at the last tick.
    bool counts_moved = false;
  };
  // Handles up to limits::kDeadlinesPerLock deadlines, and as many users whose
  // retention, or whose declaration, ran out. With the last turn of a tick, the
  // shard's counts are left in `counts` if they have moved.
  TickResult Tick(const Now& now, CountsByView& counts);
  // Moves some megabytes of sessions or users to a huge page, without holding
  // the lock meanwhile: milliseconds of a thread that has them.
  void MakeMemoryHuge();

  void SetPolicy(std::shared_ptr<const Policy> policy);
  // Of any policy that a session is judged by.
  Duration LongestTtl() const;

  // Takes out how silences ended, and puts `table` in force for those that
  // begin from now on. The one before stays for those that run.
  SilenceCounts ExchangeConfidence(std::shared_ptr<const ConfidenceTable> table,
                                   const Now& now);

  // --- Watches (session_shard_watch.cc) ---

  // Appends the record of `user` as of now, as `watch` may see it, and
  // registers it above that. No record if `since` is not 0, and the user has
  // not changed after it, or after `watch` was registered or told last.
  void CopyAndRegister(const std::shared_ptr<Watch>& watch,
                       absl::string_view user, std::uint64_t hash,
                       Revision since, const Now& now,
                       std::vector<PresenceRecord>& records);
  void Unregister(const Watch& watch, absl::string_view user) {
    interest_.Unregister(user, watch);
  }
  void NoteTold(const Watch& watch, absl::string_view user, Revision revision) {
    interest_.NoteTold(user, watch, revision);
  }

  // What became of a step in a copy of everyone for a watch.
  enum class CopyStep : std::uint8_t {
    kMore,       // to be called again
    kDone,       // this shard is copied
    kCompacted,  // someone who changed after what was told is not remembered
  };
  // Appends the records of the next `most` slots, from `slot` on, registers
  // `watch` for what is newer of these, and moves `slot` on. `told` null: of
  // those who are live and in a state of interest; else of those who changed
  // after that, be they what they are. Who sees through is told of those who
  // are invisible last, whatever their state.
  CopyStep CopyBySlot(const std::shared_ptr<Watch>& watch,
                      const InterestIndex::Told* told, std::size_t most,
                      std::uint32_t& slot, const Now& now,
                      std::vector<PresenceRecord>& records);
  // Passes the next `most` users who changed after what was told, the latest
  // first, and appends their records; the first call (`begin`) registers
  // `watch` for everything newer. REQUIRES: every call after the first until
  // kDone has the same `told`; UnregisterAll before another first one; the
  // watch does not see through.
  CopyStep CopyByLog(const std::shared_ptr<Watch>& watch,
                     const InterestIndex::Told& told, std::size_t most,
                     bool begin, const Now& now,
                     std::vector<PresenceRecord>& records);
  // Ends a copy that is under way, too. See InterestIndex.
  absl::optional<InterestIndex::Told> UnregisterAll(const Watch& watch);

  // Users who changed after it, as `view` shows them, are remembered.
  Revision forgotten_up_to(View view) const {
    MutexLock lock(mutex_);
    return ForgottenUpTo(view);
  }

  // Tells `await` of its user number `number`, whose hash is `hash`, as of now
  // and as it may see them, and registers it above that.
  void TellAndRegister(const std::shared_ptr<Await>& await, std::size_t number,
                       std::uint64_t hash, const Now& now);
  void Unregister(const Await& await, absl::string_view user) {
    awaits_.Unregister(user, await);
  }

  // Whether anything lies in the outbox.
  bool HasChanges() const {
    return has_changes_.load(std::memory_order_relaxed);
  }
  // Leaves what lies in the outbox with its watchers, and tells those who await
  // it, in order; one call at a time. Appends those that have something to do.
  // Returns a revision up to which nothing is to come any more.
  Revision Publish(const Now& now, const ChangeEncoder& encode,
                   std::vector<std::shared_ptr<Watch>>& to_wake,
                   std::vector<std::shared_ptr<Await>>& decided);

  // What rooms are to be told, in order; one call at a time.
  // HasChanges() is true before there is something that the public is told.
  bool HasRoomNews() const {
    return has_room_news_.load(std::memory_order_relaxed);
  }
  RoomNews TakeRoomNews();

  std::int64_t sessions() const {
    return session_count_.load(std::memory_order_relaxed);
  }
  std::int64_t users() const;

 private:
  // --- Opening (session_shard_open.cc) ---
  OpenOutcome Resume(Session& session, const OpenRequest& request,
                     std::uint64_t hash, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Counts a take-over, or says how long it must wait.
  absl::optional<Duration> CountTakeOver(Session& session, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The session that would give way to a new one, if any; `full` says whether
  // one has to.
  Session* FindSessionToGiveWay(const User& user, const Now& now, bool& full)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Session& Begin(User& user, const OpenRequest& request, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What a begun and a resumed session have in common.
  OpenOutcome Opened(Session& session, const OpenRequest& request,
                     const Now& now, absl::Span<const Left> left, bool resumed)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- Signals ---
  SignalOutcome ApplyBound(const SessionRef& ref, const Signal& signal,
                           const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  SignalOutcome ApplyTo(Session& session, const Signal& signal, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // A signal that declares something; the session is open and may be spoken
  // for.
  SignalOutcome ApplyDeclared(Session& session, const Signal& signal,
                              const Declaration& declaration, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Moves the ages.
  void Hear(Session& session, const absl::optional<Signal>& signal,
            const Now& now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What a signal does beside moving ages: caps, lifecycle, interval, policy.
  void ApplyKind(Session& session, SignalKind kind, PresenceTime cap_start)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ApplyWaiting(Session& session, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // All of a user whose token has come: they are evaluated together.
  void ApplyWaitingOf(const User& user, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // False if the session speaks too fast: the signal is to wait.
  bool TakeToken(Session& session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether TakeToken would be true for a signal that is heard now.
  bool HasTokenAt(const Session& session, PresenceTime now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Does what ApplyTo would to the usual heartbeat: an ACTIVE of an active
  // session, in time, whose user stays as they are. False, and nothing done, if
  // this may be another one. A fourth of the instructions: in a row of
  // heartbeats the processor then waits for the memory of several at once.
  bool ApplyUsual(Session& session, const Signal& signal, const Now& now,
                  SignalOutcome& outcome) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What the client is to be told, which it knows from now on.
  SignalOutcome Tell(Session& session, State state)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What a signal beyond the rate does: its session looks at it later.
  SignalOutcome Merge(Session& session, SignalKind kind, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether evaluating the user would find nothing, so far as that shows on
  // this session: then the usual heartbeat looks at nothing else.
  bool IsQuiet(const Session& session, const Derivation& derived,
               const Now& now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  SignalOutcome Leave(Session& session, Duration linger, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  SignalOutcome Detach(Session& session, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PromiseInterval(Session& session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AdoptPolicy(Session& session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Of a session without any activity, whose row had another active_window.
  void JudgeInactivityAnew(Session& session, Duration window_before)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- Availability (session_shard_availability.cc) ---
  // Notes what a user declares, and moves their sessions to where they then
  // belong (UserOf). They are yet to be evaluated. `left`: what left in this
  // step. `user` must not lie in a record: that may go.
  void Declare(absl::string_view user, Availability availability,
               absl::Span<const Left> left, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What comes with an open, if it is to be taken.
  void DeclareBy(const OpenRequest& request, std::uint64_t hash,
                 absl::Span<const Left> left, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Lets what comes with a signal wait until it is looked at. False, and
  // nothing done, if it could not be held.
  bool WillDeclare(Session& session, const AvailabilityDeclaration& declaration,
                   const Now& now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What has waited; false if nothing has.
  bool DeclareWaiting(Session& session, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether what has waited makes a user invisible who is not.
  bool WillHide(const Session& session) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Evaluates users whose declaration ran out, as far as `budget` goes.
  void RevertAvailabilities(const Now& now, int budget, TickResult& result)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EvaluateReverted(absl::string_view user, bool was_invisible,
                        const Now& now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Every record there is of them.
  void EvaluateAll(absl::string_view user, std::uint64_t hash, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- Invisible users (session_shard_hidden.cc) ---
  // To be called before anything is made of a user: one who was invisible until
  // now is visible again. Most users cost nothing.
  void Settle(absl::string_view user, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SettleUserOf(const Session& session, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const User& user = UserOf(session);
    if (HiddenUsers::Holds(user.slot)) Settle(std::string(user.id.view()), now);
  }
  // Ends sessions that ran out while their user was invisible, of one who is
  // not any more. REQUIRES: Settle.
  absl::InlinedVector<Left, 2> EndStranded(absl::string_view user,
                                           const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The record that is to hold the sessions of `user`. REQUIRES: Settle.
  User& FindOrAddOwner(absl::string_view user, std::uint64_t hash,
                       const Now& now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The user becomes invisible: to the public all of their sessions leave, now.
  void Hide(User& user, absl::Span<const Left> left, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Puts the true record of a user who is not invisible any more into the
  // public one, which it returns: it is yet to be evaluated.
  User& Show(User& hidden, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Notes since when a user is visible again, and shows them if they are here.
  void BecomeVisible(absl::string_view user, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Tells of a hidden user, and of a veiled one, what each view is to be told.
  void EmitHidden(User& user, const Aggregate& actual,
                  AvailabilityTable::Entry& declared, Cause cause,
                  const Now& now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EmitVeiled(User& user, const Aggregate& actual, const Aggregate& by_time,
                  AvailabilityTable::Entry& declared, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetHidden(User& user) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool ForgetHiddenUsers(const Now& now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- Time ---
  // Files the session's next deadline, unless an earlier one is filed.
  void FileDeadline(Session& session, PresenceTime next_change)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes the session out. Does not evaluate its user.
  void End(Session& session, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void HandleDeadline(Session& session, const Now& now, TickResult& result)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- Evaluating (session_shard_users.cc) ---
  void Evaluate(User& user, const Now& now, absl::Span<const Left> left = {})
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Notes, and counts, what `session` is.
  void SetEvaluated(Session& session, State state)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (state == session.evaluated) return;
    CountSession(session, session.evaluated, state);
    session.evaluated = state;
  }
  // Notes with the sessions of `user` until when evaluating it finds nothing.
  void Quieten(const User& user, PresenceTime until, bool may_be_alone)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Of a user whom all see alike. `declared`: what AvailabilityTable holds of
  // them; may be null.
  void Emit(User& user, const Aggregate& actual,
            AvailabilityTable::Entry* declared, Cause cause, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The state of a public record becomes `actual`, with a revision and a place
  // in the log.
  void TakeRevision(User& user, const Aggregate& actual, Cause cause,
                    const Now& now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  User& FindOrAddUser(absl::string_view id, std::uint64_t hash)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Retain(User& user) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Forget(User& user) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // True if more are to be forgotten.
  bool ForgetUsers(const Now& now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- Guests (session_shard_guests.cc) ---
  // Takes a guest's history over. REQUIRES: request.history.
  void TakeOver(Session& session, const OpenRequest& request, bool resumed)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetMerge(User& user) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- Copying (session_shard_watch.cc) ---
  // Whether `user`, evaluated, is live and in a state of interest; or, of who
  // sees through, whether they are invisible. It may move their sessions.
  bool IsInSnapshot(User& user, const Watch& watch, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasChangedSince(const User& user, const InterestIndex::Told& told,
                       View view) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes `user` out of the log; walks that stand there go on.
  void LeaveLog(const User& user) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- Reading (session_shard_read.cc) ---
  UserView ReadUser(absl::string_view user, User* known, View view,
                    const Now& now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whom a listing finds in a slot: of public records, or `hidden`; null if
  // nobody, or somebody that it is not to tell of.
  User* FindListed(std::uint32_t slot, bool hidden, View view,
                   ListingNumber listing, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Constant after construction.
  const Options options_;
  const PresenceTime start_;

  // Synchronised by themselves.
  InterestIndex interest_;
  AwaitIndex awaits_;
  std::atomic<std::int64_t> session_count_{0};
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_SESSION_SESSION_SHARD_H_
