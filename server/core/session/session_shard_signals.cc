// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What signals do to their sessions. docs/concepts.md §§ 4, 5.
#include <algorithm>
#include <utility>

#include "server/base/limits.h"
#include "server/core/session/session_shard.h"

namespace lifesign {
namespace {

constexpr SignalOutcome Refused(Refusal refusal) {
  SignalOutcome outcome;
  outcome.refusal = refusal;
  return outcome;
}

Lifecycle LifecycleOf(SignalKind kind) {
  switch (kind) {
    case SignalKind::kActive:
      return Lifecycle::kActive;
    case SignalKind::kBackground:
      return Lifecycle::kBackground;
    case SignalKind::kIdle:
    case SignalKind::kDetach:
    case SignalKind::kLeave:
      break;
  }
  return Lifecycle::kIdle;
}

}  // namespace

inline bool SessionShard::ApplyUsual(Session& session, const Signal& signal,
                                     const Now& now, SignalOutcome& outcome) {
  constexpr std::uint8_t kFlags = kAttached | kNoSignalYet | kWaiting |
                                  kUntoldInterval | kLingering | kToldGone;
  const Usual& usual = usual_[static_cast<std::size_t>(session.device)];
  if (signal.kind != SignalKind::kActive || signal.idle_for.has_value() ||
      session.told != State::kActive || session.evaluated != State::kActive ||
      session.lifecycle != Lifecycle::kActive || session.capped ||
      (session.flags & kFlags) != kAttached ||
      session.policy != policies_.current() ||
      session.interval_ms != usual.interval_ms ||
      now.presence <= session.last_activity) {
    return false;
  }
  const Duration silence =
      SaturatingDifference(now.presence, session.last_signal);
  if (silence > usual.silence) return false;
  // As of Hear and TakeToken; mostly nothing is left of it.
  Duration::rep debt = 0;
  if (session.rate_debt * kRateUnit > silence) {
    debt = session.rate_debt - silence / kRateUnit;
    if (debt > kRateTolerance / kRateUnit) return false;
  }
  // As of Derive: it falls first for want of activity.
  const PresenceTime next_change = SaturatingAdd(now.presence, usual.active);
  if (session.deadline > next_change.time_since_epoch().count()) return false;
  if (!session.Has(kAlone)) {
    // As of IsQuiet.
    const PresenceTime quiet_until = UnpackTime(session.quiet_until, start_);
    if (now.presence >= quiet_until || next_change < quiet_until) return false;
  }
  session.rate_debt =
      static_cast<std::uint16_t>(debt + kRateInterval / kRateUnit);
  session.last_signal = now.presence;
  session.last_activity = now.presence;
  session.last_seen = now.real;
  session.last_active = now.real;
  outcome.refusal = Refusal::kNone;
  outcome.state = State::kActive;
  outcome.next_interval = session.Promised();
  return true;
}

inline SignalOutcome SessionShard::ApplyBound(const SessionRef& ref,
                                              const Signal& signal,
                                              const Now& now) {
  SignalOutcome outcome;
  outcome.refusal = Refusal::kSessionNotOpen;
  if (!sessions_.Has(ref.slot)) return outcome;
  Session& session = sessions_[ref.slot];
  if (session.attachment != ref.attachment) return outcome;
  if (ApplyUsual(session, signal, now, outcome)) return outcome;
  if (!session.Has(kAttached) || Ended(session, now)) return outcome;
  outcome = ApplyTo(session, signal, now);
  return outcome;
}

SignalOutcome SessionShard::Apply(const SessionRef& ref, const Signal& signal,
                                  const Now& now) {
  MutexLock lock(mutex_);
  return ApplyBound(ref, signal, Hold(now));
}

void SessionShard::ApplyAll(absl::Span<BoundSignal* const> signals,
                            const Now& now) {
  MutexLock lock(mutex_);
  const Now held = Hold(now);
  for (BoundSignal* one : signals) {
    one->outcome = ApplyBound(one->ref, one->signal, held);
  }
}

SignalOutcome SessionShard::ApplyUnary(
    const SessionName& name, std::uint64_t hash, Attachment attachment,
    const Signal& signal, const Declaration& declaration, const Now& now) {
  MutexLock lock(mutex_);
  const Now held = Hold(now);
  const bool leaves = signal.kind == SignalKind::kLeave;
  Settle(name.user, held);
  User* user = FindOwner(name.user, hash);
  if (user != nullptr) PrefetchSessions(*user);
  Session* session =
      user == nullptr ? nullptr : FindSession(*user, name.session);
  SignalOutcome usual;
  if (declaration.empty() && session != nullptr &&
      attachment == session->attachment &&
      ApplyUsual(*session, signal, held, usual)) {
    return usual;
  }
  if (session == nullptr || Ended(*session, held)) {
    SignalOutcome outcome;
    outcome.refusal = leaves ? Refusal::kNone : Refusal::kSessionNotOpen;
    outcome.bound = false;
    return outcome;
  }
  const bool unnamed_leave =
      leaves && attachment == kNoAttachment &&
      !session->Connected(PolicyOf(*session), held.presence);
  if (attachment != session->attachment && !unnamed_leave) {
    return Refused(Refusal::kStaleAttachment);
  }
  if (!declaration.empty()) {
    return ApplyDeclared(*session, signal, declaration, held);
  }
  return ApplyTo(*session, signal, held);
}

SignalOutcome SessionShard::ApplyTo(Session& session, const Signal& signal,
                                    const Now& now) {
  SettleUserOf(session, now);
  if (signal.kind == SignalKind::kLeave) {
    return Leave(session, signal.linger, now);
  }
  if (signal.kind == SignalKind::kDetach) return Detach(session, now);
  // Before it is heard: who becomes invisible is not seen to say so.
  const bool declares = session.Has(kWaiting) &&
                        HasTokenAt(session, now.presence) &&
                        DeclareWaiting(session, now);
  Hear(session, signal, now);
  if (!TakeToken(session)) return Merge(session, signal.kind, now);
  session.Clear(kWaiting);
  ApplyKind(session, signal.kind, now.presence);
  const Derivation derived = DeriveAt(session, now.presence);
  FileDeadline(session, derived.next_change);
  if (declares || !IsQuiet(session, derived, now)) {
    Evaluate(UserOf(session), now);
  }
  return Tell(session, derived.state);
}

SignalOutcome SessionShard::Merge(Session& session, SignalKind kind,
                                  const Now& now) {
  session.waiting = kind;
  session.Set(kWaiting);
  const Derivation derived = DeriveAt(session, now.presence);
  if (derived.state == session.evaluated) {
    FileDeadline(session, derived.next_change);
  } else {
    // The user is evaluated with the next tick or the next signal of any
    // session, not now.
    FileDeadline(session, now.presence);
    for (std::uint32_t slot = UserOf(session).first_session(); slot != kNoSlot;
         slot = sessions_[slot].rest().next_of_user) {
      sessions_[slot].quiet_until = 0;
    }
  }
  SignalOutcome merged;
  merged.state = derived.state;
  merged.next_interval = session.Promised();
  merged.bound = session.Has(kAttached);
  return merged;
}

bool SessionShard::IsQuiet(const Session& session, const Derivation& derived,
                           const Now& now) const {
  if (derived.state != session.evaluated) return false;
  if (session.Has(kAlone)) return true;
  // Then no other session has changed by time since the user was evaluated, and
  // this one will not before any of them would.
  return PackTime(now.presence, start_) < session.quiet_until &&
         PackTime(derived.next_change, start_) >= session.quiet_until;
}

SignalOutcome SessionShard::Tell(Session& session, State state) {
  SignalOutcome outcome;
  outcome.state = state;
  outcome.next_interval = session.Promised();
  outcome.bound = session.Has(kAttached);
  outcome.is_news = state != session.told || session.Has(kUntoldInterval);
  session.told = state;
  session.Clear(kUntoldInterval);
  return outcome;
}

void SessionShard::Hear(Session& session, const absl::optional<Signal>& signal,
                        const Now& now) {
  const Duration silence =
      SaturatingDifference(now.presence, session.last_signal);
  if (silence > session.Promised() && MayLearnFrom(session)) {
    silences_.Count(session.SilenceAt(PolicyOf(session), now.presence), true);
  }
  session.rate_debt = static_cast<std::uint16_t>(
      std::max<Duration::rep>(session.rate_debt - silence / kRateUnit, 0));
  session.last_signal = now.presence;
  session.last_seen = now.real;
  if (!signal.has_value()) return;
  const bool active = signal->kind == SignalKind::kActive;
  if (!active && !signal->idle_for.has_value()) return;
  const Duration idle_for = signal->idle_for.value_or(Duration::zero());
  const PresenceTime at = SaturatingSubtract(now.presence, idle_for);
  const bool first = session.last_active == kNeverReal;
  if (!first && at <= session.last_activity) return;
  session.last_activity = at;
  session.last_active = SaturatingSubtract(now.real, idle_for);
}

bool SessionShard::HasTokenAt(const Session& session, PresenceTime now) const {
  const Duration silence = SaturatingDifference(now, session.last_signal);
  return (session.rate_debt - silence / kRateUnit) * kRateUnit <=
         kRateTolerance;
}

bool SessionShard::TakeToken(Session& session) {
  if (session.rate_debt * kRateUnit > kRateTolerance) return false;
  session.rate_debt =
      static_cast<std::uint16_t>(session.rate_debt + kRateInterval / kRateUnit);
  return true;
}

void SessionShard::ApplyKind(Session& session, SignalKind kind,
                             PresenceTime cap_start) {
  // The usual heartbeat has no cap, and needs none.
  if (session.capped || kind != SignalKind::kActive) {
    SessionTimes times = session.Times();
    if (kind == SignalKind::kActive) times.idle_cap_since = kNever;
    if (kind != SignalKind::kBackground) times.background_cap_since = kNever;
    if (kind != SignalKind::kActive && times.idle_cap_since == kNever) {
      times.idle_cap_since = cap_start;
    }
    if (kind == SignalKind::kBackground &&
        times.background_cap_since == kNever) {
      times.background_cap_since = cap_start;
    }
    session.SetCaps(times.idle_cap_since, times.background_cap_since);
  }
  session.lifecycle = LifecycleOf(kind);
  session.Clear(kNoSignalYet);
  AdoptPolicy(session);
  PromiseInterval(session);
}

void SessionShard::ApplyWaiting(Session& session, const Now& now) {
  session.Clear(kWaiting);
  DeclareWaiting(session, now);
  // It was heard at last_signal: nothing newer has been.
  ApplyKind(session, session.waiting, session.last_signal);
}

void SessionShard::ApplyWaitingOf(const User& user, const Now& now) {
  for (std::uint32_t slot = user.first_session(); slot != kNoSlot;
       slot = sessions_[slot].rest().next_of_user) {
    Session& session = sessions_[slot];
    if (!session.Has(kWaiting) || now.presence < session.TokenAt() ||
        Ended(session, now)) {
      continue;
    }
    session.rate_debt = static_cast<std::uint16_t>(session.rate_debt +
                                                   kRateInterval / kRateUnit);
    ApplyWaiting(session, now);
  }
}

void SessionShard::PromiseInterval(Session& session) {
  const auto promised = static_cast<std::uint32_t>(
      RowOf(session).Interval(session.lifecycle) / milliseconds(1));
  if (promised == session.interval_ms) return;
  session.interval_ms = promised;
  session.Set(kUntoldInterval);
}

void SessionShard::AdoptPolicy(Session& session) {
  if (session.policy == policies_.current()) return;
  const Duration window_before = RowOf(session).active_window;
  policies_.Release(session.policy);
  session.policy = policies_.current();
  policies_.Hold(session.policy);
  JudgeInactivityAnew(session, window_before);
}

void SessionShard::JudgeInactivityAnew(Session& session,
                                       Duration window_before) {
  if (session.last_active != kNeverReal) return;
  // Inactive since active_window before it began: a longer window must not make
  // it ACTIVE that never was.
  session.last_activity += window_before - RowOf(session).active_window;
}

SignalOutcome SessionShard::Leave(Session& session, Duration linger,
                                  const Now& now) {
  if (session.Has(kWaiting)) ApplyWaiting(session, now);
  session.last_seen = now.real;
  User& user = UserOf(session);
  SignalOutcome outcome;
  // What waited may have brought a policy by which it has ended.
  if (linger == Duration::zero() || Ended(session, now)) {
    const Left left[] = {LeftBy(session, now)};
    End(session, now);
    Evaluate(user, now, left);
    outcome.bound = false;
    return outcome;
  }
  const PresenceTime until =
      std::min(session.LingerUntil(), SaturatingAdd(now.presence, linger));
  session.Extras().linger_until = until;
  session.Set(kLingering);
  const Derivation derived = DeriveAt(session, now.presence);
  FileDeadline(session, derived.next_change);
  Evaluate(user, now);
  outcome.state = derived.state;
  return outcome;
}

SignalOutcome SessionShard::Detach(Session& session, const Now& now) {
  if (session.Has(kWaiting)) ApplyWaiting(session, now);
  session.Clear(kAttached);
  session.Clear(kStreamOpen);
  const Derivation derived = DeriveAt(session, now.presence);
  FileDeadline(session, derived.next_change);
  Evaluate(UserOf(session), now);
  SignalOutcome outcome;
  outcome.state = derived.state;
  outcome.bound = false;
  return outcome;
}

void SessionShard::Disconnect(const SessionRef& ref, const Now& now) {
  MutexLock lock(mutex_);
  Hold(now);
  if (!sessions_.Has(ref.slot)) return;
  Session& session = sessions_[ref.slot];
  if (session.attachment == ref.attachment) session.Clear(kStreamOpen);
}

bool SessionShard::IsBound(const SessionRef& ref, const Now& now) const {
  MutexLock lock(mutex_);
  const Now held = Hold(now);
  if (!sessions_.Has(ref.slot)) return false;
  const Session& session = sessions_[ref.slot];
  return session.attachment == ref.attachment && session.Has(kAttached) &&
         !Ended(session, held);
}

}  // namespace lifesign
