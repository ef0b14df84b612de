// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Opening sessions. docs/concepts.md § 5.
#include <algorithm>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "server/core/session/session_shard.h"

namespace lifesign {

OpenOutcome SessionShard::Open(const OpenRequest& request, std::uint64_t hash,
                               const Now& now) {
  MutexLock lock(mutex_);
  const Now held = Hold(now);
  if (request.availability != nullptr &&
      !availability_.HasRoomFor(request.name.user,
                                request.availability->kind)) {
    OpenOutcome refused;
    refused.refusal = Refusal::kTooManyAvailabilities;
    return refused;
  }
  Settle(request.name.user, held);
  auto left = EndStranded(request.name.user, held);
  User* user = FindOwner(request.name.user, hash);
  Session* session =
      user == nullptr ? nullptr : FindSession(*user, request.name.session);
  Session* const ended =
      session != nullptr && Ended(*session, held) ? session : nullptr;
  if (ended != nullptr) session = nullptr;
  if (session != nullptr) return Resume(*session, request, hash, held);

  if (user != nullptr) {
    bool full = false;
    Session* gives_way = FindSessionToGiveWay(*user, held, full);
    if (full && gives_way == nullptr) {
      OpenOutcome refused;
      refused.refusal = Refusal::kTooManySessions;
      return refused;
    }
    for (Session* goes : {ended, full ? gives_way : nullptr}) {
      if (goes == nullptr) continue;
      if (goes->Has(kWaiting) && goes != ended) ApplyWaiting(*goes, held);
      left.push_back(LeftBy(*goes, held));
      End(*goes, held);
    }
  }
  DeclareBy(request, hash, left, held);
  User& owner = FindOrAddOwner(request.name.user, hash, held);
  Session& begun = Begin(owner, request, held);
  if (request.history != nullptr) TakeOver(begun, request, false);
  return Opened(begun, request, held, left,
                /*resumed=*/request.history != nullptr);
}

OpenOutcome SessionShard::Resume(Session& session, const OpenRequest& request,
                                 std::uint64_t hash, const Now& now) {
  OpenOutcome outcome;
  if (request.history != nullptr &&
      WouldBeInTooManyRooms(UserOf(session), session, request)) {
    outcome.refusal = Refusal::kTooManyRooms;
    return outcome;
  }
  const bool same_instance = request.instance != kNoInstance &&
                             request.instance == session.rest().instance;
  absl::optional<Binding> taken_over;
  if (!same_instance && session.Connected(PolicyOf(session), now.presence)) {
    if (const auto wait = CountTakeOver(session, now)) {
      outcome.refusal = Refusal::kTooManyTakeOvers;
      outcome.retry_after = *wait;
      return outcome;
    }
    if (!session.binding().unary()) taken_over = session.binding();
  }
  if (session.Has(kWaiting)) ApplyWaiting(session, now);
  DeclareBy(request, hash, {}, now);
  absl::InlinedVector<Left, 2> left;
  if (request.device.has_value() && *request.device != session.device) {
    left.push_back(LeftBy(session, now));
    const Duration window_before = RowOf(session).active_window;
    // Counted on the other class once it is evaluated.
    SetEvaluated(session, State::kOffline);
    session.device = *request.device;
    JudgeInactivityAnew(session, window_before);
    // Another row judges it now: one lost heartbeat must not show as STALE.
    PromiseInterval(session);
  }
  session.Clear(kLingering);
  if (request.history != nullptr) TakeOver(session, request, true);
  outcome = Opened(session, request, now, left, /*resumed=*/true);
  outcome.taken_over = taken_over;
  return outcome;
}

absl::optional<Duration> SessionShard::CountTakeOver(Session& session,
                                                     const Now& now) {
  auto& times = session.Extras().take_overs;
  // The oldest is the first: kNever stands for none.
  const PresenceTime oldest = times.front();
  if (oldest != kNever) {
    const Duration age = SaturatingDifference(now.presence, oldest);
    if (age < limits::kTakeOverWindow) return limits::kTakeOverWindow - age;
  }
  std::rotate(times.begin(), times.begin() + 1, times.end());
  times.back() = now.presence;
  return absl::nullopt;
}

Session* SessionShard::FindSessionToGiveWay(const User& user, const Now& now,
                                            bool& full) {
  int live = 0;
  Session* longest_silent = nullptr;
  for (std::uint32_t slot = user.first_session(); slot != kNoSlot;
       slot = sessions_[slot].rest().next_of_user) {
    Session& session = sessions_[slot];
    if (Ended(session, now)) continue;
    ++live;
    if (session.Connected(PolicyOf(session), now.presence)) continue;
    if (longest_silent == nullptr ||
        session.last_signal < longest_silent->last_signal) {
      longest_silent = &session;
    }
  }
  full = live >= options_.max_sessions_per_user;
  return longest_silent;
}

Session& SessionShard::Begin(User& user, const OpenRequest& request,
                             const Now& now) {
  const std::uint32_t slot = sessions_.Take();
  Session& session = sessions_[slot];
  session.policy = policies_.current();
  policies_.Hold(session.policy);
  session.device = request.device.value_or(request.history != nullptr
                                               ? request.history->device
                                               : DeviceClass::kOther);
  session.lifecycle = Lifecycle::kIdle;
  session.flags = kNoSignalYet;
  session.told = State::kOffline;
  session.waiting = SignalKind::kActive;
  session.rate_debt = 0;
  session.interval_ms = 0;
  session.last_signal = now.presence;
  session.last_activity =
      SaturatingSubtract(now.presence, RowOf(session).active_window);
  session.SetCaps(kNever, kNever);
  session.last_seen = now.real;
  session.last_active = kNeverReal;
  session.rest().set_opened_at(now.real);
  session.rest().id.Assign(request.name.session);
  session.rest().user = user.slot;
  session.rest().next_of_user = kNoSlot;
  PromiseInterval(session);
  EndRetaining(user);
  if (user.sessions == 0) {
    user.links.before = slot;
  } else {
    sessions_[user.links.after].rest().next_of_user = slot;
  }
  user.links.after = slot;
  ++user.sessions;
  session_count_.fetch_add(1, std::memory_order_relaxed);
  return session;
}

OpenOutcome SessionShard::Opened(Session& session, const OpenRequest& request,
                                 const Now& now, absl::Span<const Left> left,
                                 bool resumed) {
  session.attachment = HiddenUsers::Holds(session.rest().user)
                           ? next_hidden_attachment_++
                           : next_attachment_++;
  if (session.rest().extras != nullptr) {
    session.rest().extras->attached_unseen = false;
  }
  session.rest().instance = request.instance;
  session.Bind(request.binding);
  session.Set(kAttached);
  session.Set(kStreamOpen);
  if (request.metadata != nullptr) {
    if (!request.metadata->empty()) {
      session.Extras().metadata = *request.metadata;
    } else if (session.rest().extras != nullptr) {
      session.rest().extras->metadata.clear();
    }
  }
  User& user = UserOf(session);
  if (request.rooms != nullptr) {
    ReplaceRooms(user, session, *request.rooms, now);
  }
  if (request.history != nullptr) NoteReplaced(user, session, *request.history);
  Hear(session, request.signal, now);
  if (request.signal.has_value()) {
    // Beside a new session there is nothing that a blur could interrupt.
    const Duration head_start =
        resumed ? Duration::zero() : PolicyOf(session).downgrade_debounce;
    ApplyKind(session, request.signal->kind,
              SaturatingSubtract(now.presence, head_start));
  }
  const Derivation derived = DeriveAt(session, now.presence);
  FileDeadline(session, derived.next_change);
  Evaluate(user, now, left);

  const SignalOutcome told = Tell(session, derived.state);
  OpenOutcome outcome;
  outcome.ref = {options_.index, SlotOf(session, user), session.attachment};
  outcome.resumed = resumed;
  outcome.hidden = HiddenUsers::Holds(user.slot);
  outcome.state = told.state;
  outcome.next_interval = told.next_interval;
  outcome.report_after = RowOf(session).active_window / 3;
  return outcome;
}

}  // namespace lifesign
