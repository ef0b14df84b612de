// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Copying users for watches. docs/concepts.md § 9.
#include <algorithm>
#include <string>

#include "server/core/session/session_shard.h"

namespace lifesign {

void SessionShard::CopyAndRegister(const std::shared_ptr<Watch>& watch,
                                   absl::string_view user, std::uint64_t hash,
                                   Revision since, const Now& now,
                                   std::vector<PresenceRecord>& records) {
  MutexLock lock(mutex_);
  const Now held = Hold(now);
  const View view = watch->terms().view;
  Settle(user, held);
  Revision copied_at = outbox_.last();
  User* const known = FindIn(view, user, hash);
  if (known != nullptr) {
    Evaluate(*known, held);
    copied_at = RevisionIn(view, *known);
  }
  // Under the lock: a change after this copy finds the watch registered, and
  // one before it has a revision that the index holds back.
  const Revision told =
      std::max(since, interest_.Register(user, watch, copied_at));
  if (known == nullptr) {
    // Perhaps one of those who were forgotten.
    if (since == 0 || ForgottenUpTo(view) > told) {
      records.push_back(UnknownRecord(user));
    }
    return;
  }
  // Perhaps their true record was, and what is left is older.
  const bool truth_is_gone = since != 0 && view == View::kTrue &&
                             known->declared && copied_at <= told &&
                             forgotten_beside_up_to_ > told;
  if (since != 0 && copied_at <= told && !truth_is_gone) return;
  records.push_back(RecordOf(*known, view, held));
  if (truth_is_gone) records.back().revision = forgotten_beside_up_to_;
}

SessionShard::CopyStep SessionShard::CopyBySlot(
    const std::shared_ptr<Watch>& watch, const InterestIndex::Told* told,
    std::size_t most, std::uint32_t& slot, const Now& now,
    std::vector<PresenceRecord>& records) {
  MutexLock lock(mutex_);
  const Now held = Hold(now);
  const View view = watch->terms().view;
  if (told != nullptr && ForgottenUpTo(view) > told->up_to) {
    return CopyStep::kCompacted;
  }
  const bool hidden = HiddenUsers::Holds(slot);
  const std::uint32_t slots = hidden ? hidden_.slots_end() : users_.slots();
  const std::uint32_t end =
      slots - slot <= most ? slots : slot + static_cast<std::uint32_t>(most);
  for (; slot < end; ++slot) {
    // Users lie side by side, their sessions do not.
    constexpr std::uint32_t kAhead = 8;
    if (told == nullptr && !hidden && end - slot > kAhead) {
      PrefetchSessions(users_[slot + kAhead]);
    }
    User& user = hidden ? hidden_[slot] : users_[slot];
    const bool is_copied = told == nullptr ? IsInSnapshot(user, *watch, held)
                                           : HasChangedSince(user, *told, view);
    if (is_copied) records.push_back(RecordOf(user, view, held));
  }
  bool done = end == slots;
  std::uint32_t covered = done ? InterestIndex::kAllSlots : end;
  if (done && !hidden && view == View::kTrue) {
    // Last, because whoever comes from a slot that was not copied to one that
    // was is told: becoming invisible or visible again is a change. Who goes
    // the other way, and leaves, is among them all the same.
    done = false;
    covered = slot = HiddenUsers::kFirstSlot;
  }
  // Under the lock, and after the evaluations: what they emitted is copied. Who
  // comes to a slot beyond the last one has a revision above it.
  interest_.RegisterAll(watch, covered, outbox_.last(), outbox_.last_beside());
  return done ? CopyStep::kDone : CopyStep::kMore;
}

bool SessionShard::IsInSnapshot(User& user, const Watch& watch,
                                const Now& now) {
  if (user.declared) Settle(std::string(user.id.view()), now);
  if (HiddenUsers::Holds(user.slot)) {
    if (user.id.view().empty()) return false;
    // Be they what they are: see CopyBySlot.
    Evaluate(user, now);
    return user.revision != 0;
  }
  // Who has no session is OFFLINE, and was told so. So are free slots.
  if (user.sessions == 0) return false;
  Evaluate(user, now);
  const State state = user.told.state();
  return IsLive(state) && watch.terms().states.Has(state);
}

bool SessionShard::HasChangedSince(const User& user,
                                   const InterestIndex::Told& told,
                                   View view) const {
  // A free slot keeps its last user's revision.
  if (user.id.view().empty()) return false;
  const Revision revision = RevisionIn(view, user);
  if (revision <= told.up_to || revision <= told.Of(user.slot)) return false;
  // Their true record is another one.
  return view == View::kPublic || AudienceOf(user) != Audience::kPublic;
}

SessionShard::CopyStep SessionShard::CopyByLog(
    const std::shared_ptr<Watch>& watch, const InterestIndex::Told& told,
    std::size_t most, bool begin, const Now& now,
    std::vector<PresenceRecord>& records) {
  MutexLock lock(mutex_);
  const Now held = Hold(now);
  if (forgotten_up_to_ > told.up_to) return CopyStep::kCompacted;
  if (begin) {
    // Who changes from here on leaves their place in the log for its end, where
    // the walk has been: they come by mail.
    interest_.RegisterAll(watch, InterestIndex::kAllSlots, outbox_.last());
    log_walks_.push_back({watch.get(), log_.back()});
  }
  const auto walk = std::find_if(
      log_walks_.begin(), log_walks_.end(),
      [&](const LogWalk& one) { return one.watch == watch.get(); });
  for (; walk->next != kNoSlot && most > 0; --most) {
    const User& user = users_[walk->next];
    // So have all before them.
    if (user.revision <= told.up_to) break;
    // Not evaluated: that would move them, and so tell them twice.
    if (HasChangedSince(user, told, View::kPublic)) {
      records.push_back(RecordOf(user, View::kPublic, held));
    }
    walk->next = user.in_log.before;
  }
  if (most == 0) return CopyStep::kMore;
  log_walks_.erase(walk);
  return CopyStep::kDone;
}

absl::optional<InterestIndex::Told> SessionShard::UnregisterAll(
    const Watch& watch) {
  MutexLock lock(mutex_);
  log_walks_.erase(
      std::remove_if(log_walks_.begin(), log_walks_.end(),
                     [&](const LogWalk& one) { return one.watch == &watch; }),
      log_walks_.end());
  return interest_.UnregisterAll(watch);
}

void SessionShard::LeaveLog(const User& user) {
  for (LogWalk& walk : log_walks_) {
    if (walk.next == user.slot) walk.next = user.in_log.before;
  }
  log_.Erase(users_, user.slot);
}

}  // namespace lifesign
