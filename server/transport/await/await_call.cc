// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/await/await_call.h"

#include <utility>

#include "lifesign/v1/presence_service.pb.h"
#include "server/base/limits.h"
#include "server/transport/codec/bytes.h"
#include "server/transport/codec/encode_query.h"
#include "server/transport/codec/read_time.h"

namespace lifesign {

AwaitCall::AwaitCall(const ServerParts& parts, AwaitOptions options,
                     Quota::Share share)
    : parts_(parts),
      id_(parts.awaits.NewId()),
      share_(std::move(share)),
      options_(std::move(options)),
      deadline_(parts.deadlines) {}

AwaitCall::~AwaitCall() = default;

void AwaitCall::Start(StreamPort& port) {
  await_ = std::make_shared<Await>(std::move(options_.terms), weak_from_this());
  const Now now = parts_.time.Read();
  MutexLock lock(mutex_);
  port_ = &port;
  // Not before there is a port: whoever finds the call may end it.
  parts_.awaits.Add(id_, weak_from_this());
  parts_.engine.TellAndRegister(await_, now);
  if (await_->decided() || options_.wait <= Duration::zero()) {
    Answer(now);
    return;
  }
  give_up_at_ = SaturatingAdd(now.presence, options_.wait);
  parts_.deadlines.File(deadline_, weak_from_this(), give_up_at_);
}

void AwaitCall::OnRead(const grpc::ByteBuffer&) {}
void AwaitCall::OnReadsDone() {}
void AwaitCall::OnWritten(bool) {}

void AwaitCall::OnCancelled() {
  MutexLock lock(mutex_);
  Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the call was broken off"));
}

void AwaitCall::OnDone() {
  parts_.deadlines.Cancel(deadline_);
  parts_.awaits.Remove(id_);
  // Not when it is decided: that is on the publisher's thread, which others
  // wait for.
  parts_.engine.Unregister(*await_);
  MutexLock lock(mutex_);
  phase_ = Phase::kDone;
  port_ = nullptr;
}

void AwaitCall::OnDecided() {
  MutexLock lock(mutex_);
  if (phase_ == Phase::kWaiting) Answer(parts_.time.Read());
}

void AwaitCall::OnDeadline(const Now& now) {
  {
    MutexLock lock(mutex_);
    if (phase_ != Phase::kWaiting || now.presence < give_up_at_) return;
  }
  // Not here: many may come to their end with one tick, each with many users.
  parts_.chores.Add([self = shared_from_this()] { self->GiveUp(); });
}

void AwaitCall::GiveUp() {
  // What changed by now, be it that it came to nothing since, may be on its way
  // still.
  parts_.rounds.PublishNow();
  MutexLock lock(mutex_);
  if (phase_ != Phase::kWaiting) return;
  const Now now = parts_.time.Read();
  parts_.engine.TellAndRegister(await_, now);
  Answer(now);
}

void AwaitCall::EndForDrain() {
  MutexLock lock(mutex_);
  Finish(ToGrpcStatus(Draining(parts_.jitter.Between(
      limits::kMinReconnectDelay, limits::kMaxReconnectDelay))));
}

void AwaitCall::Answer(const Now& now) {
  ScratchArena arena;
  auto& answer = arena.Create<v1::AwaitPresenceResponse>();
  EncodeAwait(*await_, answer);
  EncodeReadTime(parts_.engine, now, answer);
  port_->Write(SerializeToBytes(answer));
  Finish(grpc::Status::OK);
}

void AwaitCall::Finish(const grpc::Status& status) {
  if (phase_ != Phase::kWaiting) return;
  phase_ = Phase::kFinished;
  port_->Finish(status);
}

}  // namespace lifesign
