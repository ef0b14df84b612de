// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/property/model_session.h"

#include <algorithm>
#include <utility>

namespace lifesign::property {
namespace {

constexpr Duration kTokenEvery = milliseconds(100);
constexpr Duration kTolerance = 19 * kTokenEvery;
// Silences pay off the debt in whole units.
constexpr Duration kPaidBy = microseconds(50);

Lifecycle LifecycleOf(SignalKind kind) {
  if (kind == SignalKind::kActive) return Lifecycle::kActive;
  if (kind == SignalKind::kIdle) return Lifecycle::kIdle;
  return Lifecycle::kBackground;
}

absl::optional<CapView> CapViewOf(const absl::optional<PresenceTime>& cap,
                                  const ModelSession& session, const Now& now) {
  if (!cap) return absl::nullopt;
  const PresenceTime in_force_at = *cap + session.policy->downgrade_debounce;
  return CapView{WallAt(*cap, now), WallAt(in_force_at, now),
                 now.presence >= in_force_at};
}

}  // namespace

PresenceTime ModelSession::TtlAt() const {
  return SaturatingAdd(last_signal, row().ttl);
}

PresenceTime ModelSession::EndsAt() const {
  return std::min(TtlAt(), linger_until.value_or(kNever));
}

bool ModelSession::InForce(const absl::optional<PresenceTime>& cap,
                           PresenceTime now) const {
  return cap.has_value() && now >= *cap + policy->downgrade_debounce;
}

PresenceTime ModelSession::ActivityOrBeforeOpen() const {
  return activity.value_or(SaturatingSubtract(opened, row().active_window));
}

State ModelSession::StateByTimeAt(PresenceTime now) const {
  const Duration signal_age = SaturatingDifference(now, last_signal);
  if (signal_age >= row().ttl) return State::kOffline;
  if (signal_age >= row().away_window) return State::kStale;
  const Duration activity_age =
      SaturatingDifference(now, ActivityOrBeforeOpen());
  State state = State::kAway;
  if (activity_age < row().idle_window) state = State::kIdle;
  if (activity_age < row().active_window) state = State::kActive;
  if (InForce(idle_cap, now)) state = Lower(state, State::kIdle);
  if (InForce(background_cap, now)) state = Lower(state, State::kAway);
  return state;
}

State ModelSession::StateAt(PresenceTime now) const {
  return EndedAt(now) ? State::kOffline : StateByTimeAt(now);
}

// The rule that decided: a cap only if the state would be higher without it.
Rule ModelSession::RuleAt(PresenceTime now) const {
  const State state = StateByTimeAt(now);
  if (state == State::kOffline) return Rule::kTtl;
  if (state == State::kStale) return Rule::kSilence;
  ModelSession uncapped = *this;
  uncapped.background_cap.reset();
  if (uncapped.StateByTimeAt(now) != state) return Rule::kBackgroundCap;
  uncapped.idle_cap.reset();
  if (uncapped.StateByTimeAt(now) != state) return Rule::kIdleCap;
  return Rule::kActivity;
}

PresenceTime ModelSession::PromiseEndsAt() const {
  return last_signal + policy->WithJitter(promised);
}

bool ModelSession::ConnectedAt(PresenceTime now) const {
  if (detached || linger_until.has_value()) return false;
  if (!binding.unary()) return !stream_closed;
  return now < PromiseEndsAt();
}

bool ModelSession::HasToken() const { return debt <= kTolerance; }

PresenceTime ModelSession::NextTokenAt() const {
  return last_signal + std::max(debt - kTolerance, Duration(0));
}

std::vector<PresenceTime> ModelSession::Instants() const {
  const PresenceTime active = ActivityOrBeforeOpen();
  std::vector<PresenceTime> instants = {
      TtlAt(), SaturatingAdd(last_signal, row().away_window),
      SaturatingAdd(active, row().active_window),
      SaturatingAdd(active, row().idle_window)};
  const Duration debounce = policy->downgrade_debounce;
  if (idle_cap) instants.push_back(*idle_cap + debounce);
  if (background_cap) instants.push_back(*background_cap + debounce);
  if (linger_until) instants.push_back(*linger_until);
  return instants;
}

void ModelSession::MoveAge(const Now& now) {
  const Duration silence = now.presence - last_signal;
  debt = std::max(debt - silence / kPaidBy * kPaidBy, Duration(0));
  last_signal = now.presence;
  last_seen = now.real;
}

void ModelSession::MoveActivity(const Signal& signal, const Now& now) {
  if (signal.kind != SignalKind::kActive && !signal.idle_for) return;
  const Duration idle_for = signal.idle_for.value_or(Duration(0));
  const PresenceTime at = SaturatingSubtract(now.presence, idle_for);
  if (!activity || at > *activity) {
    activity = at;
    last_active = SaturatingSubtract(now.real, idle_for);
  }
}

void ModelSession::TakeToken() { debt += kTokenEvery; }

void ModelSession::Promise(Duration interval) {
  promise_changed |= interval != promised;
  promised = interval;
}

void ModelSession::ApplyKind(SignalKind kind, PresenceTime cap_start,
                             std::shared_ptr<const Policy> current) {
  if (kind == SignalKind::kActive) idle_cap.reset();
  if (kind != SignalKind::kBackground) background_cap.reset();
  if (kind != SignalKind::kActive && !idle_cap) idle_cap = cap_start;
  if (kind == SignalKind::kBackground && !background_cap) {
    background_cap = cap_start;
  }
  policy = std::move(current);
  lifecycle = LifecycleOf(kind);
  Promise(row().Interval(*lifecycle));
}

// It was heard at the last signal: nothing newer has been.
void ModelSession::ApplyWaiting(std::shared_ptr<const Policy> current) {
  const SignalKind kind = *waiting;
  waiting.reset();
  ApplyKind(kind, last_signal, std::move(current));
}

State HighestAt(const std::vector<ModelSession>& sessions, PresenceTime now) {
  State state = State::kOffline;
  for (const ModelSession& session : sessions) {
    state = Higher(state, session.StateAt(now));
  }
  return state;
}

absl::optional<NextChangeView> NextChange(
    const std::vector<ModelSession>& sessions, const Now& now) {
  std::vector<PresenceTime> instants;
  for (const ModelSession& session : sessions) {
    const auto of_session = session.Instants();
    instants.insert(instants.end(), of_session.begin(), of_session.end());
  }
  std::sort(instants.begin(), instants.end());
  const State state = HighestAt(sessions, now.presence);
  for (const PresenceTime at : instants) {
    if (at <= now.presence) continue;
    const State then = HighestAt(sessions, at);
    if (then != state) return NextChangeView{WallAt(at, now), then};
  }
  return absl::nullopt;
}

SessionExplanation Explain(const ModelSession& session, State user_state,
                           const VisibleSince& visible, const Now& now) {
  // Of what was before, nothing is told.
  const auto time = [&](RealTime at) -> absl::optional<WallTime> {
    if (at < visible.real) return absl::nullopt;
    return WallAt(at, now);
  };
  const auto age = [&](PresenceTime at) -> absl::optional<Duration> {
    if (at < visible.presence) return absl::nullopt;
    return SaturatingDifference(now.presence, at);
  };
  const auto cap = [&](const absl::optional<PresenceTime>& since) {
    absl::optional<CapView> told = CapViewOf(since, session, now);
    if (told && *since < visible.presence) {
      told->started_at.reset();
      told->in_force_at.reset();
    }
    return told;
  };
  SessionExplanation explanation;
  SessionView& view = explanation.session;
  view.session = session.id;
  view.state = session.StateAt(now.presence);
  view.device = session.device;
  view.connected = session.ConnectedAt(now.presence);
  const bool sees_all = visible.real == RealTime::min();
  view.attachment =
      session.attached_unseen && !sees_all ? kNoAttachment : session.attachment;
  view.opened_at = time(session.opened_at);
  view.last_seen = time(session.last_seen);
  if (session.last_active) view.last_active = time(*session.last_active);
  view.next_interval = session.promised;
  view.confidence = 0;
  view.lifecycle = session.lifecycle;
  view.metadata = session.metadata;

  explanation.rule = session.RuleAt(now.presence);
  explanation.signal_age = age(session.last_signal);
  if (session.activity) {
    explanation.activity_age = age(*session.activity);
  } else if (session.opened_at >= visible.real) {
    explanation.activity_age =
        SaturatingDifference(now.presence, session.ActivityOrBeforeOpen());
  }
  explanation.idle_cap = cap(session.idle_cap);
  explanation.background_cap = cap(session.background_cap);
  if (session.linger_until) {
    explanation.linger_until = WallAt(*session.linger_until, now);
  }
  explanation.next_change = NextChange({session}, now);
  explanation.holds_user_state = view.state == user_state;
  explanation.row = session.row();
  explanation.downgrade_debounce = session.policy->downgrade_debounce;
  return explanation;
}

bool WithinPromise(const ModelSession& session, PresenceTime now) {
  const Duration silence = SaturatingDifference(now, session.last_signal);
  return static_cast<double>(silence.count()) <
         static_cast<double>(session.promised.count()) *
             (100 + session.policy->jitter_percent) * 1.05 / 100;
}

}  // namespace lifesign::property
