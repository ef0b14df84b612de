// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Users who are invisible, and who were. docs/concepts.md § 13,
// docs/threat-model.md.
#include <algorithm>
#include <string>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "server/core/session/session_shard.h"

namespace lifesign {
namespace {

bool AreSame(const PresenceRecord& a, const PresenceRecord& b) {
  return a.state == b.state && a.devices == b.devices && a.cause == b.cause &&
         a.revision == b.revision && a.since == b.since &&
         a.last_seen == b.last_seen && a.last_active == b.last_active &&
         IsSame(a.availability, b.availability);
}

}  // namespace

void SessionShard::Settle(absl::string_view user, const Now& now) {
  if (!availability_.IsAnyoneInvisible()) return;
  const auto* const entry = availability_.Find(user);
  if (entry == nullptr || !entry->invisible() ||
      entry->declared.expires_at > now.real) {
    return;
  }
  availability_.At(user, now.real);
  EvaluateReverted(user, /*was_invisible=*/true, now);
}

void SessionShard::BecomeVisible(absl::string_view user, const Now& now) {
  if (!IsRemembered(user, HashUser(user, options_.hash_seed))) return;
  User* const hidden = hidden_.Find(user);
  auto& entry = *availability_.Find(user);
  entry.visible_since = now.real;
  entry.visible_since_presence = now.presence;
  User* const shown = FindUser(user, HashUser(user, options_.hash_seed));
  if (shown != nullptr && shown->veiled) {
    Veil& veil = veils_.find(shown->slot)->second;
    veil.visible_since = now.real;
    veil.visible_since_presence = now.presence;
  }
  // Who is not here is not seen: sessions that have run out end where they are.
  if (hidden != nullptr && !OpenSessions(*hidden, now).empty())
    Show(*hidden, now);
}

absl::InlinedVector<SessionShard::Left, 2> SessionShard::EndStranded(
    absl::string_view user, const Now& now) {
  absl::InlinedVector<Left, 2> left;
  User* const hidden = hidden_.Find(user);
  if (hidden == nullptr || availability_.IsInvisible(user)) return left;
  while (hidden->sessions > 0) {
    Session& session = sessions_[hidden->first_session()];
    left.push_back(LeftBy(session, now));
    End(session, now);
  }
  return left;
}

User& SessionShard::FindOrAddOwner(absl::string_view user, std::uint64_t hash,
                                   const Now& now) {
  User* const hidden = hidden_.Find(user);
  if (availability_.IsInvisible(user)) {
    if (hidden != nullptr) return *hidden;
    User* const known = FindUser(user, hash);
    User& added = AddHidden(user, known);
    if (known != nullptr) LiftVeil(*known);
    return added;
  }
  // What was invisible, and left, is part of what is true of them.
  if (hidden != nullptr) return Show(*hidden, now);
  User& owner = FindOrAddUser(user, hash);
  const auto* const entry = availability_.Find(user);
  if (entry != nullptr && entry->was_invisible() && !owner.veiled) {
    LayVeil(owner, owner);
  }
  return owner;
}

void SessionShard::Hide(User& user, absl::Span<const Left> left,
                        const Now& now) {
  User& hidden = AddHidden(user.id.view(), &user);
  absl::InlinedVector<Left, 4> leaving(left.begin(), left.end());
  bool anyone_here = false;
  for (std::uint32_t slot = user.first_session(); slot != kNoSlot;
       slot = sessions_[slot].rest().next_of_user) {
    const Session& session = sessions_[slot];
    leaving.push_back(LeftBy(session, now));
    anyone_here |= !Ended(session, now);
    if (MayLearnFrom(session)) {
      silences_.Count(session.SilenceAt(PolicyOf(session), now.presence),
                      false);
    }
    KeepPublicTimesOf(session, user);
  }
  // As a LEAVE, which is heard, does.
  if (anyone_here) user.last_seen = std::max(user.last_seen, now.real);
  if (user.in_rooms) HideInRooms(user, hidden, now);
  MoveSessions(user, hidden);
  LiftVeil(user);
  Evaluate(user, now, leaving);
}

User& SessionShard::Show(User& hidden, const Now& now) {
  const std::string id(hidden.id.view());
  const std::uint64_t hash = HashUser(id, options_.hash_seed);
  const User* const known = FindUser(id, hash);
  User& user = FindOrAddUser(id, hash);
  LayVeil(user, hidden);
  if (hidden.sessions > 0) {
    EndRetaining(user);
    MoveSessions(hidden, user);
  }
  if (hidden.in_rooms) ShowInRooms(hidden, user);
  for (std::uint32_t slot = user.first_session(); slot != kNoSlot;
       slot = sessions_[slot].rest().next_of_user) {
    sessions_[slot].Extras().attached_unseen = true;
  }
  // What they wanted is of before.
  if (hidden.has_intents) WithdrawIntents(hidden, now);
  RemoveHidden(hidden, known);
  return user;
}

void SessionShard::EmitHidden(User& user, const Aggregate& actual,
                              AvailabilityTable::Entry& declared, Cause cause,
                              const Now& now) {
  Change change;
  change.audience = Audience::kTrue;
  change.beside = true;
  change.before = user.told.state();
  change.devices_before = user.told.devices();
  change.availability_before = AsTold(declared.truly_told, now);
  declared.truly_told = declared.InEffect(IsLive(actual.state()));
  change.slot = user.slot;
  user.revision = outbox_.Beside(now.real);
  if (actual.state() != user.told.state()) user.since = now.real;
  user.cause = cause;
  counts_.MoveHidden(user.told, actual);
  counts_moved_ = true;
  user.told = actual;
  if (user.has_intents && !IsLive(actual.state())) WithdrawIntents(user, now);
  change.after = RecordOf(user, View::kTrue, now);
  // Nobody is woken for it: when the public is told something must not depend
  // on it. It leaves with the next round, at latest with the tick.
  outbox_.Put(std::move(change));
}

void SessionShard::EmitVeiled(User& user, const Aggregate& actual,
                              const Aggregate& by_time,
                              AvailabilityTable::Entry& declared,
                              const Now& now) {
  Veil& veil = veils_.find(user.slot)->second;
  const Availability& holds = declared.InEffect(IsLive(actual.state()));
  const auto cause =
      CauseOfChange(user.told, actual, by_time, holds != declared.told);
  const auto true_cause =
      CauseOfChange(veil.told, actual, by_time, holds != declared.truly_told);
  Change shown;
  Change truth;
  shown.slot = user.slot;
  truth.slot = user.slot;
  if (cause.has_value()) {
    shown.before = user.told.state();
    shown.devices_before = user.told.devices();
    shown.availability_before = AsTold(declared.told, now);
    TakeRevision(user, actual, *cause, now);
  }
  if (true_cause.has_value()) {
    truth.before = veil.told.state();
    truth.devices_before = veil.told.devices();
    truth.availability_before = AsTold(declared.truly_told, now);
    truth.beside = !cause.has_value() || user.revision <= veil.revision;
    veil.revision = truth.beside ? outbox_.Beside(now.real) : user.revision;
    if (actual.state() != veil.told.state()) veil.since = now.real;
    veil.cause = *true_cause;
    veil.told = actual;
  }
  declared.told = holds;
  declared.truly_told = holds;
  shown.after = RecordOf(user, View::kPublic, now);
  truth.after = RecordOf(user, View::kTrue, now);
  const bool all_alike =
      cause.has_value() && true_cause.has_value() &&
      shown.before == truth.before &&
      shown.devices_before == truth.devices_before &&
      IsSame(shown.availability_before, truth.availability_before) &&
      AreSame(shown.after, truth.after);
  if (true_cause.has_value() && !all_alike) {
    truth.audience = Audience::kTrue;
    outbox_.Put(std::move(truth));
  }
  if (!cause.has_value()) return;
  shown.audience = all_alike ? Audience::kEverybody : Audience::kPublic;
  outbox_.Put(std::move(shown));
  has_changes_.store(true, std::memory_order_relaxed);
}

void SessionShard::ForgetHidden(User& user) {
  const std::string id(user.id.view());
  forgotten_beside_up_to_ = std::max(forgotten_beside_up_to_, user.revision);
  const User* const known = FindUser(id, HashUser(id, options_.hash_seed));
  RemoveHidden(user, known);
  if (known == nullptr) availability_.Forget(id);
}

bool SessionShard::ForgetHiddenUsers(const Now& now) {
  const Duration retention = policies_[policies_.current()].offline_retention;
  for (int i = 0; i < limits::kDeadlinesPerLock; ++i) {
    if (hidden_.retained() == 0) return false;
    User& oldest = hidden_.FirstRetained();
    if (SaturatingDifference(now.real, oldest.since) < retention) return false;
    ForgetHidden(oldest);
  }
  return true;
}

}  // namespace lifesign
