// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/watch/watch_stream.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "server/base/limits.h"
#include "server/transport/codec/bytes.h"
#include "server/transport/codec/encode.h"
#include "server/transport/codec/read_time.h"
#include "server/transport/codec/times.h"

namespace lifesign {

struct WatchStream::Draft {
  explicit Draft(ScratchArena& arena)
      : head(arena.Create<v1::WatchPresenceResponse>()),
        tail(arena.Create<v1::WatchPresenceResponse>()) {}

  bool empty() const {
    return head.ByteSizeLong() == 0 && changes.empty() &&
           tail.ByteSizeLong() == 0;
  }
  grpc::ByteBuffer Join() const {
    return JoinWatchResponse(head, changes, tail);
  }

  // Fields before and after `changes`.
  v1::WatchPresenceResponse& head;
  Mail changes;
  v1::WatchPresenceResponse& tail;
};

WatchStream::WatchStream(const ServerParts& parts, WatchOptions options)
    : parts_(parts),
      id_(parts.watches.NewId()),
      options_(std::make_shared<const WatchOptions>(std::move(options))),
      selector_(HashUsers(options_->users)),
      deadline_(parts.deadlines),
      to_copy_(options_->users) {}

WatchStream::~WatchStream() = default;

void WatchStream::Start(StreamPort& port) {
  watch_ = std::make_shared<Watch>(weak_from_this());
  const Now now = parts_.time.Read();
  MutexLock lock(mutex_);
  port_ = &port;
  // Not before there is a port: whoever finds the watch may end it.
  parts_.watches.Add(id_, weak_from_this());
  write_began_ = now.presence;
  token_told_ = now.presence;
  // Before anything is copied: what was published by then is in every copy.
  delivered_up_to_ = parts_.engine.published_up_to();
  resync_ = ReasonToResync();
  waits_ = resync_ == v1::RESYNC_REASON_OTHER_EPOCH;
  Pump(now);
  ExpectNext(now);
}

v1::ResyncReason WatchStream::ReasonToResync() const {
  if (!options_->resume.has_value()) return v1::RESYNC_REASON_UNSPECIFIED;
  const ResumeToken& token = *options_->resume;
  if (token.epoch != parts_.engine.epoch()) {
    return v1::RESYNC_REASON_OTHER_EPOCH;
  }
  if (token.selector != selector_) return v1::RESYNC_REASON_OTHER_SELECTOR;
  if (token.revision > parts_.engine.published_up_to()) {
    return v1::RESYNC_REASON_AHEAD;
  }
  return v1::RESYNC_REASON_COMPACTED;
}

void WatchStream::OnRead(const grpc::ByteBuffer&) {}
void WatchStream::OnReadsDone() {}

void WatchStream::OnWritten(bool ok) {
  MutexLock lock(mutex_);
  writing_ = false;
  if (phase_ >= Phase::kFinished || !ok) return;
  const Now now = parts_.time.Read();
  // Time may have gone on while the message was on its way: progress that is
  // due is told now, not when somebody next looks at deadlines.
  if (phase_ == Phase::kLive && !watch_->HasMail() && !ProgressIsDue(now)) {
    ExpectProgress();
    return;
  }
  Pump(now);
  ExpectNext(now);
}

void WatchStream::OnCancelled() {
  MutexLock lock(mutex_);
  if (phase_ >= Phase::kFinished) return;
  Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the call was broken off"));
}

void WatchStream::OnDone() {
  parts_.deadlines.Cancel(deadline_);
  MutexLock lock(mutex_);
  phase_ = Phase::kDone;
  port_ = nullptr;
}

void WatchStream::OnMail() {
  MutexLock lock(mutex_);
  if (phase_ >= Phase::kFinished) return;
  const Now now = parts_.time.Read();
  mail_since_ = now.presence;
  Pump(now);
  ExpectNext(now);
}

void WatchStream::OnDeadline(const Now& now) {
  MutexLock lock(mutex_);
  filed_for_ = kNever;
  if (phase_ == Phase::kDone) return;
  if (phase_ == Phase::kFinished) {
    if (cut_at_ <= now.presence) {
      port_->Cancel();
      cut_at_ = kNever;
    }
    Expect(cut_at_);
    return;
  }
  if (writing_ && now.presence - write_began_ >= limits::kSlowConsumer) {
    FinishWithToken(SlowConsumer());
    cut_at_ = SaturatingAdd(now.presence, limits::kSlowConsumerGrace);
    Expect(cut_at_);
    return;
  }
  Pump(now);
  ExpectNext(now);
}

void WatchStream::EndForDrain() {
  MutexLock lock(mutex_);
  if (phase_ >= Phase::kFinished) return;
  if (!writing_ && phase_ == Phase::kLive) {
    const Now now = parts_.time.Read();
    ScratchArena arena;
    Draft draft(arena);
    draft.changes = TakeMail();
    EncodeReadTime(parts_.engine, now, *draft.tail.mutable_progress());
    DraftToken(now, draft);
    Write(now, draft.Join());
  }
  FinishWithToken(Draining(parts_.jitter.Between(limits::kMinReconnectDelay,
                                                 limits::kMaxReconnectDelay)));
}

void WatchStream::Pump(const Now& now) {
  if (writing_ || phase_ >= Phase::kFinished) return;
  if (PumpChangesOnly(now)) return;
  ScratchArena arena;
  Draft draft(arena);
  if (!created_told_) {
    created_told_ = true;
    draft.head.mutable_created()->set_watch_id(id_);
    draft.head.mutable_created()->set_epoch(parts_.engine.epoch());
    if (resync_ != v1::RESYNC_REASON_UNSPECIFIED) {
      draft.head.mutable_resync()->set_reason(resync_);
    }
  }
  if (phase_ == Phase::kReconverging &&
      !parts_.engine.ReconvergingUntil(now).has_value()) {
    phase_ = Phase::kLateSnapshot;
    late_.assign(unknown_.begin(), unknown_.end());
    unknown_.clear();
    to_copy_ = late_;
  }
  if (phase_ == Phase::kSnapshot || phase_ == Phase::kLateSnapshot) {
    DraftSnapshot(now, draft);
  } else {
    DraftChanges(now, draft);
  }
  if (!draft.empty()) Write(now, draft.Join());
}

bool WatchStream::PumpChangesOnly(const Now& now) {
  if (phase_ != Phase::kLive ||
      now.presence - token_told_ >= limits::kTokenEvery || !MailIsDue(now)) {
    return false;
  }
  const Mail changes = TakeMail();
  if (changes.empty()) return false;
  Write(now, JoinChanges(changes));
  return true;
}

void WatchStream::DraftSnapshot(const Now& now, Draft& draft) {
  // A slice of which nothing is to be told is followed by the next at once.
  while (!to_copy_.empty() && draft.head.snapshot().empty()) {
    const auto slice = to_copy_.subspan(
        0, static_cast<std::size_t>(limits::kSnapshotSliceUsers));
    to_copy_.remove_prefix(slice.size());
    for (const PresenceRecord& record :
         parts_.engine.CopyAndRegister(watch_, slice, now)) {
      if (waits_ && phase_ == Phase::kSnapshot && !record.known) {
        unknown_.insert(record.user);
      } else {
        EncodeRecord(record, *draft.head.add_snapshot());
      }
    }
  }
  if (!to_copy_.empty()) return;
  if (phase_ == Phase::kSnapshot && waits_ &&
      parts_.engine.ReconvergingUntil(now).has_value()) {
    phase_ = Phase::kReconverging;
    return;
  }
  if (!unknown_.empty()) {
    // Reconvergence ended while the snapshot was on its way.
    phase_ = Phase::kReconverging;
    return;
  }
  DraftSynced(now, draft);
}

void WatchStream::DraftSynced(const Now& now, Draft& draft) {
  phase_ = Phase::kLive;
  late_.clear();
  late_.shrink_to_fit();
  draft.changes = TakeMail();
  EncodeReadTime(parts_.engine, now, *draft.tail.mutable_synced());
  DraftToken(now, draft);
}

void WatchStream::DraftChanges(const Now& now, Draft& draft) {
  if (MailIsDue(now)) {
    draft.changes = TakeMail();
    for (const auto& change : draft.changes) {
      if (unknown_.empty()) break;
      unknown_.erase(change->change.after.user);
    }
  }
  const bool live = phase_ == Phase::kLive;
  if (!draft.changes.empty()) {
    if (live && now.presence - token_told_ >= limits::kTokenEvery) {
      DraftToken(now, draft);
    }
    return;
  }
  if (!ProgressIsDue(now)) return;
  EncodeReadTime(parts_.engine, now, *draft.tail.mutable_progress());
  if (!live) return;
  // Whatever waits for its batch must not be left behind by the token.
  draft.changes = TakeMail();
  DraftToken(now, draft);
}

bool WatchStream::ProgressIsDue(const Now& now) const {
  const Duration interval = options_->progress_interval;
  return interval.count() != 0 && now.presence - write_began_ >= interval;
}

bool WatchStream::MailIsDue(const Now& now) const {
  if (!watch_->HasMail()) return false;
  return mail_since_ == kNever ||
         now.presence - mail_since_ >= options_->batching_delay;
}

Mail WatchStream::TakeMail() {
  mail_since_ = kNever;
  // Read before the mailbox is emptied: what is published after it may arrive
  // only after that.
  const Revision published = parts_.engine.published_up_to();
  Mail mail = watch_->Take(static_cast<std::size_t>(limits::kMaxWatchedUsers));
  delivered_up_to_ = std::max(delivered_up_to_, published);
  return mail;
}

void WatchStream::DraftToken(const Now& now, Draft& draft) {
  token_told_ = now.presence;
  draft.tail.set_resume_token(Token());
}

std::string WatchStream::Token() const {
  return EncodeResumeToken({parts_.engine.epoch(), HashTenant(options_->tenant),
                            selector_, delivered_up_to_});
}

void WatchStream::Write(const Now& now, grpc::ByteBuffer message) {
  writing_ = true;
  write_began_ = now.presence;
  port_->Write(std::move(message));
}

void WatchStream::ExpectNext(const Now& now) {
  if (phase_ >= Phase::kFinished) return;
  if (writing_) {
    Expect(SaturatingAdd(write_began_, limits::kSlowConsumer));
    return;
  }
  ExpectProgress();
  if (mail_since_ != kNever && watch_->HasMail()) {
    Expect(SaturatingAdd(mail_since_, options_->batching_delay));
  }
  if (phase_ == Phase::kReconverging) {
    const auto until = parts_.engine.ReconvergingUntil(now);
    Expect(until.value_or(now.presence));
  }
}

void WatchStream::ExpectProgress() {
  if (options_->progress_interval.count() == 0) return;
  Expect(SaturatingAdd(write_began_, options_->progress_interval));
}

void WatchStream::Expect(PresenceTime at) {
  if (at == kNever || filed_for_ <= at) return;
  filed_for_ = at;
  parts_.deadlines.File(deadline_, weak_from_this(), at);
}

void WatchStream::FinishWithToken(ApiError error) {
  if (phase_ == Phase::kLive) {
    error.metadata.emplace_back("resume_token", absl::Base64Escape(Token()));
  }
  Finish(ToGrpcStatus(error));
}

void WatchStream::Finish(const grpc::Status& status) {
  phase_ = Phase::kFinished;
  parts_.watches.Remove(id_);
  const auto release = [&engine = parts_.engine, watch = watch_,
                        options = options_] {
    absl::Span<const std::string> users = options->users;
    while (!users.empty()) {
      const auto slice = users.subspan(0, limits::kMostReleasedInPlace);
      engine.Unregister(*watch, slice);
      users.remove_prefix(slice.size());
    }
  };
  if (options_->users.size() <= limits::kMostReleasedInPlace) {
    release();
  } else {
    parts_.chores.Add(release);
  }
  port_->Finish(status);
}

}  // namespace lifesign
