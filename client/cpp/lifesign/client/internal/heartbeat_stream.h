// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A HeartbeatLogic on a real channel.
#ifndef LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_HEARTBEAT_STREAM_H_
#define LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_HEARTBEAT_STREAM_H_

#include <grpcpp/channel.h>

#include <functional>
#include <memory>

#include "absl/random/random.h"
#include "absl/types/optional.h"
#include "lifesign/client/internal/heartbeat_logic.h"
#include "lifesign/client/internal/heartbeat_port.h"
#include "lifesign/client/internal/threads.h"
#include "lifesign/client/session_status.h"
#include "lifesign/v1/presence_service.grpc.pb.h"
#include "server/base/mutex.h"

namespace lifesign::client::internal {

// Guards the logic, gives it the time, and carries what it asks for to gRPC,
// to the timer thread and to the callback thread.
//
// Held by its owner (Session, GatewayStream) and by its call in flight. gRPC is
// called with the lock held: it runs no reaction inside a call of ours.
//
// Thread-safe.
class HeartbeatStream final : public ThreadTarget, private HeartbeatPort {
 public:
  struct Callbacks {
    // With the status of a session that has news; null: nobody asks.
    std::function<void(Handle, const SessionStatus&)> on_session;
    // The link has changed.
    std::function<void(Link)> on_link;
    // Ended sessions are forgotten once `on_session` was told.
    bool forgets_ended = false;
  };

  HeartbeatStream(std::shared_ptr<grpc::Channel> channel,
                  HeartbeatLogic::Options options, Callbacks callbacks);

  // Runs `word(logic, now)` and does what follows from it. Returns its result.
  template <typename Word>
  auto Do(const Word& word) {
    MutexLock lock(mutex_);
    if constexpr (std::is_void_v<decltype(word(logic_,
                                               Threads::Get().Now()))>) {
      word(logic_, Threads::Get().Now());
      Follow();
    } else {
      auto result = word(logic_, Threads::Get().Now());
      Follow();
      return result;
    }
  }
  // Runs `question(logic, now)`, which changes nothing.
  template <typename Question>
  auto Ask(const Question& question) const {
    MutexLock lock(mutex_);
    const HeartbeatLogic& logic = logic_;
    return question(logic, Threads::Get().Now());
  }
  // Waits until `condition(logic, now)`, at most `timeout`.
  bool Await(
      const std::function<bool(const HeartbeatLogic&, RealTime)>& condition,
      Duration timeout) const;

  void OnNetworkChange();

  // No callback runs after it, unless it is called by one. What leaves is still
  // told to the server.
  void Close();

  // --- Called by its calls; see StreamCall.
  bool OnRead(bool ok, const v1::HeartbeatResponse& response);
  void OnEnded(const Error& error);
  void OnWritten(bool ok);
  void OnLeaveAnswered(Handle handle, const Error& error);

 private:
  class Call;
  class LeaveCall;

  void OnTimer() override;
  void RunCallbacks() override;

  bool BeginStream() override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Write(const v1::HeartbeatRequest& message) override
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void HalfClose() override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CancelStream() override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CallLeave(Handle handle, const v1::SendSignalRequest& request) override
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  void LeaveAnswered(Handle handle, const Error& error);

  // Files the logic's next deadline and posts its news.
  void Follow() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Runs one callback that is due; false: none is.
  bool RunOneCallback();

  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::PresenceService::Stub> stub_;
  const bool forgets_ended_;

  mutable Mutex mutex_;
  mutable CondVar changed_;
  // Told under no lock, while `calling_back_`; emptied by Close.
  Callbacks callbacks_;
  absl::InsecureBitGen random_ ABSL_GUARDED_BY(mutex_);
  HeartbeatLogic logic_ ABSL_GUARDED_BY(mutex_);
  // Null between streams.
  std::shared_ptr<Call> call_ ABSL_GUARDED_BY(mutex_);
  // Nothing more can be started on `call_`.
  bool call_over_ ABSL_GUARDED_BY(mutex_) = false;
  RealTime filed_ ABSL_GUARDED_BY(mutex_) = RealTime::max();
  Link told_link_ ABSL_GUARDED_BY(mutex_) = Link::kIdle;
  bool posted_ ABSL_GUARDED_BY(mutex_) = false;
  bool calling_back_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace lifesign::client::internal

#endif  // LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_HEARTBEAT_STREAM_H_
