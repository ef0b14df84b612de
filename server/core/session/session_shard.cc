// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/session/session_shard.h"

#include <algorithm>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "server/base/limits.h"

namespace lifesign {
namespace {

constexpr SignalOutcome Refused(Refusal refusal) {
  SignalOutcome outcome;
  outcome.refusal = refusal;
  return outcome;
}

// Asks for the part of a session that every heartbeat needs.
void Prefetch(const Session& session) {
  constexpr std::size_t kCacheLine = 64;
  const char* const first = reinterpret_cast<const char*>(&session);
  __builtin_prefetch(first, /*for write*/ 1);
  __builtin_prefetch(first + kCacheLine, 1);
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

// --- Finding ---

std::uint64_t SessionShard::HashUser(absl::string_view user,
                                     std::uint64_t seed) {
  return XXH3_64bits_withSeed(user.data(), user.size(), seed);
}

// The set calls these under the shard's lock, which the analysis cannot see.
std::size_t SessionShard::UserHash::operator()(std::uint32_t slot) const
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  return (*this)(shard->users_[slot].id.view());
}

std::size_t SessionShard::UserHash::operator()(absl::string_view id) const {
  return HashUser(id, shard->options_.hash_seed);
}

bool SessionShard::UserEq::operator()(std::uint32_t slot, absl::string_view id)
    const ABSL_NO_THREAD_SAFETY_ANALYSIS {
  return shard->users_[slot].id.view() == id;
}

SessionShard::SessionShard(Options options, const Now& start)
    : options_(std::move(options)),
      start_(start.presence),
      last_presence_(start.presence),
      last_real_(start.real),
      policies_(options_.policy),
      by_id_(0, UserHash{this}, UserEq{this}),
      wheel_(start.presence.time_since_epoch().count()),
      outbox_(options_.epoch, start.real),
      next_attachment_(options_.first_attachment),
      confidence_(std::make_shared<const ConfidenceTable>(ShippedConfidence())),
      confidence_before_(confidence_),
      confidence_since_(start.presence) {}

SessionShard::~SessionShard() = default;

Now SessionShard::Hold(const Now& now) const {
  last_presence_ = std::max(last_presence_, now.presence);
  last_real_ = std::max(last_real_, now.real);
  return {last_presence_, last_real_, now.wall};
}

User* SessionShard::FindUser(absl::string_view user, std::uint64_t hash) {
  const auto found = by_id_.find(user, hash);
  return found == by_id_.end() ? nullptr : &users_[*found];
}

Session* SessionShard::FindSession(const User& user,
                                   absl::string_view session) {
  for (std::uint32_t slot = user.first_session; slot != kNoSlot;
       slot = sessions_[slot].next_of_user) {
    if (sessions_[slot].id.view() == session) return &sessions_[slot];
  }
  return nullptr;
}

const Policy& SessionShard::PolicyOf(const Session& session) const {
  return policies_[session.policy];
}

const PolicyRow& SessionShard::RowOf(const Session& session) const {
  return PolicyOf(session).RowFor(session.device);
}

bool SessionShard::Ended(const Session& session, const Now& now) const {
  return session.Ended(RowOf(session), now.presence);
}

// --- Signals ---

SignalOutcome SessionShard::Apply(const SessionRef& ref, const Signal& signal,
                                  const Now& now) {
  MutexLock lock(mutex_);
  return ApplyBound(ref, signal, Hold(now));
}

void SessionShard::ApplyAll(absl::Span<BoundSignal* const> signals,
                            const Now& now) {
  MutexLock lock(mutex_);
  const Now held = Hold(now);
  // Their memory is on its way while the first are applied.
  for (const BoundSignal* one : signals) {
    if (sessions_.Has(one->ref.slot)) Prefetch(sessions_[one->ref.slot]);
  }
  for (BoundSignal* one : signals) {
    one->outcome = ApplyBound(one->ref, one->signal, held);
  }
}

SignalOutcome SessionShard::ApplyBound(const SessionRef& ref,
                                       const Signal& signal, const Now& now) {
  if (!sessions_.Has(ref.slot)) return Refused(Refusal::kSessionNotOpen);
  Session& session = sessions_[ref.slot];
  if (session.attachment != ref.attachment || !session.Has(kAttached) ||
      Ended(session, now)) {
    return Refused(Refusal::kSessionNotOpen);
  }
  return ApplyTo(session, signal, now);
}

SignalOutcome SessionShard::ApplyUnary(const SessionName& name,
                                       std::uint64_t hash,
                                       Attachment attachment,
                                       const Signal& signal, const Now& now) {
  MutexLock lock(mutex_);
  const Now held = Hold(now);
  const bool leaves = signal.kind == SignalKind::kLeave;
  User* user = FindUser(name.user, hash);
  Session* session =
      user == nullptr ? nullptr : FindSession(*user, name.session);
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
  return ApplyTo(*session, signal, held);
}

SignalOutcome SessionShard::ApplyTo(Session& session, const Signal& signal,
                                    const Now& now) {
  if (signal.kind == SignalKind::kLeave) {
    return Leave(session, signal.linger, now);
  }
  if (signal.kind == SignalKind::kDetach) return Detach(session, now);
  Hear(session, signal, now);
  if (!TakeToken(session)) return Merge(session, signal.kind, now);
  session.Clear(kWaiting);
  ApplyKind(session, signal.kind, now.presence);
  const Derivation derived = DeriveAt(session, now.presence);
  FileDeadline(session, derived.next_change);
  if (!IsQuiet(session, derived, now)) Evaluate(users_[session.user], now);
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
    for (std::uint32_t slot = users_[session.user].first_session;
         slot != kNoSlot; slot = sessions_[slot].next_of_user) {
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

Derivation SessionShard::DeriveAt(const Session& session,
                                  PresenceTime at) const {
  const Policy& policy = PolicyOf(session);
  return Derive(session.times, policy.RowFor(session.device),
                policy.downgrade_debounce, at);
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
      SaturatingDifference(now.presence, session.times.last_signal);
  if (silence > session.Promised()) {
    silences_.Count(session.SilenceAt(PolicyOf(session), now.presence), true);
  }
  session.rate_debt = static_cast<std::uint16_t>(
      std::max<Duration::rep>(session.rate_debt - silence / kRateUnit, 0));
  session.times.last_signal = now.presence;
  session.last_seen = now.real;
  if (!signal.has_value()) return;
  const bool active = signal->kind == SignalKind::kActive;
  if (!active && !signal->idle_for.has_value()) return;
  const Duration idle_for = signal->idle_for.value_or(Duration::zero());
  const PresenceTime at = SaturatingSubtract(now.presence, idle_for);
  const bool first = session.last_active == kNeverReal;
  if (!first && at <= session.times.last_activity) return;
  session.times.last_activity = at;
  session.last_active = SaturatingSubtract(now.real, idle_for);
}

bool SessionShard::TakeToken(Session& session) {
  if (session.rate_debt * kRateUnit > kRateTolerance) return false;
  session.rate_debt =
      static_cast<std::uint16_t>(session.rate_debt + kRateInterval / kRateUnit);
  return true;
}

void SessionShard::ApplyKind(Session& session, SignalKind kind,
                             PresenceTime cap_start) {
  SessionTimes& times = session.times;
  if (kind == SignalKind::kActive) times.idle_cap_since = kNever;
  if (kind != SignalKind::kBackground) times.background_cap_since = kNever;
  if (kind != SignalKind::kActive && times.idle_cap_since == kNever) {
    times.idle_cap_since = cap_start;
  }
  if (kind == SignalKind::kBackground && times.background_cap_since == kNever) {
    times.background_cap_since = cap_start;
  }
  session.lifecycle = LifecycleOf(kind);
  session.Clear(kNoSignalYet);
  AdoptPolicy(session);
  PromiseInterval(session);
}

void SessionShard::ApplyWaiting(Session& session) {
  session.Clear(kWaiting);
  // It was heard at last_signal: nothing newer has been.
  ApplyKind(session, session.waiting, session.times.last_signal);
}

void SessionShard::ApplyWaitingOf(const User& user, const Now& now) {
  for (std::uint32_t slot = user.first_session; slot != kNoSlot;
       slot = sessions_[slot].next_of_user) {
    Session& session = sessions_[slot];
    if (!session.Has(kWaiting) || now.presence < session.TokenAt() ||
        Ended(session, now)) {
      continue;
    }
    session.rate_debt = static_cast<std::uint16_t>(session.rate_debt +
                                                   kRateInterval / kRateUnit);
    ApplyWaiting(session);
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
  session.times.last_activity += window_before - RowOf(session).active_window;
}

SignalOutcome SessionShard::Leave(Session& session, Duration linger,
                                  const Now& now) {
  if (session.Has(kWaiting)) ApplyWaiting(session);
  session.last_seen = now.real;
  User& user = users_[session.user];
  SignalOutcome outcome;
  if (linger == Duration::zero()) {
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
  if (session.Has(kWaiting)) ApplyWaiting(session);
  session.Clear(kAttached);
  session.Clear(kStreamOpen);
  const Derivation derived = DeriveAt(session, now.presence);
  FileDeadline(session, derived.next_change);
  Evaluate(users_[session.user], now);
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

// --- Time ---

void SessionShard::FileDeadline(Session& session, PresenceTime next_change) {
  PresenceTime next = std::min(next_change, session.LingerUntil());
  if (session.Has(kWaiting)) next = std::min(next, session.TokenAt());
  if (next == kNever) return;
  const std::int64_t deadline = next.time_since_epoch().count();
  // A later one is left where it is: when the filed one fires, this one is
  // looked up again. So the usual heartbeat does not touch the wheel.
  if (session.filed() && session.deadline() <= deadline) return;
  wheel_.File(session, deadline);
}

void SessionShard::End(Session& session, const Now& now) {
  silences_.Count(session.SilenceAt(PolicyOf(session), now.presence), false);
  User& user = users_[session.user];
  user.last_seen = std::max(user.last_seen, session.last_seen);
  user.last_active = std::max(user.last_active, session.last_active);
  std::uint32_t* link = &user.first_session;
  while (&sessions_[*link] != &session) link = &sessions_[*link].next_of_user;
  const std::uint32_t slot = *link;
  *link = session.next_of_user;
  --user.sessions;
  wheel_.Cancel(session);
  policies_.Release(session.policy);
  session.user = kNoSlot;
  session.attachment = kNoAttachment;
  session.flags = 0;
  session.extras.reset();
  session.id.Assign("");
  sessions_.Free(slot);
  session_count_.fetch_sub(1, std::memory_order_relaxed);
}

SessionShard::TickResult SessionShard::Tick(const Now& now) {
  MutexLock lock(mutex_);
  const Now held = Hold(now);
  TickResult result;
  int budget = limits::kDeadlinesPerLock;
  const std::int64_t presence = held.presence.time_since_epoch().count();
  while (TimingWheel::Timer* timer = wheel_.PopDue(presence, budget)) {
    const Duration lag(presence - timer->deadline());
    result.worst_lag = std::max(result.worst_lag, lag);
    ++result.deadlines;
    HandleDeadline(static_cast<Session&>(*timer), held, result);
  }
  result.more = ForgetUsers(held) || budget <= 0;
  return result;
}

void SessionShard::HandleDeadline(Session& session, const Now& now,
                                  TickResult& result) {
  User& user = users_[session.user];
  ApplyWaitingOf(user, now);
  if (!Ended(session, now)) {
    const Derivation derived = DeriveAt(session, now.presence);
    if (derived.state == State::kStale) ++result.fell_stale;
    FileDeadline(session, derived.next_change);
    Evaluate(user, now);
    return;
  }
  const Left left[] = {LeftBy(session, now)};
  End(session, now);
  Evaluate(user, now, left);
}

void SessionShard::SetPolicy(std::shared_ptr<const Policy> policy) {
  MutexLock lock(mutex_);
  policies_.Set(std::move(policy));
}

Duration SessionShard::LongestTtl() const {
  MutexLock lock(mutex_);
  return policies_.LongestTtl();
}

SilenceCounts SessionShard::ExchangeConfidence(
    std::shared_ptr<const ConfidenceTable> table, const Now& now) {
  MutexLock lock(mutex_);
  confidence_before_ = std::exchange(confidence_, std::move(table));
  confidence_since_ = Hold(now).presence;
  return std::exchange(silences_, SilenceCounts());
}

std::int64_t SessionShard::users() const {
  MutexLock lock(mutex_);
  return static_cast<std::int64_t>(by_id_.size());
}

}  // namespace lifesign
