// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/watch/watch_stream.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "server/base/limits.h"
#include "server/transport/codec/bytes.h"
#include "server/transport/codec/field_faults.h"
#include "server/transport/codec/read_time.h"
#include "server/transport/watch/watch_draft.h"

namespace lifesign {

WatchStream::WatchStream(const ServerParts& parts,
                         absl::optional<WatchOptions> options)
    : parts_(parts), id_(parts.watches.NewId()), deadline_(parts.deadlines) {
  if (options.has_value()) {
    options_ = *std::move(options);
  } else {
    following_ = std::make_unique<Following>();
  }
}

WatchStream::~WatchStream() = default;

void WatchStream::Start(StreamPort& port) {
  const Now now = parts_.time.Read();
  MutexLock lock(mutex_);
  port_ = &port;
  // Not before there is a port: whoever finds the watch may end it.
  parts_.watches.Add(id_, weak_from_this());
  if (following_ != nullptr) {
    port_->Read();
    Expect(SaturatingAdd(now.presence, limits::kFollowWithoutRequest));
    return;
  }
  Begin(std::move(options_), now);
}

void WatchStream::Begin(WatchOptions options, const Now& now) {
  options_ = std::move(options);
  options_.terms.mailbox_bytes = parts_.limits.max_mailbox_bytes;
  watch_ = std::make_shared<Watch>(weak_from_this(), options_.terms);
  Select();
  write_began_ = now.presence;
  token_told_ = now.presence;
  resync_ = ReasonToResync();
  waits_ = resync_ == v1::RESYNC_REASON_OTHER_EPOCH;
  const bool goes_on =
      options_.resume.has_value() && resync_ == v1::RESYNC_REASON_UNSPECIFIED;
  phase_ = Phase::kCopying;
  BeginCopy(goes_on ? options_.resume->revision : 0);
  Pump(now);
  ExpectNext(now);
}

void WatchStream::Select() {
  PresenceEngine& engine = parts_.engine;
  switch (options_.whom) {
    case WatchOptions::Whom::kUsers:
      whom_ = HashUsers(options_.users);
      selection_ =
          std::make_shared<SetSelection>(engine, watch_, options_.users);
      // Kept there, in less memory.
      std::vector<std::string>().swap(options_.users);
      return;
    case WatchOptions::Whom::kEveryone:
      whom_ = kHashOfEveryone;
      selection_ = std::make_shared<TenantSelection>(engine, watch_);
      return;
    case WatchOptions::Whom::kMembers:
      whom_ = HashMembers(options_.room);
      selection_ = std::make_shared<RoomSelection>(
          engine, watch_, options_.room, RoomSelection::Of::kMembers);
      return;
    case WatchOptions::Whom::kOccupancy:
      whom_ = HashOccupancy(options_.room);
      selection_ = std::make_shared<RoomSelection>(
          engine, watch_, options_.room, RoomSelection::Of::kOccupancy);
      return;
    case WatchOptions::Whom::kIntents:
      whom_ = HashIntents(options_.room, options_.target);
      selection_ = std::make_shared<RoomSelection>(
          engine, watch_, options_.room, RoomSelection::Of::kIntents,
          options_.target);
      return;
  }
}

v1::ResyncReason WatchStream::ReasonToResync() const {
  if (!options_.resume.has_value()) return v1::RESYNC_REASON_UNSPECIFIED;
  const ResumeToken& token = *options_.resume;
  if (token.epoch != parts_.engine.epoch()) {
    return v1::RESYNC_REASON_OTHER_EPOCH;
  }
  if (token.selector != HashSelector(whom_, options_.terms)) {
    return v1::RESYNC_REASON_OTHER_SELECTOR;
  }
  if (token.revision > selection_->published_up_to()) {
    return v1::RESYNC_REASON_AHEAD;
  }
  if (!selection_->Remembers(token.revision)) {
    return v1::RESYNC_REASON_COMPACTED;
  }
  return v1::RESYNC_REASON_UNSPECIFIED;
}

void WatchStream::OnWritten(bool ok) {
  MutexLock lock(mutex_);
  writing_ = false;
  if (phase_ >= Phase::kFinished || !ok) return;
  const Now now = parts_.time.Read();
  // Time may have gone on while the message was on its way: progress that is
  // due is told now, not when somebody next looks at deadlines.
  if (phase_ == Phase::kLive && !copying_ && !watch_->HasMail() &&
      (following_ == nullptr || !following_->pending) && !ProgressIsDue(now)) {
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

void WatchStream::GoOnLater() {
  if (goes_on_later_) return;
  goes_on_later_ = true;
  parts_.chores.Add([weak = weak_from_this()] {
    if (const auto stream = weak.lock()) stream->GoOn();
  });
}

void WatchStream::GoOn() {
  MutexLock lock(mutex_);
  goes_on_later_ = false;
  if (phase_ >= Phase::kFinished) return;
  const Now now = parts_.time.Read();
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
  if (phase_ == Phase::kAwaiting) {
    FieldFaults faults;
    faults.Add("watch", "required: the first message did not come within 60 s");
    Finish(ToGrpcStatus(std::move(faults).ToError()));
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
    WatchDraft draft(arena);
    draft.changes = TakeMail();
    draft.whole = std::move(whole_);
    EncodeReadTime(parts_.engine, now, *draft.tail.mutable_progress());
    DraftToken(now, draft);
    Write(now, draft.Join(options_.terms.detail));
  }
  FinishWithToken(Draining(parts_.jitter.Between(limits::kMinReconnectDelay,
                                                 limits::kMaxReconnectDelay)));
}

void WatchStream::ExpectNext(const Now& now) {
  if (phase_ >= Phase::kFinished) return;
  if (writing_) {
    Expect(SaturatingAdd(write_began_, limits::kSlowConsumer));
    return;
  }
  ExpectProgress();
  if (mail_since_ != kNever && watch_->HasMail()) {
    Expect(SaturatingAdd(mail_since_, options_.batching_delay));
  }
  if (phase_ == Phase::kReconverging) {
    const auto until = parts_.engine.ReconvergingUntil(now);
    Expect(until.value_or(now.presence));
  }
}

void WatchStream::ExpectProgress() {
  if (options_.progress_interval.count() == 0) return;
  Expect(SaturatingAdd(write_began_, options_.progress_interval));
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
  if (selection_ == nullptr) {
    // Nothing was begun.
  } else if (selection_->steps_to_release() <= limits::kMostReleasedInPlace) {
    selection_->Release();
  } else {
    parts_.chores.Add([selection = selection_] { selection->Release(); });
  }
  port_->Finish(status);
}

}  // namespace lifesign
