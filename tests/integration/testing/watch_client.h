// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// One WatchPresence stream as a generated client reads it.
#ifndef LIFESIGN_TESTS_INTEGRATION_TESTING_WATCH_CLIENT_H_
#define LIFESIGN_TESTS_INTEGRATION_TESTING_WATCH_CLIENT_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/sync_stream.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "lifesign/v1/presence_service.grpc.pb.h"
#include "server/base/mutex.h"

namespace lifesign::testing {

// Reads on a thread of its own and keeps everything. Calls that wait give up
// when nothing comes for long.
class WatchClient {
 public:
  WatchClient(const std::shared_ptr<grpc::Channel>& channel,
              const v1::WatchPresenceRequest& request);
  ~WatchClient();

  // Waits until `condition` holds of all messages so far. False if it never
  // did.
  bool Await(
      const std::function<bool(const std::vector<v1::WatchPresenceResponse>&)>&
          condition);
  bool AwaitSynced();
  // Waits for a change of `user` to `state`.
  bool AwaitChange(const std::string& user, v1::PresenceState state);
  grpc::Status AwaitEnd();
  bool ended() const;

  std::vector<v1::WatchPresenceResponse> messages() const;
  std::vector<v1::PresenceRecord> snapshot() const;
  std::vector<v1::PresenceRecord> changes() const;
  std::vector<v1::PresenceRecord> changes_of(const std::string& user) const;
  // The newest token; empty if none came.
  std::string token() const;
  v1::WatchCreated created() const;

 private:
  void ReadAll();

  std::unique_ptr<v1::PresenceService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::WatchPresenceResponse>> stream_;

  mutable Mutex mutex_;
  mutable CondVar changed_;
  std::vector<v1::WatchPresenceResponse> messages_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
  std::thread reader_;
};

}  // namespace lifesign::testing

#endif  // LIFESIGN_TESTS_INTEGRATION_TESTING_WATCH_CLIENT_H_
