// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// FollowPresence: a watch whose client adds and removes users.
#include <utility>

#include "server/transport/codec/bytes.h"
#include "server/transport/watch/watch_draft.h"
#include "server/transport/watch/watch_stream.h"

namespace lifesign {

void WatchStream::OnRead(const grpc::ByteBuffer& message) {
  const Now now = parts_.time.Read();
  MutexLock lock(mutex_);
  if (phase_ >= Phase::kFinished) return;
  ++following_->received;
  following_->pending = true;
  if (phase_ == Phase::kAwaiting) {
    OnFirstRequest(message, now);
    return;
  }
  OnLaterRequest(message);
  Pump(now);
  ExpectNext(now);
}

void WatchStream::OnReadsDone() {
  MutexLock lock(mutex_);
  if (phase_ != Phase::kAwaiting) return;
  FieldFaults faults;
  faults.Add("watch", "required in the first message");
  Finish(ToGrpcStatus(std::move(faults).ToError()));
}

void WatchStream::OnFirstRequest(const grpc::ByteBuffer& message,
                                 const Now& now) {
  ScratchArena arena;
  auto& request = arena.Create<v1::FollowPresenceRequest>();
  WatchOptions options;
  auto error =
      ParseMessage(message, request)
          ? DecodeFollow(request, parts_.limits.max_watched_users, options)
          : MalformedMessage();
  if (!parts_.MaySee(options.terms.view)) error = SeeThroughDenied();
  if (error.has_value()) {
    Finish(ToGrpcStatus(*error));
    return;
  }
  Begin(std::move(options), now);
}

void WatchStream::OnLaterRequest(const grpc::ByteBuffer& message) {
  ScratchArena arena;
  auto& request = arena.Create<v1::FollowPresenceRequest>();
  following_->change = FollowChange();
  following_->refusal = ParseMessage(message, request)
                            ? DecodeFollowChange(request, following_->change)
                            : MalformedMessage();
}

void WatchStream::Follow(const Now& now, WatchDraft& draft) {
  if (following_ == nullptr || !following_->pending) return;
  // One after another, and not while a copy is of those who are there.
  if (phase_ != Phase::kLive || copying_) return;
  FollowChange& change = following_->change;
  if (!following_->refusal.has_value()) {
    const IdSet& users = UserSet().users();
    change.add = users.Without(change.add);
    change.remove = users.Within(change.remove);
    const auto most = static_cast<std::size_t>(parts_.limits.max_watched_users);
    if (users.size() + change.add.size() - change.remove.size() > most) {
      following_->refusal =
          TooManyWatchedUsers(parts_.limits.max_watched_users);
    }
  }
  if (following_->refusal.has_value() || change.add.empty()) {
    EndFollow(now, draft);
    return;
  }
  following_->adding = true;
  UserSet().Add(change.add);
  copying_ = true;
  copy_since_ = 0;
  copy_leads_to_ = delivered_up_to_;
}

void WatchStream::EndFollow(const Now& now, WatchDraft& draft) {
  FollowChange change;
  std::swap(change, following_->change);
  if (following_->refusal.has_value()) {
    v1::FollowRefusal& refusal = *draft.tail.add_refused();
    refusal.set_message(following_->received);
    *refusal.mutable_status() = ToRpcStatus(*following_->refusal);
    following_->refusal.reset();
  } else {
    UserSet().Remove(change.remove);
    whom_ += HashUsers(change.add) - HashUsers(change.remove);
    DraftToken(now, draft);
  }
  following_->adding = false;
  following_->pending = false;
  draft.tail.set_acked(following_->received);
  port_->Read();
}

}  // namespace lifesign
