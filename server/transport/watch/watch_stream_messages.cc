// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What a watch says, and when: the snapshot, what has changed, its token.
#include <algorithm>
#include <utility>

#include "server/base/limits.h"
#include "server/transport/codec/bytes.h"
#include "server/transport/codec/encode.h"
#include "server/transport/codec/read_time.h"
#include "server/transport/codec/times.h"
#include "server/transport/watch/watch_draft.h"
#include "server/transport/watch/watch_stream.h"

namespace lifesign {

void WatchStream::Pump(const Now& now) {
  if (writing_ || phase_ >= Phase::kFinished) return;
  if (!PumpChangesOnly(now)) Tell(now);
  if (too_large_) FinishWithToken(RoomTooLarge());
}

void WatchStream::Tell(const Now& now) {
  ScratchArena arena;
  WatchDraft draft(arena);
  if (!created_told_) DraftCreated(draft);
  if (phase_ == Phase::kReconverging && !copying_ && !Reconverges(now)) {
    BeginLateSnapshot();
  }
  Follow(now, draft);
  // While the watch catches up, slices and mail take turns.
  const bool mail_first = TellsMail() && (!copying_ || slice_was_last_);
  slice_was_last_ = false;
  if (mail_first) DraftMail(now, draft);
  if (copying_ && !draft.tells()) DraftCopy(now, draft);
  if (!copying_ && TellsMail() && !draft.tells()) {
    // A copy has ended, and had nothing to tell. If mail was lost meanwhile,
    // nobody wakes this watch: another one begins.
    DraftMail(now, draft);
    if (copying_) DraftCopy(now, draft);
  }
  if (too_large_ && !draft.tells()) return;
  if (!draft.empty()) {
    Write(now, draft.Join(options_.terms.detail));
  } else if (copying_ || (phase_ == Phase::kLive && following_ != nullptr &&
                          following_->pending)) {
    // Nothing is written, so nothing brings the next reaction.
    GoOnLater();
  }
}

bool WatchStream::PumpChangesOnly(const Now& now) {
  if (phase_ != Phase::kLive || copying_ ||
      now.presence - token_told_ >= limits::kTokenEvery || !MailIsDue(now) ||
      (following_ != nullptr && following_->pending)) {
    return false;
  }
  const Mail changes = TakeMail();
  if (changes.empty()) return false;
  Write(now, JoinChanges(changes, options_.terms.detail));
  return true;
}

void WatchStream::DraftCreated(WatchDraft& draft) {
  created_told_ = true;
  draft.head.mutable_created()->set_watch_id(id_);
  draft.head.mutable_created()->set_epoch(parts_.engine.epoch());
  if (resync_ != v1::RESYNC_REASON_UNSPECIFIED) {
    draft.head.mutable_resync()->set_reason(resync_);
  }
}

void WatchStream::BeginCopy(Revision since) {
  copying_ = true;
  copy_since_ = since;
  // Before anything is copied.
  copy_leads_to_ = selection_->published_up_to();
  selection_->BeginCopy(since);
}

bool WatchStream::Reconverges(const Now& now) const {
  if (parts_.engine.ReconvergingUntil(now).has_value()) return true;
  // A room is what it was told. Who came back last may not be there yet.
  return options_.of_room() && !parts_.engine.rooms_reconverged();
}

void WatchStream::BeginLateSnapshot() {
  phase_ = Phase::kLateSnapshot;
  if (options_.whom != WatchOptions::Whom::kUsers) {
    // Who came back comes as a change. That of the last of them may lie in the
    // mailbox, or not even be published yet, and SYNCED would say that they are
    // gone.
    BeginCopy(delivered_up_to_);
    return;
  }
  copying_ = true;
  copy_since_ = 0;
  copy_leads_to_ = delivered_up_to_;
  UserSet().BeginCopyOf({unknown_.begin(), unknown_.end()});
  unknown_.clear();
}

void WatchStream::DraftCopy(const Now& now, WatchDraft& draft) {
  // As many slices as fit: some are short, and of some nothing is to be told.
  constexpr auto kMost = static_cast<std::size_t>(limits::kSnapshotSliceUsers);
  std::size_t passed = 0;
  while (copying_ && draft.changes.empty() && !draft.tail.has_synced()) {
    if (selection_->copied()) {
      // Mail that belongs to the copy has a message of its own: of a user there
      // is one change in each.
      if (selection_->skips() && draft.told() > 0) break;
      EndCopy(now, draft);
      continue;
    }
    if (draft.told() >= kMost || passed >= limits::kCopiedPerReaction) break;
    const std::size_t most = kMost - draft.told();
    passed += most;
    const Selection::Slice slice = selection_->CopySlice(most, now);
    if (slice.compacted) {
      BeginAnew(draft);
      continue;
    }
    too_large_ = slice.too_large;
    if (too_large_) return;
    copy_leads_to_ = std::max(copy_leads_to_, slice.leads_to);
    for (const PresenceRecord& record : slice.records) {
      DraftRecord(record, draft);
    }
  }
  slice_was_last_ = copying_;
  // Those that are caught up with are changes like others.
  if (phase_ == Phase::kLive && draft.told() > 0) DraftTokenIfDue(now, draft);
}

void WatchStream::BeginAnew(WatchDraft& draft) {
  draft.head.clear_snapshot();
  draft.head.clear_changes();
  draft.head.mutable_resync()->set_reason(v1::RESYNC_REASON_COMPACTED);
  phase_ = Phase::kCopying;
  unknown_.clear();
  BeginCopy(0);
}

void WatchStream::DraftRecord(const PresenceRecord& record, WatchDraft& draft) {
  if (waits_ && phase_ < Phase::kLateSnapshot) {
    if (!record.known) {
      unknown_.insert(record.user);
      return;
    }
    unknown_.erase(record.user);
  }
  EncodeRecord(record, options_.terms.detail,
               copy_since_ == 0 ? *draft.head.add_snapshot()
                                : *draft.head.add_changes());
}

void WatchStream::EndCopy(const Now& now, WatchDraft& draft) {
  if (selection_->skips()) {
    Watch::Taken taken = TakeChanges();
    draft.changes = std::move(taken.mail);
    if (taken.lost) selection_->BeginCopyOfSkipped();
    // Lost, or more of them than fit: not yet.
    if (taken.lost || !taken.all) return;
  }
  copying_ = false;
  delivered_up_to_ = std::max(delivered_up_to_, copy_leads_to_);
  if (phase_ == Phase::kCopying) {
    // Reconvergence may have ended while the copy was on its way.
    if (waits_ && (!unknown_.empty() || Reconverges(now))) {
      phase_ = Phase::kReconverging;
      return;
    }
    DraftSynced(now, draft);
  } else if (phase_ == Phase::kLateSnapshot) {
    DraftSynced(now, draft);
  } else if (following_ != nullptr && following_->adding) {
    EndFollow(now, draft);
  }
}

void WatchStream::DraftSynced(const Now& now, WatchDraft& draft) {
  phase_ = Phase::kLive;
  // Not beside other changes: of a user there is one in a message.
  if (draft.changes.empty() && draft.head.changes().empty()) {
    draft.changes = TakeMail();
    draft.whole = std::move(whole_);
  }
  EncodeReadTime(parts_.engine, now, *draft.tail.mutable_synced());
  DraftToken(now, draft);
  // Its first message is dealt with; not so after a RESYNC.
  if (following_ != nullptr && following_->pending &&
      following_->received == 1) {
    EndFollow(now, draft);
  }
}

void WatchStream::DraftMail(const Now& now, WatchDraft& draft) {
  if (MailIsDue(now)) draft.changes = TakeMail();
  draft.whole = std::move(whole_);
  const bool live = phase_ == Phase::kLive;
  if (!draft.changes.empty() || draft.whole != nullptr) {
    if (live) DraftTokenIfDue(now, draft);
    return;
  }
  if (!ProgressIsDue(now)) return;
  EncodeReadTime(parts_.engine, now, *draft.tail.mutable_progress());
  if (!live) return;
  // Whatever waits for its batch must not be left behind by the token.
  draft.changes = TakeMail();
  draft.whole = std::move(whole_);
  DraftToken(now, draft);
}

bool WatchStream::ProgressIsDue(const Now& now) const {
  const Duration interval = options_.progress_interval;
  return interval.count() != 0 && now.presence - write_began_ >= interval;
}

bool WatchStream::MailIsDue(const Now& now) const {
  if (!watch_->HasMail()) return false;
  return mail_since_ == kNever ||
         now.presence - mail_since_ >= options_.batching_delay;
}

Watch::Taken WatchStream::TakeChanges() {
  mail_since_ = kNever;
  Watch::Taken taken = watch_->Take(limits::kChangesPerMessage);
  if (taken.whole != nullptr) whole_ = std::move(taken.whole);
  too_large_ = too_large_ || taken.ended;
  for (const auto& change : taken.mail) {
    if (unknown_.empty()) break;
    unknown_.erase(change->change.after.user);
  }
  return taken;
}

Mail WatchStream::TakeMail() {
  // Read before the mailbox is emptied: what is published after it may arrive
  // only after that.
  const Revision published = selection_->published_up_to();
  Watch::Taken taken = TakeChanges();
  if (copying_) {
    // Where a copy leads, and whether mail was lost meanwhile, is seen at its
    // end.
  } else if (taken.ended) {
    // What ended it is not among the mail, nor is all that came before.
  } else if (taken.lost) {
    BeginCopy(delivered_up_to_);
  } else if (taken.all) {
    delivered_up_to_ = std::max(delivered_up_to_, published);
  }
  for (const auto& change : taken.mail) {
    if (change->change.after.revision > delivered_up_to_) {
      selection_->NoteTold(change->change, delivered_up_to_);
    }
  }
  return std::move(taken.mail);
}

void WatchStream::DraftToken(const Now& now, WatchDraft& draft) {
  token_told_ = now.presence;
  draft.tail.set_resume_token(Token());
}

void WatchStream::DraftTokenIfDue(const Now& now, WatchDraft& draft) {
  if (now.presence - token_told_ >= limits::kTokenEvery) {
    DraftToken(now, draft);
  }
}

std::string WatchStream::Token() const {
  return EncodeResumeToken({parts_.engine.epoch(), HashTenant(options_.tenant),
                            HashSelector(whom_, options_.terms),
                            delivered_up_to_});
}

void WatchStream::Write(const Now& now, grpc::ByteBuffer message) {
  writing_ = true;
  write_began_ = now.presence;
  port_->Write(std::move(message));
}

}  // namespace lifesign
