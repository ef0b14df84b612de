// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A WatchLogic on a real channel.
#ifndef LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_WATCH_STREAM_H_
#define LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_WATCH_STREAM_H_

#include <grpcpp/channel.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "lifesign/client/internal/threads.h"
#include "lifesign/client/internal/watch_logic.h"
#include "lifesign/client/watcher.h"
#include "lifesign/v1/presence_service.grpc.pb.h"
#include "server/base/mutex.h"

namespace lifesign::client::internal {

// Guards the logic, gives it the time, and carries what it asks for to gRPC and
// to the timer thread, and its events to whoever takes them. See
// HeartbeatStream, which is its like.
//
// Thread-safe.
class WatchStream final : public ThreadTarget, private WatchPort {
 public:
  WatchStream(std::shared_ptr<grpc::Channel> channel, WatchOptions options);

  void Start();
  void OnNetworkChange();
  absl::Status Add(const std::vector<std::string>& users);
  absl::Status Remove(const std::vector<std::string>& users);

  // The next event, waiting for it at most `timeout`.
  absl::optional<WatchEvent> Next(Duration timeout);

  // Runs `question(logic, now)`, which changes nothing.
  template <typename Question>
  auto Ask(const Question& question) const {
    MutexLock lock(mutex_);
    const WatchLogic& logic = logic_;
    return question(logic, Threads::Get().Now());
  }

  // No callback runs after it, unless it is called by one.
  void Close();

  // --- Called by its call; see StreamCall.
  bool OnRead(bool ok, const v1::WatchPresenceResponse& response);
  void OnWritten(bool ok);
  void OnEnded(const Error& error);

 private:
  class WatchCall;
  class FollowCall;

  void OnTimer() override;
  void RunCallbacks() override;

  void BeginStream(const v1::WatchPresenceRequest& request) override
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void BeginFollowing(const v1::WatchPresenceRequest& request) override
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Write(const v1::FollowPresenceRequest& message) override
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CancelStream() override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // A call waits for a connection that has just failed, instead of failing with
  // it.
  bool IsPatient();
  // OK if users can be added and removed.
  absl::Status CanChange() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Files the logic's next deadline and wakes whoever takes its events.
  void Follow() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Runs the callback with the next event; false: there is none.
  bool RunOneCallback();

  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::PresenceService::Stub> stub_;
  const std::function<void(const v1::WatchPresenceResponse&)> on_response_;

  mutable Mutex mutex_;
  CondVar changed_;
  // Told under no lock, while `calling_back_`; emptied by Close.
  std::function<void(const WatchEvent&)> on_event_;
  absl::InsecureBitGen random_ ABSL_GUARDED_BY(mutex_);
  WatchLogic logic_ ABSL_GUARDED_BY(mutex_);
  // Of the stream; both are null between streams.
  std::shared_ptr<WatchCall> watch_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<FollowCall> follow_ ABSL_GUARDED_BY(mutex_);
  // Of `follow_`: a write is in flight; the message that waits for its end; the
  // reads have ended, so none may begin.
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  absl::optional<v1::FollowPresenceRequest> to_write_ ABSL_GUARDED_BY(mutex_);
  bool call_over_ ABSL_GUARDED_BY(mutex_) = false;
  RealTime filed_ ABSL_GUARDED_BY(mutex_) = RealTime::max();
  bool posted_ ABSL_GUARDED_BY(mutex_) = false;
  bool calling_back_ ABSL_GUARDED_BY(mutex_) = false;
  bool end_told_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace lifesign::client::internal

#endif  // LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_WATCH_STREAM_H_
