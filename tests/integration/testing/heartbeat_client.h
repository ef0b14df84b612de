// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// One Heartbeat stream as a generated client holds it.
#ifndef LIFESIGN_TESTS_INTEGRATION_TESTING_HEARTBEAT_CLIENT_H_
#define LIFESIGN_TESTS_INTEGRATION_TESTING_HEARTBEAT_CLIENT_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/sync_stream.h>

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/types/optional.h"
#include "lifesign/v1/presence_service.grpc.pb.h"
#include "server/base/mutex.h"

namespace lifesign::testing {

// Reads on a thread of its own and keeps everything. Calls that wait give up,
// and say so, when nothing comes for long.
class HeartbeatClient {
 public:
  explicit HeartbeatClient(const std::shared_ptr<grpc::Channel>& channel);
  ~HeartbeatClient();

  // Sends without waiting. Returns the number of the message.
  std::uint64_t Send(const v1::HeartbeatRequest& request);

  // Sends, asking for an answer, and waits until the server has dealt with it.
  // Returns the errors that this message was answered with.
  std::vector<v1::HeartbeatError> Ask(v1::HeartbeatRequest request);

  // Opens on `handle`; the update that answers it, or the error.
  v1::SessionUpdate Open(const v1::Open& open);
  std::vector<v1::HeartbeatError> Signal(std::uint32_t handle,
                                         v1::SignalKind kind);

  // Waits until the server has dealt with message `n`.
  bool AwaitAcked(std::uint64_t n);
  // Waits for an error that answers no message, on `handle`.
  absl::optional<v1::HeartbeatError> AwaitNotice(std::uint32_t handle);
  bool AwaitDrain(v1::Drain& drain);

  // Says that nothing more will be sent, and waits for the end.
  grpc::Status Finish();
  // Breaks the stream.
  void Break();
  // Waits for the end that the server makes.
  grpc::Status AwaitEnd();

  std::vector<v1::HeartbeatResponse> responses() const;
  std::vector<v1::HeartbeatError> errors() const;
  // The newest update of the handle.
  absl::optional<v1::SessionUpdate> update(std::uint32_t handle) const;

 private:
  void ReadAll();

  std::unique_ptr<v1::PresenceService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<
      grpc::ClientReaderWriter<v1::HeartbeatRequest, v1::HeartbeatResponse>>
      stream_;

  mutable Mutex mutex_;
  mutable CondVar changed_;
  std::uint64_t sent_ = 0;
  std::vector<v1::HeartbeatResponse> responses_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t acked_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
  std::thread reader_;
};

// An Open, as tests write it.
v1::Open OpenOf(std::uint32_t handle, const std::string& user,
                const std::string& session,
                v1::SignalKind kind = v1::SIGNAL_KIND_UNSPECIFIED,
                std::uint64_t instance = 0);
v1::Signal SignalOf(std::uint32_t handle, v1::SignalKind kind);

}  // namespace lifesign::testing

#endif  // LIFESIGN_TESTS_INTEGRATION_TESTING_HEARTBEAT_CLIENT_H_
