// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "lifesign/client/internal/heartbeat_stream.h"

#include <grpc/support/time.h>

#include <utility>

#include "lifesign/client/internal/client_call.h"

namespace lifesign::client::internal {
namespace {

// Of a LEAVE by a call of its own.
constexpr int kLeaveCallSeconds = 10;
// Callbacks of one object that run before others have their turn.
constexpr int kCallbacksInARow = 64;

}  // namespace

class HeartbeatStream::Call final
    : public StreamCall<
          grpc::ClientBidiReactor<v1::HeartbeatRequest, v1::HeartbeatResponse>,
          HeartbeatStream, v1::HeartbeatResponse> {
 public:
  using StreamCall::StreamCall;

  void Write(const v1::HeartbeatRequest& message) {
    BeforeStart();
    StartWrite(&message);
  }
  void HalfClose() {
    BeforeStart();
    StartWritesDone();
  }

 private:
  void OnWriteDone(bool ok) override {
    AfterStart();
    owner().OnWritten(ok);
  }
};

// LEAVE by SendSignal.
class HeartbeatStream::LeaveCall final
    : public SelfOwned<grpc::ClientUnaryReactor> {
 public:
  LeaveCall(std::shared_ptr<HeartbeatStream> owner, Handle handle,
            const v1::SendSignalRequest& leave)
      : request(leave), owner_(std::move(owner)), handle_(handle) {
    context().set_wait_for_ready(true);
    context().set_deadline(
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                     gpr_time_from_seconds(kLeaveCallSeconds, GPR_TIMESPAN)));
  }

  const v1::SendSignalRequest request;
  v1::SendSignalResponse response;

 private:
  void OnEnded(const Error& error) override {
    owner_->OnLeaveAnswered(handle_, error);
  }

  const std::shared_ptr<HeartbeatStream> owner_;
  const Handle handle_;
};

HeartbeatStream::HeartbeatStream(std::shared_ptr<grpc::Channel> channel,
                                 HeartbeatLogic::Options options,
                                 Callbacks callbacks)
    : channel_(std::move(channel)),
      stub_(v1::PresenceService::NewStub(channel_)),
      forgets_ended_(callbacks.forgets_ended),
      callbacks_(std::move(callbacks)),
      logic_(std::move(options), *this, random_) {}

bool HeartbeatStream::Await(
    const std::function<bool(const HeartbeatLogic&, RealTime)>& condition,
    Duration timeout) const {
  const RealTime end = SaturatingAdd(Threads::Get().Now(), timeout);
  MutexLock lock(mutex_);
  for (;;) {
    const RealTime now = Threads::Get().Now();
    if (condition(logic_, now)) return true;
    if (now >= end) return false;
    changed_.WaitFor(mutex_, end - now);
  }
}

void HeartbeatStream::OnNetworkChange() {
  ConnectAtOnce(*channel_);
  Do([](HeartbeatLogic& logic, RealTime now) { logic.OnNetworkChange(now); });
}

void HeartbeatStream::Close() {
  Callbacks ended;
  MutexLock lock(mutex_);
  if (closed_) return;
  closed_ = true;
  logic_.Close(Threads::Get().Now());
  Follow();
  if (Threads::InCallback()) return;
  while (calling_back_) changed_.Wait(mutex_);
  // What they captured goes with the owner, not with the last call.
  std::swap(ended, callbacks_);
}

void HeartbeatStream::Follow() {
  const RealTime deadline = logic_.NextDeadline();
  // Only ever earlier: most deadlines move to later, and cost nothing then.
  if (deadline < filed_) {
    filed_ = deadline;
    Threads::Get().File(*this, deadline);
  }
  changed_.NotifyAll();
  if (posted_ || closed_) return;
  if (logic_.HasNews() || logic_.link() != told_link_) {
    posted_ = true;
    Threads::Get().Post(shared_from_this());
  }
}

void HeartbeatStream::OnTimer() {
  MutexLock lock(mutex_);
  filed_ = RealTime::max();
  const RealTime now = Threads::Get().Now();
  if (now >= logic_.NextDeadline()) logic_.OnTimer(now);
  Follow();
}

void HeartbeatStream::RunCallbacks() {
  for (int i = 0; i < kCallbacksInARow; ++i) {
    if (!RunOneCallback()) return;
  }
  Threads::Get().Post(shared_from_this());
}

bool HeartbeatStream::RunOneCallback() {
  Handle handle = 0;
  absl::optional<SessionStatus> status;
  absl::optional<Link> link;
  {
    MutexLock lock(mutex_);
    if (!closed_) {
      if (logic_.link() != told_link_) {
        told_link_ = logic_.link();
        link = told_link_;
      } else if (handle = logic_.PopNews(); handle != 0) {
        const RealTime now = Threads::Get().Now();
        status = logic_.StatusOf(handle, now);
        if (forgets_ended_) logic_.Forget(handle, now);
      }
    }
    if (!link.has_value() && handle == 0) {
      posted_ = false;
      return false;
    }
    calling_back_ = true;
  }
  if (link.has_value()) {
    if (callbacks_.on_link) callbacks_.on_link(*link);
  } else if (status.has_value() && callbacks_.on_session) {
    callbacks_.on_session(handle, *status);
  }
  MutexLock lock(mutex_);
  calling_back_ = false;
  changed_.NotifyAll();
  return true;
}

// --- What gRPC tells

bool HeartbeatStream::OnRead(bool ok, const v1::HeartbeatResponse& response) {
  MutexLock lock(mutex_);
  if (!ok) {
    call_over_ = true;
    return false;
  }
  logic_.OnResponse(response, Threads::Get().Now());
  Follow();
  return true;
}

void HeartbeatStream::OnWritten(bool ok) {
  MutexLock lock(mutex_);
  logic_.OnWritten(ok, Threads::Get().Now());
  Follow();
}

void HeartbeatStream::OnEnded(const Error& error) {
  MutexLock lock(mutex_);
  call_.reset();
  logic_.OnStreamEnded(error, Threads::Get().Now());
  Follow();
}

void HeartbeatStream::OnLeaveAnswered(Handle handle, const Error& error) {
  MutexLock lock(mutex_);
  logic_.OnLeaveAnswered(handle, error, Threads::Get().Now());
  Follow();
}

// --- What the logic asks for

bool HeartbeatStream::BeginStream() {
  const grpc_connectivity_state state =
      channel_->GetState(/*try_to_connect=*/true);
  call_ = std::make_shared<Call>(
      std::static_pointer_cast<HeartbeatStream>(shared_from_this()),
      state == GRPC_CHANNEL_TRANSIENT_FAILURE);
  call_over_ = false;
  stub_->async()->Heartbeat(&call_->context(), call_.get());
  call_->Begin(call_);
  return state == GRPC_CHANNEL_READY;
}

void HeartbeatStream::Write(const v1::HeartbeatRequest& message) {
  if (!call_over_) call_->Write(message);
}

void HeartbeatStream::HalfClose() {
  if (!call_over_) call_->HalfClose();
}

void HeartbeatStream::CancelStream() { call_->Cancel(); }

void HeartbeatStream::CallLeave(Handle handle,
                                const v1::SendSignalRequest& request) {
  const auto call = std::make_shared<LeaveCall>(
      std::static_pointer_cast<HeartbeatStream>(shared_from_this()), handle,
      request);
  stub_->async()->SendSignal(&call->context(), &call->request, &call->response,
                             call.get());
  call->Begin(call);
}

}  // namespace lifesign::client::internal
