// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/load/fleet.h"

#include <algorithm>

#include "bench/load/messages.h"
#include "server/base/limits.h"

namespace lifesign::bench {
namespace {

grpc::ByteBuffer OneSignal(int user, v1::SignalKind kind) {
  const std::uint32_t handle = HandleOf(user);
  return ToBytes(Signals({&handle, 1}, kind));
}

}  // namespace

SessionStream::SessionStream(const std::shared_ptr<grpc::Channel>& channel,
                             int first_user, int users)
    : first_user_(first_user),
      users_(users),
      here_(static_cast<std::size_t>(users), true),
      call_(std::make_unique<RawCall>(
          channel, kHeartbeatMethod,
          [this](const grpc::ByteBuffer& bytes) { OnAnswer(bytes); })) {
  for (int next = 0; next < users;) {
    v1::HeartbeatRequest request;
    const int end = std::min(users, next + limits::kMaxOpensPerMessage);
    for (; next < end; ++next) {
      AddOpen(HandleOf(first_user + next), first_user + next, request);
    }
    call_->Send(ToBytes(request));
  }
}

void SessionStream::BeatNext() {
  call_->Send(OneSignal(first_user_ + next_, v1::SIGNAL_KIND_ACTIVE));
  next_ = (next_ + 1) % users_;
}

void SessionStream::Flip(int user) {
  const auto index = static_cast<std::size_t>(user - first_user_);
  here_[index] = !here_[index];
  if (!here_[index]) {
    call_->Send(OneSignal(user, v1::SIGNAL_KIND_LEAVE));
    return;
  }
  v1::HeartbeatRequest request;
  AddOpen(HandleOf(user), user, request);
  call_->Send(ToBytes(request));
}

void SessionStream::OnAnswer(const grpc::ByteBuffer& bytes) {
  v1::HeartbeatResponse response;
  if (!FromBytes(bytes, response)) return;
  for (const auto& update : response.updates()) {
    if (update.has_opened()) ++opened_;
  }
}

}  // namespace lifesign::bench
