// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "lifesign/client/internal/watch_stream.h"

#include <utility>

#include "lifesign/client/internal/client_call.h"

namespace lifesign::client::internal {
namespace {

// Callbacks of one object that run before others have their turn.
constexpr int kCallbacksInARow = 64;

}  // namespace

class WatchStream::WatchCall final
    : public StreamCall<grpc::ClientReadReactor<v1::WatchPresenceResponse>,
                        WatchStream, v1::WatchPresenceResponse> {
 public:
  using StreamCall::StreamCall;

  v1::WatchPresenceRequest request;
};

class WatchStream::FollowCall final
    : public StreamCall<grpc::ClientBidiReactor<v1::FollowPresenceRequest,
                                                v1::WatchPresenceResponse>,
                        WatchStream, v1::WatchPresenceResponse> {
 public:
  using StreamCall::StreamCall;

  // REQUIRES: no write is in flight.
  void Write(v1::FollowPresenceRequest message) {
    message_ = std::move(message);
    BeforeStart();
    StartWrite(&message_);
  }

 private:
  void OnWriteDone(bool ok) override {
    AfterStart();
    owner().OnWritten(ok);
  }

  // Until it is written.
  v1::FollowPresenceRequest message_;
};

WatchStream::WatchStream(std::shared_ptr<grpc::Channel> channel,
                         WatchOptions options)
    : channel_(std::move(channel)),
      stub_(v1::PresenceService::NewStub(channel_)),
      on_response_(std::move(options.on_response)),
      on_event_(std::move(options.on_event)),
      logic_(options, *this, random_) {}

void WatchStream::Start() {
  MutexLock lock(mutex_);
  logic_.Start(Threads::Get().Now());
  Follow();
}

void WatchStream::OnNetworkChange() {
  ConnectAtOnce(*channel_);
  MutexLock lock(mutex_);
  logic_.OnNetworkChange(Threads::Get().Now());
  Follow();
}

absl::Status WatchStream::CanChange() const {
  if (!logic_.is_of_a_set()) {
    return absl::FailedPreconditionError("the watch is not of a set of users");
  }
  if (logic_.ended()) {
    return absl::FailedPreconditionError("the watch has ended");
  }
  return absl::OkStatus();
}

absl::Status WatchStream::Add(const std::vector<std::string>& users) {
  MutexLock lock(mutex_);
  if (absl::Status fault = CanChange(); !fault.ok()) return fault;
  logic_.Add(users);
  Follow();
  return absl::OkStatus();
}

absl::Status WatchStream::Remove(const std::vector<std::string>& users) {
  MutexLock lock(mutex_);
  if (absl::Status fault = CanChange(); !fault.ok()) return fault;
  logic_.Remove(users);
  Follow();
  return absl::OkStatus();
}

absl::optional<WatchEvent> WatchStream::Next(Duration timeout) {
  const RealTime end = SaturatingAdd(Threads::Get().Now(), timeout);
  MutexLock lock(mutex_);
  for (;;) {
    if (end_told_) return absl::nullopt;
    if (absl::optional<WatchEvent> event = logic_.NextEvent()) {
      end_told_ = event->kind == WatchEvent::Kind::kEnded;
      return event;
    }
    const RealTime now = Threads::Get().Now();
    if (now >= end) return absl::nullopt;
    changed_.WaitFor(mutex_, end - now);
  }
}

void WatchStream::Close() {
  std::function<void(const WatchEvent&)> ended;
  MutexLock lock(mutex_);
  if (closed_) return;
  closed_ = true;
  if (watch_ != nullptr || follow_ != nullptr) CancelStream();
  Threads::Get().File(*this, RealTime::max());
  if (Threads::InCallback()) return;
  while (calling_back_) changed_.Wait(mutex_);
  // What it captured goes with the owner, not with the last call.
  std::swap(ended, on_event_);
}

void WatchStream::Follow() {
  if (closed_) return;
  const RealTime deadline = logic_.NextDeadline();
  // Only ever earlier: most deadlines move to later, and cost nothing then.
  if (deadline < filed_) {
    filed_ = deadline;
    Threads::Get().File(*this, deadline);
  }
  if (!logic_.view().HasEvents()) return;
  if (!on_event_) {
    changed_.NotifyAll();
  } else if (!posted_) {
    posted_ = true;
    Threads::Get().Post(shared_from_this());
  }
}

void WatchStream::OnTimer() {
  MutexLock lock(mutex_);
  if (closed_) return;
  filed_ = RealTime::max();
  const RealTime now = Threads::Get().Now();
  if (now >= logic_.NextDeadline()) logic_.OnTimer(now);
  Follow();
}

void WatchStream::RunCallbacks() {
  for (int i = 0; i < kCallbacksInARow; ++i) {
    if (!RunOneCallback()) return;
  }
  Threads::Get().Post(shared_from_this());
}

bool WatchStream::RunOneCallback() {
  absl::optional<WatchEvent> event;
  {
    MutexLock lock(mutex_);
    if (!closed_) event = logic_.NextEvent();
    if (!event.has_value()) {
      posted_ = false;
      return false;
    }
    calling_back_ = true;
  }
  on_event_(*event);
  MutexLock lock(mutex_);
  calling_back_ = false;
  changed_.NotifyAll();
  return true;
}

bool WatchStream::OnRead(bool ok, const v1::WatchPresenceResponse& response) {
  MutexLock lock(mutex_);
  if (!ok || closed_) {
    call_over_ = true;
    return false;
  }
  if (on_response_) on_response_(response);
  logic_.OnResponse(response, Threads::Get().Now());
  Follow();
  return true;
}

void WatchStream::OnWritten(bool ok) {
  MutexLock lock(mutex_);
  writing_ = false;
  if (!ok || !to_write_.has_value()) return;
  // It was called for while the last one was on its way.
  const v1::FollowPresenceRequest message = *std::move(to_write_);
  to_write_.reset();
  Write(message);
}

void WatchStream::OnEnded(const Error& error) {
  MutexLock lock(mutex_);
  watch_.reset();
  follow_.reset();
  writing_ = false;
  to_write_.reset();
  if (closed_) return;
  logic_.OnStreamEnded(error, Threads::Get().Now());
  Follow();
}

bool WatchStream::IsPatient() {
  return channel_->GetState(/*try_to_connect=*/true) ==
         GRPC_CHANNEL_TRANSIENT_FAILURE;
}

void WatchStream::BeginStream(const v1::WatchPresenceRequest& request) {
  watch_ = std::make_shared<WatchCall>(
      std::static_pointer_cast<WatchStream>(shared_from_this()), IsPatient());
  watch_->request = request;
  stub_->async()->WatchPresence(&watch_->context(), &watch_->request,
                                watch_.get());
  watch_->Begin(watch_);
}

void WatchStream::BeginFollowing(const v1::WatchPresenceRequest& request) {
  follow_ = std::make_shared<FollowCall>(
      std::static_pointer_cast<WatchStream>(shared_from_this()), IsPatient());
  call_over_ = false;
  stub_->async()->FollowPresence(&follow_->context(), follow_.get());
  follow_->Begin(follow_);
  v1::FollowPresenceRequest first;
  *first.mutable_watch() = request;
  Write(first);
}

void WatchStream::Write(const v1::FollowPresenceRequest& message) {
  if (call_over_) return;
  if (writing_) {
    to_write_ = message;
    return;
  }
  writing_ = true;
  follow_->Write(message);
}

void WatchStream::CancelStream() {
  if (follow_ != nullptr) {
    follow_->Cancel();
  } else {
    watch_->Cancel();
  }
}

}  // namespace lifesign::client::internal
