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
#include "absl/types/span.h"
#include "lifesign/v1/presence_service.pb.h"
#include "server/base/mutex.h"
#include "server/core/watch/watch.h"
#include "server/transport/call/stream_port.h"
#include "server/transport/codec/api_error.h"
#include "server/transport/codec/decode.h"
#include "server/transport/deadlines.h"
#include "server/transport/server_parts.h"

namespace lifesign {

// The logic, behind a StreamPort; knows no gRPC call. Never waits for its
// client: while a write is in flight, what changes coalesces in the mailbox of
// its Watch.
//
// Thread-safe. Lock order: a stream, then the engine's locks or a leaf of the
// transport. Owned by its call; others hold it weakly.
class WatchStream final : public StreamLogic,
                          public WatchListener,
                          public Deadlines::Listener,
                          public std::enable_shared_from_this<WatchStream> {
 public:
  // `parts` outlives it.
  WatchStream(const ServerParts& parts, WatchOptions options);
  ~WatchStream() override;

  // Begins the snapshot. To be called once; `port` is used until OnDone.
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
    kSnapshot,      // users are copied, slice by slice
    kReconverging,  // known users are told; the rest waits for reconvergence
    kLateSnapshot,  // those still unknown are copied
    kLive,          // SYNCED was told
    kFinished,      // Finish was called
    kDone,          // the port is gone
  };

  // What goes into one message.
  struct Draft;

  // Writes the next message, if there is something to say and nothing in
  // flight.
  void Pump(const Now& now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DraftSnapshot(const Now& now, Draft& draft)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DraftChanges(const Now& now, Draft& draft)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DraftSynced(const Now& now, Draft& draft)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DraftToken(const Now& now, Draft& draft)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Write(const Now& now, grpc::ByteBuffer message)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The same for a watch that has changes to tell and nothing else, without a
  // draft: most messages, and there are many. False if there may be more.
  bool PumpChangesOnly(const Now& now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes what waits in the mailbox, and learns up to where that leads.
  Mail TakeMail() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool MailIsDue(const Now& now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool ProgressIsDue(const Now& now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Why the token cannot be continued from; UNSPECIFIED without one.
  v1::ResyncReason ReasonToResync() const;
  std::string Token() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Sees to it that OnDeadline comes when it is needed next.
  void ExpectNext(const Now& now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ExpectProgress() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Expect(PresenceTime at) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // With the token in its ErrorInfo, for a client that gets no message any
  // more.
  void FinishWithToken(ApiError error) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Finish(const grpc::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Constant after construction, but for watch_, which Start makes.
  const ServerParts& parts_;
  const StreamId id_;
  const std::shared_ptr<const WatchOptions> options_;
  const std::uint64_t selector_;
  std::shared_ptr<Watch> watch_;

  // Guarded. Before the engine's locks, and the transport's leaves.
  Mutex mutex_;
  StreamPort* port_ ABSL_GUARDED_BY(mutex_) = nullptr;
  Deadlines::Deadline deadline_;
  Phase phase_ ABSL_GUARDED_BY(mutex_) = Phase::kSnapshot;
  bool created_told_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  // SYNCED waits for the end of reconvergence.
  bool waits_ ABSL_GUARDED_BY(mutex_) = false;
  v1::ResyncReason resync_ ABSL_GUARDED_BY(mutex_) =
      v1::RESYNC_REASON_UNSPECIFIED;
  // Users that are yet to be copied.
  absl::Span<const std::string> to_copy_ ABSL_GUARDED_BY(mutex_);
  // While reconverging: users who are not known yet; then in late_.
  absl::flat_hash_set<std::string> unknown_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> late_ ABSL_GUARDED_BY(mutex_);
  // Everything up to it is in messages written.
  Revision delivered_up_to_ ABSL_GUARDED_BY(mutex_) = 0;
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
