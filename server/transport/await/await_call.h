// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// One AwaitPresence call. docs/concepts.md § 10.
#ifndef LIFESIGN_SERVER_TRANSPORT_AWAIT_AWAIT_CALL_H_
#define LIFESIGN_SERVER_TRANSPORT_AWAIT_AWAIT_CALL_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <cstdint>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"
#include "server/core/query/await.h"
#include "server/transport/call/stream_port.h"
#include "server/transport/codec/decode_query.h"
#include "server/transport/deadlines.h"
#include "server/transport/quota.h"
#include "server/transport/server_parts.h"

namespace lifesign {

// The logic, behind a StreamPort on which one message is written; knows no gRPC
// call. Nothing is polled: it is woken by the change that decides its await, or
// by the deadline at which it gives up.
//
// Thread-safe. Lock order: as a stream. Owned by its call; others hold it
// weakly.
class AwaitCall final : public StreamLogic,
                        public AwaitListener,
                        public Deadlines::Listener,
                        public std::enable_shared_from_this<AwaitCall> {
 public:
  // `parts` outlives it. `share`: of what is awaited in the whole server.
  AwaitCall(const ServerParts& parts, AwaitOptions options, Quota::Share share);
  ~AwaitCall() override;

  // Looks, and waits if there is something to wait for. To be called once;
  // `port` is used until OnDone.
  void Start(StreamPort& port);

  void OnRead(const grpc::ByteBuffer& message) override;
  void OnReadsDone() override;
  void OnWritten(bool ok) override;
  void OnCancelled() override;
  void OnDone() override;

  void OnDecided() override;
  void OnDeadline(const Now& now) override;

  // Ends the wait: UNAVAILABLE/DRAINING.
  void EndForDrain();

  StreamId id() const { return id_; }

 private:
  enum class Phase : std::uint8_t {
    kWaiting,
    kFinished,  // Finish was called
    kDone,      // the port is gone
  };

  // The wait is over: looks once more, and answers what it sees.
  void GiveUp();
  void Answer(const Now& now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Finish(const grpc::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Constant after construction, but for await_, which Start makes.
  const ServerParts& parts_;
  const StreamId id_;
  const Quota::Share share_;
  AwaitOptions options_;
  std::shared_ptr<Await> await_;

  // Guarded. Before the engine's locks, and the transport's leaves.
  Mutex mutex_;
  StreamPort* port_ ABSL_GUARDED_BY(mutex_) = nullptr;
  Deadlines::Deadline deadline_;
  Phase phase_ ABSL_GUARDED_BY(mutex_) = Phase::kWaiting;
  PresenceTime give_up_at_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_AWAIT_AWAIT_CALL_H_
