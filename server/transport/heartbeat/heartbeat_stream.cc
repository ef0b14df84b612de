// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/heartbeat/heartbeat_stream.h"

#include <algorithm>
#include <utility>

#include "server/base/limits.h"

namespace lifesign {

HeartbeatStream::HeartbeatStream(const ServerParts& parts)
    : parts_(parts),
      id_(parts.heartbeats.NewId()),
      deadline_(parts.deadlines) {}

HeartbeatStream::~HeartbeatStream() = default;

void HeartbeatStream::Start(StreamPort& port) {
  const Now now = parts_.time.Read();
  MutexLock lock(mutex_);
  port_ = &port;
  // Not before there is a port: whoever finds the stream may end it.
  parts_.heartbeats.Add(id_, weak_from_this());
  last_applied_ = now.presence;
  empty_since_ = now.presence;
  Expect(SaturatingAdd(now.presence, limits::kStreamWithoutSession));
  ReadOn();
}

void HeartbeatStream::OnRead(const grpc::ByteBuffer& message) {
  std::vector<Binding> taken_over;
  {
    MutexLock lock(mutex_);
    reading_ = false;
    if (phase_ != Phase::kOpen) return;
    ApplyMessage(message, parts_.time.Read(), taken_over);
    if (phase_ == Phase::kOpen) ReadOn();
  }
  // Not while our lock is held: two streams may tell each other.
  for (const Binding& binding : taken_over) {
    const auto stream = parts_.heartbeats.Find(binding.stream);
    if (stream != nullptr) stream->OnTakenOver(binding.handle);
  }
}

void HeartbeatStream::OnReadsDone() {
  MutexLock lock(mutex_);
  reading_ = false;
  if (phase_ != Phase::kOpen) return;
  const Now now = parts_.time.Read();
  phase_ = Phase::kHalfClosed;
  Disconnect(now);
  // A client that does not take its last answer does not hold the stream.
  empty_since_ = now.presence;
  Expect(SaturatingAdd(now.presence, limits::kStreamWithoutSession));
  answer_wanted_ = answer_wanted_ || received_ != answered_;
  Answer();
}

void HeartbeatStream::OnWritten(bool ok) {
  MutexLock lock(mutex_);
  writing_ = false;
  if (phase_ >= Phase::kFinished) return;
  if (!ok) {
    broken_ = true;
    return;
  }
  Answer();
  if (phase_ == Phase::kOpen) ReadOn();
}

void HeartbeatStream::OnCancelled() {
  MutexLock lock(mutex_);
  if (phase_ >= Phase::kFinished) return;
  Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the call was broken off"));
}

void HeartbeatStream::OnDone() {
  parts_.deadlines.Cancel(deadline_);
  MutexLock lock(mutex_);
  phase_ = Phase::kDone;
  port_ = nullptr;
}

void HeartbeatStream::OnDeadline(const Now& now) {
  MutexLock lock(mutex_);
  filed_for_ = kNever;
  if (phase_ == Phase::kFinished) {
    if (!writing_) return;
    if (cut_at_ <= now.presence) {
      port_->Cancel();
    } else {
      Expect(cut_at_);
    }
    return;
  }
  if (phase_ == Phase::kDone) return;
  if (sweep_due_ <= now.presence) Sweep(now);
  if (answer_due_ <= now.presence) {
    answer_wanted_ = true;
    Answer();
  }
  if (phase_ >= Phase::kFinished) return;
  const PresenceTime ends =
      empty_since_ == kNever
          ? kNever
          : SaturatingAdd(empty_since_, limits::kStreamWithoutSession);
  if (ends <= now.presence) {
    Finish(ToGrpcStatus(NoSession()));
    return;
  }
  Expect(std::min({answer_due_, sweep_due_, ends}));
}

void HeartbeatStream::OnTakenOver(std::uint32_t handle) {
  const Now now = parts_.time.Read();
  MutexLock lock(mutex_);
  if (phase_ != Phase::kOpen) return;
  if (const HandleTable::Bound* bound = handles_.Find(handle)) {
    // Bound again meanwhile: the client would take the news for the new one's.
    if (parts_.engine.IsBound(bound->ref, now)) return;
    Free(handle, now);
  }
  answers_.AddError(0, handle, SessionTakenOver());
  if (writing_) answers_.DropOldErrors();
  Answer();
}

void HeartbeatStream::TellDrain(Duration reconnect_delay) {
  MutexLock lock(mutex_);
  if (phase_ != Phase::kOpen) return;
  reconnect_delay_ = reconnect_delay;
  answers_.SetDrain(reconnect_delay);
  Answer();
}

void HeartbeatStream::EndForDrain() {
  MutexLock lock(mutex_);
  if (phase_ >= Phase::kFinished) return;
  if (reconnect_delay_.count() == 0) {
    reconnect_delay_ = parts_.jitter.Between(limits::kMinReconnectDelay,
                                             limits::kMaxReconnectDelay);
  }
  Finish(ToGrpcStatus(Draining(reconnect_delay_)));
}

void HeartbeatStream::Answer() {
  if (writing_ || broken_ || phase_ >= Phase::kFinished) return;
  if (answers_.empty() && !answer_wanted_) {
    if (phase_ == Phase::kHalfClosed) Finish(grpc::Status::OK);
    return;
  }
  answer_wanted_ = false;
  answer_due_ = kNever;
  answered_ = received_;
  writing_ = true;
  port_->Write(answers_.Take(received_));
}

void HeartbeatStream::AnswerOrWait(bool at_once, const Now& now) {
  if (at_once || answer_always_) answer_wanted_ = true;
  Answer();
  if (writing_) answers_.DropOldErrors();
  if (answered_ == received_ || answer_due_ != kNever) return;
  // At latest when a third of the ttl has passed, whichever class judges it.
  answer_due_ =
      SaturatingAdd(now.presence, parts_.engine.policy().ShortestTtl() / 3);
  Expect(answer_due_);
}

void HeartbeatStream::ReadOn() {
  if (reading_) return;
  // A client that takes no answers is not read while it could make us hold
  // more of them.
  if (writing_ &&
      answers_.updates() >=
          static_cast<std::size_t>(parts_.limits.max_sessions_per_stream)) {
    return;
  }
  reading_ = true;
  port_->Read();
}

void HeartbeatStream::Expect(PresenceTime at) {
  if (at == kNever || filed_for_ <= at) return;
  filed_for_ = at;
  parts_.deadlines.File(deadline_, weak_from_this(), at);
}

void HeartbeatStream::Finish(const grpc::Status& status) {
  const Now now = parts_.time.Read();
  Disconnect(now);
  parts_.heartbeats.Remove(id_);
  parts_.deadlines.Cancel(deadline_);
  phase_ = Phase::kFinished;
  answers_ = Answers();
  port_->Finish(status);
  if (!writing_) return;
  // The end waits behind the message in flight, for ever if the client takes
  // nothing.
  cut_at_ = SaturatingAdd(now.presence, limits::kSlowConsumerGrace);
  filed_for_ = kNever;
  Expect(cut_at_);
}

void HeartbeatStream::Disconnect(const Now& now) {
  std::vector<SessionRef> refs = handles_.TakeAll();
  sweep_due_ = kNever;
  if (refs.size() <= limits::kMostReleasedInPlace) {
    for (const SessionRef& ref : refs) parts_.engine.Disconnect(ref, now);
    return;
  }
  parts_.chores.Add([&engine = parts_.engine, refs = std::move(refs), now] {
    for (const SessionRef& ref : refs) engine.Disconnect(ref, now);
  });
}

}  // namespace lifesign
