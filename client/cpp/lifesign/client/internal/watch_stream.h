// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A WatchLogic on a real channel.
#ifndef LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_WATCH_STREAM_H_
#define LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_WATCH_STREAM_H_

#include <grpcpp/channel.h>

#include <functional>
#include <memory>

#include "absl/random/random.h"
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
  void OnEnded(const Error& error);

 private:
  class Call;

  void OnTimer() override;
  void RunCallbacks() override;

  void BeginStream(const v1::WatchPresenceRequest& request) override
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CancelStream() override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

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
  // Null between streams.
  std::shared_ptr<Call> call_ ABSL_GUARDED_BY(mutex_);
  RealTime filed_ ABSL_GUARDED_BY(mutex_) = RealTime::max();
  bool posted_ ABSL_GUARDED_BY(mutex_) = false;
  bool calling_back_ ABSL_GUARDED_BY(mutex_) = false;
  bool end_told_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace lifesign::client::internal

#endif  // LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_WATCH_STREAM_H_
