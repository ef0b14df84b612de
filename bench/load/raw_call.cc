// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/load/raw_call.h"

#include <utility>
#include <vector>

#include "lifesign/client/channel.h"

namespace lifesign::bench {

std::vector<std::shared_ptr<grpc::Channel>> MakeChannels(
    const std::string& target, int count) {
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  channels.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    channels.push_back(client::MakeChannel(target, {}));
  }
  return channels;
}

RawCall::RawCall(const std::shared_ptr<grpc::Channel>& channel,
                 const char* method, OnMessage on_message,
                 std::function<void()> on_written)
    : channel_(channel),
      stub_(channel),
      on_message_(std::move(on_message)),
      on_written_(std::move(on_written)) {
  context_.set_wait_for_ready(true);
  stub_.PrepareBidiStreamingCall(&context_, method, {}, this);
  // Sends may start at any time: the call is held until it is broken.
  AddHold();
  StartRead(&received_);
  StartCall();
}

RawCall::~RawCall() {
  Cancel();
  Await();
}

void RawCall::Send(grpc::ByteBuffer message) {
  MutexLock lock(mutex_);
  if (ended_) return;
  if (writing_) {
    waiting_.push_back(std::move(message));
    return;
  }
  writing_ = true;
  sending_.Swap(&message);
  StartWrite(&sending_);
}

void RawCall::SendNoMore() {
  MutexLock lock(mutex_);
  send_no_more_ = true;
  if (!ended_ && !writing_) StartWritesDone();
}

void RawCall::Await() {
  MutexLock lock(mutex_);
  while (!over_) changed_.Wait(mutex_);
}

bool RawCall::ended() {
  MutexLock lock(mutex_);
  return ended_;
}

void RawCall::OnReadDone(bool ok) {
  if (!ok) {
    {
      MutexLock lock(mutex_);
      ended_ = true;
    }
    RemoveHold();
    return;
  }
  on_message_(received_);
  received_.Clear();
  StartRead(&received_);
}

void RawCall::OnWriteDone(bool ok) {
  if (ok && on_written_) on_written_();
  MutexLock lock(mutex_);
  sending_.Clear();
  if (!ok || ended_ || waiting_.empty()) {
    writing_ = false;
    if (ok && !ended_ && send_no_more_) StartWritesDone();
    return;
  }
  sending_.Swap(&waiting_.front());
  waiting_.pop_front();
  StartWrite(&sending_);
}

void RawCall::OnDone(const grpc::Status&) {
  MutexLock lock(mutex_);
  over_ = true;
  changed_.NotifyAll();
}

}  // namespace lifesign::bench
