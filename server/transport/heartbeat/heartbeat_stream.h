// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// One Heartbeat stream: sessions in, sparse answers out.
// docs/concepts.md § 12.
#ifndef LIFESIGN_SERVER_TRANSPORT_HEARTBEAT_HEARTBEAT_STREAM_H_
#define LIFESIGN_SERVER_TRANSPORT_HEARTBEAT_HEARTBEAT_STREAM_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "lifesign/v1/presence_service.pb.h"
#include "server/base/mutex.h"
#include "server/transport/call/stream_port.h"
#include "server/transport/codec/api_error.h"
#include "server/transport/deadlines.h"
#include "server/transport/heartbeat/answers.h"
#include "server/transport/heartbeat/handle_table.h"
#include "server/transport/server_parts.h"

namespace lifesign {

// The logic, behind a StreamPort; knows no gRPC call. Every decision is taken
// under its lock from `phase_`; the engine and the port are called while it is
// held, other streams never are.
//
// Thread-safe. Lock order: a stream, then the engine's locks or a leaf of the
// transport. Owned by its call; others hold it weakly.
class HeartbeatStream final
    : public StreamLogic,
      public Deadlines::Listener,
      public std::enable_shared_from_this<HeartbeatStream> {
 public:
  // `parts` outlives it.
  explicit HeartbeatStream(const ServerParts& parts);
  ~HeartbeatStream() override;

  // Begins to read. To be called once; `port` is used until OnDone.
  void Start(StreamPort& port);

  void OnRead(const grpc::ByteBuffer& message) override;
  void OnReadsDone() override;
  void OnWritten(bool ok) override;
  void OnCancelled() override;
  void OnDone() override;

  void OnDeadline(const Now& now) override;

  // Another instance opened the session that this stream held under `handle`.
  void OnTakenOver(std::uint32_t handle);

  // Tells the client to move on after `reconnect_delay`. Its sessions go on.
  void TellDrain(Duration reconnect_delay);

  // Ends the stream, if its client has not: UNAVAILABLE/DRAINING.
  void EndForDrain();

  StreamId id() const { return id_; }

 private:
  enum class Phase : std::uint8_t {
    kOpen,        // messages are read
    kHalfClosed,  // the client sends no more; what waits is told
    kFinished,    // Finish was called
    kDone,        // the port is gone
  };

  // --- Messages (heartbeat_stream_messages.cc) ---
  // Applies a message; streams whose binding it took over are appended.
  void ApplyMessage(const grpc::ByteBuffer& message, const Now& now,
                    std::vector<Binding>& taken_over)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // False if there are too many: then nothing is to be applied.
  bool CheckCounts(const v1::HeartbeatRequest& message)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ApplyOpen(const v1::Open& open, int index, const Now& now,
                 std::vector<Binding>& taken_over)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What speaks against binding what is to be opened to `handle`; frees what
  // the engine says is free.
  absl::optional<ApiError> MakeRoom(std::uint32_t handle,
                                    const OpenRequest& request, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Frees the handle of a guest's session that has gone over.
  void FreeGuest(const OpenRequest& request)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ApplySignals(const v1::HeartbeatRequest& message, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // `count` of them from `begin`, together. REQUIRES: at most
  // limits::kSignalsPerLock.
  void ApplySlice(const v1::HeartbeatRequest& message, int begin, int count,
                  const Now& now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // One that declares something beside its kind.
  void ApplyDeclaring(const v1::Signal& message, int index, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TellOutcome(std::uint32_t handle, const BoundSignal& applied,
                   const Now& now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // A signal that is not fit or names no bound session.
  void RefuseSignal(const v1::Signal& message, int index)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Sweep(const Now& now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Free(std::uint32_t handle, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- Answers and deadlines ---
  // Writes what there is to say, if it may.
  void Answer() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AnswerOrWait(bool at_once, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ReadOn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Sees to it that OnDeadline comes at `at` or before.
  void Expect(PresenceTime at) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Ends the call; breaks it off if the client takes nothing for
  // limits::kSlowConsumerGrace more.
  void Finish(const grpc::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Lets go of all sessions: they are not connected any more.
  void Disconnect(const Now& now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Constant after construction.
  const ServerParts& parts_;
  const StreamId id_;

  // Guarded. Before the engine's locks, and the transport's leaves.
  Mutex mutex_;
  StreamPort* port_ ABSL_GUARDED_BY(mutex_) = nullptr;
  HandleTable handles_ ABSL_GUARDED_BY(mutex_);
  Answers answers_ ABSL_GUARDED_BY(mutex_);
  Deadlines::Deadline deadline_;
  Phase phase_ ABSL_GUARDED_BY(mutex_) = Phase::kOpen;
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  // A write failed: the call is broken and will say so.
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;
  bool answer_always_ ABSL_GUARDED_BY(mutex_) = false;
  bool answer_wanted_ ABSL_GUARDED_BY(mutex_) = false;
  bool swept_in_message_ ABSL_GUARDED_BY(mutex_) = false;
  // Messages dealt with, and as of the last answer.
  std::uint64_t received_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t answered_ ABSL_GUARDED_BY(mutex_) = 0;
  // When what was received is to be acknowledged; kNever if it was.
  PresenceTime answer_due_ ABSL_GUARDED_BY(mutex_) = kNever;
  // When a session of this stream may have ended unnoticed.
  PresenceTime sweep_due_ ABSL_GUARDED_BY(mutex_) = kNever;
  // Since when the stream holds no session; kNever while it does.
  PresenceTime empty_since_ ABSL_GUARDED_BY(mutex_) = kNever;
  PresenceTime filed_for_ ABSL_GUARDED_BY(mutex_) = kNever;
  // When the call is broken off whose client does not take its end.
  PresenceTime cut_at_ ABSL_GUARDED_BY(mutex_) = kNever;
  PresenceTime last_applied_ ABSL_GUARDED_BY(mutex_);
  // What a drain asked the client to wait; zero before.
  Duration reconnect_delay_ ABSL_GUARDED_BY(mutex_){0};
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_HEARTBEAT_HEARTBEAT_STREAM_H_
