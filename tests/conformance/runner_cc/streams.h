// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A Heartbeat stream and a watch that are read step by step.
#ifndef LIFESIGN_TESTS_CONFORMANCE_RUNNER_CC_STREAMS_H_
#define LIFESIGN_TESTS_CONFORMANCE_RUNNER_CC_STREAMS_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/sync_stream.h>

#include <deque>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "lifesign/v1/presence_service.grpc.pb.h"
#include "tests/conformance/runner_cc/plain.h"

namespace lifesign::conformance {

// Gives `context` the time after which a call has failed. Nothing waits so long
// unless the server does not answer.
void LimitPatience(grpc::ClientContext& context);

grpc::ByteBuffer BytesOf(const std::string& text);

// Either as the generated client has it, or (raw) of bytes.
class HeartbeatStream {
 public:
  HeartbeatStream(const std::shared_ptr<grpc::Channel>& channel,
                  v1::PresenceService::Stub& stub, bool raw);
  ~HeartbeatStream();

  void Send(const v1::HeartbeatRequest& request);
  // REQUIRES: raw.
  void SendBytes(const std::string& bytes);
  // Waits for the next response; false at the end.
  bool Next(Value& response);
  // Says that nothing more will be sent.
  void HalfClose();
  // Breaks the stream off.
  void Cancel() { context_.TryCancel(); }
  // How it ended. REQUIRES: Next said false, or Cancel was called.
  grpc::Status End();

 private:
  grpc::ClientContext context_;
  // One of the two.
  std::unique_ptr<
      grpc::ClientReaderWriter<v1::HeartbeatRequest, v1::HeartbeatResponse>>
      typed_;
  std::unique_ptr<grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>>
      raw_;
  bool ended_ = false;
};

// An AwaitPresence call that is answered some time.
class Await {
 public:
  Await(v1::PresenceService::Stub& stub, v1::AwaitPresenceRequest request);
  ~Await();

  // Waits for its end: how it ended, and what it was answered.
  grpc::Status End(Value& answer);

 private:
  grpc::ClientContext context_;
  v1::AwaitPresenceResponse answer_;
  std::future<grpc::Status> status_;
};

// Takes responses apart into their parts, in the order in which they are to be
// taken; an acknowledgement after what it acknowledges.
class Watch {
 public:
  Watch(v1::PresenceService::Stub& stub,
        const v1::WatchPresenceRequest& request);
  // FollowPresence; Send says whom.
  explicit Watch(v1::PresenceService::Stub& stub);
  ~Watch();

  // REQUIRES: FollowPresence.
  void Send(const v1::FollowPresenceRequest& request);
  bool follows() const { return follow_ != nullptr; }

  // Waits for the next response; false at the end.
  bool Next(Value& response);
  // Waits for what comes next: "created", "resync", "snapshot" (one record),
  // "changes" (one record), "synced", "progress", "occupancy", "intents",
  // "refused" (one refusal) or "acked". False at the end.
  bool NextPart(std::string& name, Value& content);
  grpc::Status End();

  // The newest, in base64.
  const Value& token() const { return token_; }

 private:
  void TakeApart(const Value& response);

  grpc::ClientContext context_;
  // One of the two.
  std::unique_ptr<grpc::ClientReader<v1::WatchPresenceResponse>> watch_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::FollowPresenceRequest,
                                           v1::WatchPresenceResponse>>
      follow_;
  std::deque<std::pair<std::string, Value>> parts_;
  Value token_;
  bool ended_ = false;
};

}  // namespace lifesign::conformance

#endif  // LIFESIGN_TESTS_CONFORMANCE_RUNNER_CC_STREAMS_H_
