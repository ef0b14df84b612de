// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Streams of the floors: as little as gRPC allows.
#ifndef LIFESIGN_BENCH_BASELINE_STREAMS_H_
#define LIFESIGN_BENCH_BASELINE_STREAMS_H_

#include <google/protobuf/arena.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <cstdint>
#include <deque>

#include "lifesign/v1/presence_service.grpc.pb.h"
#include "server/base/mutex.h"

namespace lifesign::bench {

using RawHeartbeatReactor =
    grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;
using RawWatchReactor = grpc::ServerWriteReactor<grpc::ByteBuffer>;

// Only the methods that a floor has need to be raw.
using HeartbeatFloor = v1::PresenceService::WithRawCallbackMethod_Heartbeat<
    v1::PresenceService::Service>;
using FanoutFloor =
    v1::PresenceService::WithRawCallbackMethod_WatchPresence<HeartbeatFloor>;

// Reads one message after the other and hands each to Stream::OnMessage(),
// which asks for the next one by ReadNext().
template <typename Stream>
class Reader : public RawHeartbeatReactor {
 public:
  Reader() { ReadNext(); }

  void OnReadDone(bool ok) final {
    if (!ok) {
      Finish(grpc::Status::OK);
      return;
    }
    // Taken out, so that a stream which is silent holds no message.
    grpc::ByteBuffer message;
    message.Swap(&received_);
    static_cast<Stream*>(this)->OnMessage(message);
  }
  void OnDone() final { delete static_cast<Stream*>(this); }

 protected:
  ~Reader() override = default;
  void ReadNext() { StartRead(&received_); }

 private:
  grpc::ByteBuffer received_;
};

// The arena of this thread, emptied: its first block is kept.
google::protobuf::Arena& FreshArena();

// False if `bytes` is not the message. Usually without a copy.
bool Parse(grpc::ByteBuffer& bytes, google::protobuf::MessageLite& message);

// A watch: what is sent while a message is on its way waits, in order.
// The answer to so many messages of a stream.
grpc::ByteBuffer Answered(google::protobuf::Arena& arena,
                          std::uint64_t messages);

class Watch final : public RawWatchReactor {
 public:
  void Send(const grpc::ByteBuffer& message);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  // Deletes it, once nobody sends to it any more.
  void OnDone() override;

 private:
  Mutex mutex_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::ByteBuffer sending_;
  std::deque<grpc::ByteBuffer> waiting_ ABSL_GUARDED_BY(mutex_);
};

// All watches of a server. They stay for as long as it lives: a floor is
// started for one measurement.
class Watches {
 public:
  Watch* Add();
  void SendToAll(const grpc::ByteBuffer& message);

 private:
  Mutex mutex_;
  std::deque<Watch> watches_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_BASELINE_STREAMS_H_
