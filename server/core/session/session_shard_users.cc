// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Evaluating users, and what is kept of them.
#include <algorithm>
#include <utility>

#include "server/core/session/session_shard.h"

namespace lifesign {

void SessionShard::Evaluate(User& user, const Now& now,
                            absl::Span<const Left> left) {
  Aggregate actual;
  // What the user would be had no session left: it tells a fall that time
  // alone led to from one that a LEAVE led to.
  Aggregate by_time;
  PresenceTime quiet_until = kNever;
  for (std::uint32_t slot = user.first_session(); slot != kNoSlot;
       slot = sessions_[slot].rest().next_of_user) {
    Session& session = sessions_[slot];
    const Derivation derived = DeriveAt(session, now.presence);
    const bool has_left = session.LingerRanOut(now.presence);
    SetEvaluated(session, has_left ? State::kOffline : derived.state);
    quiet_until =
        std::min({quiet_until, derived.next_change, session.LingerUntil()});
    if (!session.Has(kToldGone)) by_time.Add(session.device, derived.state);
    if (has_left) {
      if (user.in_rooms) LeaveRooms(user, session, LeftBy(session, now));
      // What falls from here on is not for its leaving.
      session.Set(kToldGone);
    } else {
      actual.Add(session.device, derived.state);
    }
  }
  for (const Left& gone : left) by_time.Add(gone.device, gone.state);
  AvailabilityTable::Entry* const declared =
      user.declared ? &availability_.At(user.id.view(), now.real) : nullptr;
  // What runs out does so on another clock: then every signal looks.
  const bool runs_out =
      declared != nullptr && declared->declared.expires_at != kNoExpiry;
  Quieten(user, runs_out ? start_ : quiet_until, !runs_out);
  if (user.veiled) {
    EmitVeiled(user, actual, by_time, *declared, now);
  } else {
    const bool hidden = HiddenUsers::Holds(user.slot);
    const bool availability_moved =
        declared != nullptr &&
        declared->InEffect(IsLive(actual.state())) !=
            (hidden ? declared->truly_told : declared->told);
    const auto cause =
        CauseOfChange(user.told, actual, by_time, availability_moved);
    if (cause.has_value() && hidden) {
      EmitHidden(user, actual, *declared, *cause, now);
    } else if (cause.has_value()) {
      Emit(user, actual, declared, *cause, now);
    }
  }
  if (user.in_rooms) EvaluateRooms(user, now);
  if (user.sessions == 0) Retain(user);
}

void SessionShard::Quieten(const User& user, PresenceTime until,
                           bool may_be_alone) {
  const std::uint32_t packed = PackTime(until, start_);
  for (std::uint32_t slot = user.first_session(); slot != kNoSlot;
       slot = sessions_[slot].rest().next_of_user) {
    Session& session = sessions_[slot];
    session.quiet_until = packed;
    if (user.sessions == 1 && may_be_alone) {
      session.Set(kAlone);
    } else {
      session.Clear(kAlone);
    }
  }
}

void SessionShard::Emit(User& user, const Aggregate& actual,
                        AvailabilityTable::Entry* declared, Cause cause,
                        const Now& now) {
  Change change;
  if (declared != nullptr) {
    change.availability_before = AsTold(declared->told, now);
    declared->told = declared->InEffect(IsLive(actual.state()));
  }
  change.before = user.told.state();
  change.devices_before = user.told.devices();
  change.slot = user.slot;
  change.audience = AudienceOf(user);
  TakeRevision(user, actual, cause, now);
  change.after = RecordOf(user, View::kPublic, now);
  outbox_.Put(std::move(change));
  has_changes_.store(true, std::memory_order_relaxed);
}

void SessionShard::TakeRevision(User& user, const Aggregate& actual,
                                Cause cause, const Now& now) {
  if (user.revision != 0) LeaveLog(user);
  log_.PushBack(users_, user.slot);
  counts_.MoveShown(user.told, actual, HasTruth(user));
  counts_moved_ = true;
  user.revision = outbox_.Next(now.real);
  if (actual.state() != user.told.state()) user.since = now.real;
  user.cause = cause;
  user.told = actual;
  if (user.merged && IsLive(actual.state())) ForgetMerge(user);
  if (user.has_intents && !IsLive(actual.state())) WithdrawIntents(user, now);
}

void SessionShard::Retain(User& user) {
  if (user.retained) return;
  if (HiddenUsers::Holds(user.slot)) {
    hidden_.Retain(user);
    if (static_cast<std::int64_t>(hidden_.retained()) >
        options_.max_retained_users) {
      ForgetHidden(hidden_.FirstRetained());
    }
    return;
  }
  retained_.PushBack(users_, user.slot);
  user.retained = true;
  if (static_cast<std::int64_t>(retained_.size()) >
      options_.max_retained_users) {
    Forget(users_[retained_.front()]);
  }
}

bool SessionShard::ForgetUsers(const Now& now) {
  const Duration retention = policies_[policies_.current()].offline_retention;
  for (int i = 0; i < limits::kDeadlinesPerLock; ++i) {
    if (retained_.empty()) return false;
    User& oldest = users_[retained_.front()];
    if (SaturatingDifference(now.real, oldest.since) < retention) return false;
    Forget(oldest);
  }
  return true;
}

void SessionShard::Forget(User& user) {
  retained_.Erase(users_, user.slot);
  if (user.revision != 0) LeaveLog(user);
  forgotten_up_to_ = std::max(forgotten_up_to_, user.revision);
  if (user.veiled) {
    forgotten_beside_up_to_ =
        std::max(forgotten_beside_up_to_, RevisionIn(View::kTrue, user));
  }
  if (user.merged) ForgetMerge(user);
  by_id_.erase(user.slot);
  const bool has_truth = HasTruth(user);
  counts_.RemoveShown(has_truth);
  counts_moved_ = true;
  if (has_truth) {
    StampHidden(*hidden_.Find(user.id.view()));
  } else if (user.declared) {
    availability_.Forget(user.id.view());
  }
  LiftVeil(user);
  user.id.Assign("");
  users_.Free(user.slot);
}

User& SessionShard::FindOrAddUser(absl::string_view id, std::uint64_t hash) {
  if (User* known = FindUser(id, hash)) return *known;
  const std::uint32_t slot = users_.Take();
  User& user = users_[slot];
  user.Begin(slot, id);
  user.declared = availability_.Find(id) != nullptr;
  user_stamps_.Take(slot, listings_->newest());
  by_id_.insert(slot);
  counts_.AddShown();
  counts_moved_ = true;
  return user;
}

}  // namespace lifesign
