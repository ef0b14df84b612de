// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// One WatchPresence stream: a snapshot, then every change.
// docs/concepts.md § 9.
#ifndef LIFESIGN_SERVER_TRANSPORT_WATCH_WATCH_STREAM_H_
#define LIFESIGN_SERVER_TRANSPORT_WATCH_WATCH_STREAM_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "lifesign/v1/presence_service.pb.h"
#include "server/base/mutex.h"
#include "server/core/watch/watch.h"
#include "server/transport/call/stream_port.h"
#include "server/transport/codec/api_error.h"
#include "server/transport/codec/decode.h"
#include "server/transport/deadlines.h"
#include "server/transport/server_parts.h"
#include "server/transport/watch/selection.h"

namespace lifesign {

struct WatchDraft;

// The logic of WatchPresence and of FollowPresence, behind a StreamPort; knows
// no gRPC call. Never waits for its client: while a write is in flight, what
// changes coalesces in the mailbox of its Watch.
//
// Thread-safe. Lock order: a stream, then the engine's locks or a leaf of the
// transport. Owned by its call; others hold it weakly.
class WatchStream final : public StreamLogic,
                          public WatchListener,
                          public Deadlines::Listener,
                          public std::enable_shared_from_this<WatchStream> {
 public:
  // `parts` outlives it. Without options its client sends them, and later whom
  // to add and to remove: FollowPresence.
  explicit WatchStream(const ServerParts& parts,
                       absl::optional<WatchOptions> options = absl::nullopt);
  ~WatchStream() override;

  // Begins the snapshot, or waits for the options. To be called once; `port` is
  // used until OnDone.
  void Start(StreamPort& port);

  void OnRead(const grpc::ByteBuffer& message) override;
  void OnReadsDone() override;
  void OnWritten(bool ok) override;
  void OnCancelled() override;
  void OnDone() override;

  void OnMail() override;
  void OnDeadline(const Now& now) override;

  // Ends the watch, with what waits and its token: UNAVAILABLE/DRAINING.
  void EndForDrain();

  StreamId id() const { return id_; }

 private:
  enum class Phase : std::uint8_t {
    kAwaiting,      // the first message of FollowPresence
    kCopying,       // a snapshot, or what changed after the token, is copied
    kReconverging,  // known users are told; the rest waits for reconvergence
    kLateSnapshot,  // those still unknown are copied
    kLive,          // SYNCED was told
    kFinished,      // Finish was called
    kDone,          // the port is gone
  };

  // REQUIRES: the watch is of a set of users, as FollowPresence is.
  SetSelection& UserSet() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return static_cast<SetSelection&>(*selection_);
  }

  // Mail is told; in other phases it waits.
  bool TellsMail() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return phase_ == Phase::kLive || phase_ == Phase::kReconverging;
  }

  // What FollowPresence has beside WatchPresence.
  struct Following {
    // Messages of the client.
    std::uint64_t received = 0;
    // The last of them is dealt with, but for what follows.
    bool pending = false;
    // Of it, while pending.
    FollowChange change;
    absl::optional<ApiError> refusal;
    // Those it adds are being copied.
    bool adding = false;
  };

  // --- Following (watch_stream_follow.cc) ---

  void OnFirstRequest(const grpc::ByteBuffer& message, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnLaterRequest(const grpc::ByteBuffer& message)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Applies the message that is pending, if it can be now. Begins to copy those
  // whom it adds, or ends it at once.
  void Follow(const Now& now, WatchDraft& draft)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Removes whom it removes, acknowledges it and asks for the next.
  void EndFollow(const Now& now, WatchDraft& draft)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- What it says (watch_stream_messages.cc) ---

  // Writes the next message, if there is something to say and nothing in
  // flight. Ends the watch if it can go on no longer.
  void Pump(const Now& now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Tell(const Now& now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The same for a watch that has changes to tell and nothing else, without a
  // draft: most messages, and there are many. False if there may be more.
  bool PumpChangesOnly(const Now& now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DraftCreated(WatchDraft& draft) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Copies everyone selected (`since` 0), or those who changed after it.
  void BeginCopy(Revision since) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Users may be about to come back whom a restart took out of what is watched.
  bool Reconverges(const Now& now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void BeginLateSnapshot() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Goes on with the copy that is under way.
  void DraftCopy(const Now& now, WatchDraft& draft)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Of those who changed someone was forgotten: begins a snapshot.
  void BeginAnew(WatchDraft& draft) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DraftRecord(const PresenceRecord& record, WatchDraft& draft)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Everyone is copied. Does not end a copy which lost mail that belongs to it.
  void EndCopy(const Now& now, WatchDraft& draft)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DraftSynced(const Now& now, WatchDraft& draft)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Changes that wait, or progress if it is due.
  void DraftMail(const Now& now, WatchDraft& draft)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DraftToken(const Now& now, WatchDraft& draft)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Write(const Now& now, grpc::ByteBuffer message)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DraftTokenIfDue(const Now& now, WatchDraft& draft)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes what waits in the mailbox.
  Watch::Taken TakeChanges() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The same, and learns up to where that leads. If some was lost, begins to
  // catch up.
  Mail TakeMail() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool MailIsDue(const Now& now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool ProgressIsDue(const Now& now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  std::string Token() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- When it says it ---

  // Makes watch and selection of `options`, and begins to copy.
  void Begin(WatchOptions options, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Select() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Why the token cannot be continued from; UNSPECIFIED if it can, or without
  // one.
  v1::ResyncReason ReasonToResync() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Goes on with a copy that is too long for one reaction.
  void GoOnLater() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void GoOn();

  // Sees to it that OnDeadline comes when it is needed next.
  void ExpectNext(const Now& now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ExpectProgress() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Expect(PresenceTime at) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // With the token in its ErrorInfo, for a client that gets no message any
  // more.
  void FinishWithToken(ApiError error) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Finish(const grpc::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Constant after construction.
  const ServerParts& parts_;
  const StreamId id_;

  // Guarded. Before the engine's locks, and the transport's leaves.
  Mutex mutex_;
  StreamPort* port_ ABSL_GUARDED_BY(mutex_) = nullptr;
  Deadlines::Deadline deadline_;
  // `users` are in the selection.
  WatchOptions options_ ABSL_GUARDED_BY(mutex_);
  // Null for WatchPresence.
  std::unique_ptr<Following> following_ ABSL_GUARDED_BY(mutex_);
  // Of the selection: HashUsers, kHashOfEveryone, HashMembers or
  // HashOccupancy.
  std::uint64_t whom_ ABSL_GUARDED_BY(mutex_) = 0;
  // Made by Begin.
  std::shared_ptr<Watch> watch_ ABSL_GUARDED_BY(mutex_);
  Phase phase_ ABSL_GUARDED_BY(mutex_) = Phase::kAwaiting;
  bool created_told_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  // SYNCED waits for the end of reconvergence.
  bool waits_ ABSL_GUARDED_BY(mutex_) = false;
  v1::ResyncReason resync_ ABSL_GUARDED_BY(mutex_) =
      v1::RESYNC_REASON_UNSPECIFIED;
  // Made by Begin; shared with the chore that releases it.
  std::shared_ptr<Selection> selection_ ABSL_GUARDED_BY(mutex_);
  // While reconverging: users who are not known yet.
  absl::flat_hash_set<std::string> unknown_ ABSL_GUARDED_BY(mutex_);
  // Everything up to it is in messages written. 0 until something is.
  Revision delivered_up_to_ ABSL_GUARDED_BY(mutex_) = 0;
  // Whether a copy is under way, of whom (0: a snapshot), and up to where it
  // leads: what was published by then is in every slice, or comes by mail.
  bool copying_ ABSL_GUARDED_BY(mutex_) = false;
  Revision copy_since_ ABSL_GUARDED_BY(mutex_) = 0;
  Revision copy_leads_to_ ABSL_GUARDED_BY(mutex_) = 0;
  // The last message told a slice of the copy that is under way.
  bool slice_was_last_ ABSL_GUARDED_BY(mutex_) = false;
  // How many are in the room, as it was taken from the mailbox and not written
  // yet.
  std::shared_ptr<const void> whole_ ABSL_GUARDED_BY(mutex_);
  // What is watched can be watched no longer.
  bool too_large_ ABSL_GUARDED_BY(mutex_) = false;
  // A chore will call GoOn.
  bool goes_on_later_ ABSL_GUARDED_BY(mutex_) = false;
  PresenceTime write_began_ ABSL_GUARDED_BY(mutex_);
  PresenceTime token_told_ ABSL_GUARDED_BY(mutex_);
  // Since when mail waits; kNever when none is known of.
  PresenceTime mail_since_ ABSL_GUARDED_BY(mutex_) = kNever;
  // After Finish of a slow consumer: when the call is cut.
  PresenceTime cut_at_ ABSL_GUARDED_BY(mutex_) = kNever;
  PresenceTime filed_for_ ABSL_GUARDED_BY(mutex_) = kNever;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_WATCH_WATCH_STREAM_H_
