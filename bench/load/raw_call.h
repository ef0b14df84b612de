// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Streaming calls on bytes, as many as a machine can hold.
#ifndef LIFESIGN_BENCH_LOAD_RAW_CALL_H_
#define LIFESIGN_BENCH_LOAD_RAW_CALL_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/client_callback.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"

namespace lifesign::bench {

inline constexpr char kHeartbeatMethod[] =
    "/lifesign.v1.PresenceService/Heartbeat";
inline constexpr char kWatchMethod[] =
    "/lifesign.v1.PresenceService/WatchPresence";

// `count` connections to `target`, each its own.
std::vector<std::shared_ptr<grpc::Channel>> MakeChannels(
    const std::string& target, int count);

// One streaming call, of either kind. What is sent while a message is on its
// way waits here. Thread-safe.
class RawCall final
    : private grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  // Called on gRPC's threads, one message of a call at a time.
  using OnMessage = std::function<void(const grpc::ByteBuffer&)>;

  // Begins the call. `on_written` may be empty; it is told of each message
  // that flow control took.
  RawCall(const std::shared_ptr<grpc::Channel>& channel, const char* method,
          OnMessage on_message, std::function<void()> on_written = {});
  // As Cancel() and Await().
  ~RawCall() override;

  void Send(grpc::ByteBuffer message);
  // After what is sent already. REQUIRES: nothing is sent any more.
  void SendNoMore();
  // Breaks the call off.
  void Cancel() { context_.TryCancel(); }
  // Waits until the call is over.
  void Await();
  // Whether the call ended, of itself or by Cancel().
  bool ended();

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  const std::shared_ptr<grpc::Channel> channel_;
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  const OnMessage on_message_;
  const std::function<void()> on_written_;
  grpc::ByteBuffer received_;

  Mutex mutex_;
  CondVar changed_;
  std::deque<grpc::ByteBuffer> waiting_ ABSL_GUARDED_BY(mutex_);
  grpc::ByteBuffer sending_;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool send_no_more_ ABSL_GUARDED_BY(mutex_) = false;
  // Nothing may be started any more.
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool over_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_LOAD_RAW_CALL_H_
