// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/property/model.h"

#include <algorithm>
#include <utility>

namespace lifesign::property {
namespace {

constexpr Duration kTokenEvery = milliseconds(100);
constexpr Duration kTolerance = 19 * kTokenEvery;
// Silences pay off the debt in whole units.
constexpr Duration kPaidBy = microseconds(50);
constexpr int kTakeOversPerMinute = 5;

bool MovesAge(SignalKind kind) {
  return kind == SignalKind::kActive || kind == SignalKind::kIdle ||
         kind == SignalKind::kBackground;
}

Lifecycle LifecycleOf(SignalKind kind) {
  if (kind == SignalKind::kActive) return Lifecycle::kActive;
  if (kind == SignalKind::kIdle) return Lifecycle::kIdle;
  return Lifecycle::kBackground;
}

PresenceTime TtlAt(const ModelSession& session) {
  return SaturatingAdd(session.last_signal, session.row().ttl);
}

PresenceTime EndsAt(const ModelSession& session) {
  return std::min(TtlAt(session), session.linger_until.value_or(kNever));
}

bool EndedAt(const ModelSession& session, PresenceTime now) {
  return now >= EndsAt(session);
}

// An end that time alone did not bring.
bool EndedByLeaveAt(const ModelSession& session, PresenceTime now) {
  return EndedAt(session, now) && EndsAt(session) < TtlAt(session);
}

bool InForce(const absl::optional<PresenceTime>& cap,
             const ModelSession& session, PresenceTime now) {
  return cap.has_value() && now >= *cap + session.policy->downgrade_debounce;
}

// § 4, rules 2 to 4, and the ttl.
State DerivedIgnoringLinger(const ModelSession& session, PresenceTime now) {
  const PolicyRow& row = session.row();
  const Duration signal_age = SaturatingDifference(now, session.last_signal);
  if (signal_age >= row.ttl) return State::kOffline;
  if (signal_age >= row.away_window) return State::kStale;
  const PresenceTime activity = session.activity.value_or(
      SaturatingSubtract(session.opened, row.active_window));
  const Duration activity_age = SaturatingDifference(now, activity);
  State state = State::kAway;
  if (activity_age < row.idle_window) state = State::kIdle;
  if (activity_age < row.active_window) state = State::kActive;
  if (InForce(session.idle_cap, session, now)) {
    state = Lower(state, State::kIdle);
  }
  if (InForce(session.background_cap, session, now)) {
    state = Lower(state, State::kAway);
  }
  return state;
}

State Derived(const ModelSession& session, PresenceTime now) {
  if (EndedAt(session, now)) return State::kOffline;
  return DerivedIgnoringLinger(session, now);
}

PresenceTime PromiseEndsAt(const ModelSession& session) {
  return session.last_signal + session.policy->WithJitter(session.promised);
}

bool Connected(const ModelSession& session, PresenceTime now) {
  if (session.detached || session.linger_until.has_value()) return false;
  if (!session.binding.unary()) return !session.stream_closed;
  return now < PromiseEndsAt(session);
}

PresenceTime NextTokenAt(const ModelSession& session) {
  return session.last_signal + std::max(session.debt - kTolerance, Duration(0));
}

void ApplyCaps(ModelSession& session, SignalKind kind, PresenceTime since) {
  switch (kind) {
    case SignalKind::kActive:
      session.idle_cap.reset();
      session.background_cap.reset();
      break;
    case SignalKind::kIdle:
      if (!session.idle_cap) session.idle_cap = since;
      session.background_cap.reset();
      break;
    default:
      if (!session.idle_cap) session.idle_cap = since;
      if (!session.background_cap) session.background_cap = since;
  }
}

void MoveAge(ModelSession& session, const Now& now) {
  const Duration silence = now.presence - session.last_signal;
  session.debt =
      std::max(session.debt - silence / kPaidBy * kPaidBy, Duration(0));
  session.last_signal = now.presence;
  session.last_seen = now.real;
}

void MoveActivity(ModelSession& session, const Signal& signal, const Now& now) {
  if (signal.kind != SignalKind::kActive && !signal.idle_for) return;
  const Duration idle_for = signal.idle_for.value_or(Duration(0));
  const PresenceTime at = SaturatingSubtract(now.presence, idle_for);
  const RealTime real = SaturatingSubtract(now.real, idle_for);
  if (!session.activity || at > *session.activity) {
    session.activity = at;
    session.last_active = real;
  }
}

void Heard(ModelUser& user, const ModelSession& session) {
  if (!user.last_seen || session.last_seen > *user.last_seen) {
    user.last_seen = session.last_seen;
  }
  if (session.last_active &&
      (!user.last_active || *session.last_active > *user.last_active)) {
    user.last_active = session.last_active;
  }
}

// Where one of the sessions may come to be derived otherwise, without the past.
std::vector<PresenceTime> Instants(const ModelSession& session) {
  const PolicyRow& row = session.row();
  const PresenceTime activity = session.activity.value_or(
      SaturatingSubtract(session.opened, row.active_window));
  const Duration debounce = session.policy->downgrade_debounce;
  std::vector<PresenceTime> instants = {
      TtlAt(session), SaturatingAdd(session.last_signal, row.away_window),
      SaturatingAdd(activity, row.active_window),
      SaturatingAdd(activity, row.idle_window)};
  if (session.idle_cap) instants.push_back(*session.idle_cap + debounce);
  if (session.background_cap) {
    instants.push_back(*session.background_cap + debounce);
  }
  if (session.linger_until) instants.push_back(*session.linger_until);
  return instants;
}

State HighestOf(const std::vector<ModelSession>& sessions, PresenceTime now) {
  State state = State::kOffline;
  for (const ModelSession& session : sessions) {
    state = Higher(state, Derived(session, now));
  }
  return state;
}

absl::optional<NextChangeView> NextChange(
    const std::vector<ModelSession>& sessions, const Now& now) {
  std::vector<PresenceTime> instants;
  for (const ModelSession& session : sessions) {
    const auto of_session = Instants(session);
    instants.insert(instants.end(), of_session.begin(), of_session.end());
  }
  std::sort(instants.begin(), instants.end());
  const State state = HighestOf(sessions, now.presence);
  for (const PresenceTime at : instants) {
    if (at <= now.presence) continue;
    const State then = HighestOf(sessions, at);
    if (then != state) return NextChangeView{WallAt(at, now), then};
  }
  return absl::nullopt;
}

absl::optional<CapView> CapViewOf(const absl::optional<PresenceTime>& cap,
                                  const ModelSession& session, const Now& now) {
  if (!cap) return absl::nullopt;
  const PresenceTime in_force_at = *cap + session.policy->downgrade_debounce;
  return CapView{WallAt(*cap, now), WallAt(in_force_at, now),
                 now.presence >= in_force_at};
}

ModelSessionView ViewOf(const ModelSession& session, State user_state,
                        const Now& now) {
  ModelSessionView seen;
  SessionView& view = seen.view;
  view.session = session.id;
  view.state = Derived(session, now.presence);
  view.device = session.device;
  view.connected = Connected(session, now.presence);
  view.attachment = session.attachment;
  view.opened_at = WallAt(session.opened_at, now);
  view.last_seen = WallAt(session.last_seen, now);
  if (session.last_active) {
    view.last_active = WallAt(*session.last_active, now);
  }
  view.next_interval = session.promised;
  view.confidence = 0;
  view.lifecycle = session.lifecycle;
  view.metadata = session.metadata;

  const PresenceTime activity = session.activity.value_or(
      SaturatingSubtract(session.opened, session.row().active_window));
  seen.signal_age = SaturatingDifference(now.presence, session.last_signal);
  seen.activity_age = SaturatingDifference(now.presence, activity);
  seen.within_promise = static_cast<double>(seen.signal_age.count()) <
                        static_cast<double>(session.promised.count()) *
                            (100 + session.policy->jitter_percent) * 1.05 / 100;
  seen.holds_user_state = view.state == user_state;
  seen.idle_cap = CapViewOf(session.idle_cap, session, now);
  seen.background_cap = CapViewOf(session.background_cap, session, now);
  if (session.linger_until) {
    seen.linger_until = WallAt(*session.linger_until, now);
  }
  seen.next_change = NextChange({session}, now);
  return seen;
}

}  // namespace

Model::Model(Options options, const Now& start)
    : options_(std::move(options)),
      policy_(std::make_shared<Policy>(options_.policy)),
      start_(start.real),
      start_now_(start) {}

Model::Shard& Model::ShardAt(int index) {
  return shards_.try_emplace(index, Shard{start_now_, options_.epoch})
      .first->second;
}

Revision Model::ClockRevision(const Now& now) const {
  return options_.epoch + static_cast<Revision>((now.real - start_).count());
}

Now Model::Forward(const std::string& user, const Now& now) {
  Now& last = ShardOf(user).last;
  last.presence = std::max(last.presence, now.presence);
  last.real = std::max(last.real, now.real);
  last.wall = now.wall;
  return last;
}

const ModelSession* Model::Find(const std::string& user,
                                const std::string& session,
                                const Now& now) const {
  const auto found = users_.find(user);
  if (found == users_.end()) return nullptr;
  for (const ModelSession& candidate : found->second.sessions) {
    if (candidate.id == session && !EndedAt(candidate, now.presence)) {
      return &candidate;
    }
  }
  return nullptr;
}

ModelSession* Model::Find(const std::string& user, const std::string& session,
                          const Now& now) {
  return const_cast<ModelSession*>(
      std::as_const(*this).Find(user, session, now));
}

void Model::EndByLeave(ModelUser& user, const std::string& session) {
  const auto found = std::find_if(
      user.sessions.begin(), user.sessions.end(),
      [&](const ModelSession& candidate) { return candidate.id == session; });
  user.left.push_back(*found);
  user.sessions.erase(found);
}

// One of this name whose time has run out makes way.
void Model::BeginAnew(ModelUser& user, const std::string& session,
                      const Now& now) {
  for (std::size_t i = 0; i < user.sessions.size(); ++i) {
    if (user.sessions[i].id != session) continue;
    if (EndedByLeaveAt(user.sessions[i], now.presence)) {
      EndByLeave(user, session);
    } else {
      user.sessions.erase(user.sessions.begin() +
                          static_cast<std::ptrdiff_t>(i));
    }
    return;
  }
}

bool Model::MakeRoom(ModelUser& user, const Now& now) {
  int open = 0;
  const ModelSession* silent_longest = nullptr;
  for (const ModelSession& session : user.sessions) {
    if (EndedAt(session, now.presence)) continue;
    ++open;
    if (Connected(session, now.presence)) continue;
    if (silent_longest == nullptr ||
        session.last_signal < silent_longest->last_signal) {
      silent_longest = &session;
    }
  }
  if (open < options_.max_sessions_per_user) return true;
  if (silent_longest == nullptr) return false;
  EndByLeave(user, std::string(silent_longest->id));
  return true;
}

OpenOutcome Model::Open(const OpenRequest& request, Attachment given,
                        const Now& instant) {
  const std::string name(request.name.user);
  const std::string id(request.name.session);
  const Now now = Forward(name, instant);
  OpenOutcome outcome;
  ModelSession* held = Find(name, id, now);

  if (held != nullptr && Connected(*held, now.presence) &&
      (held->instance == kNoInstance || held->instance != request.instance)) {
    auto& passed = held->take_overs;
    std::erase_if(passed, [&](PresenceTime at) {
      return now.presence - at >= seconds(60);
    });
    if (passed.size() >= kTakeOversPerMinute) {
      outcome.refusal = Refusal::kTooManyTakeOvers;
      outcome.retry_after = passed.front() + seconds(60) - now.presence;
      return outcome;
    }
    passed.push_back(now.presence);
    if (!held->binding.unary()) outcome.taken_over = held->binding;
  }

  if (held == nullptr) {
    ModelUser& user = users_[name];
    if (!MakeRoom(user, now)) {
      outcome.refusal = Refusal::kTooManySessions;
      return outcome;
    }
    BeginAnew(user, id, now);
    ModelSession begun;
    begun.id = id;
    begun.device = request.device.value_or(DeviceClass::kOther);
    begun.policy = policy_;
    begun.promised = begun.row().idle_interval;
    begun.opened = now.presence;
    begun.opened_at = now.real;
    begun.last_signal = now.presence;
    user.sessions.push_back(begun);
    held = &user.sessions.back();
  } else {
    outcome.resumed = true;
    if (held->waiting) ApplyWaiting(*held);
    if (request.device && *request.device != held->device) {
      users_[name].left.push_back(*held);
      held->device = *request.device;
      held->Promise(
          held->row().Interval(held->lifecycle.value_or(Lifecycle::kIdle)));
    }
  }

  held->binding = request.binding;
  held->instance = request.instance;
  held->attachment = given;
  held->detached = false;
  held->stream_closed = false;
  held->linger_until.reset();
  if (request.metadata != nullptr) held->metadata = *request.metadata;
  MoveAge(*held, now);
  if (request.signal) {
    MoveActivity(*held, *request.signal, now);
    const Duration head_start =
        outcome.resumed ? Duration(0) : policy_->downgrade_debounce;
    ApplyKind(*held, request.signal->kind, now.presence - head_start);
  }
  Heard(users_[name], *held);
  outcome.state = held->told_state = Derived(*held, now.presence);
  outcome.next_interval = held->promised;
  held->promise_changed = false;
  Evaluate(name, now);
  return outcome;
}

void Model::ApplyKind(ModelSession& session, SignalKind kind,
                      PresenceTime cap_start) {
  ApplyCaps(session, kind, cap_start);
  session.policy = policy_;
  session.lifecycle = LifecycleOf(kind);
  session.Promise(session.row().Interval(*session.lifecycle));
}

// It was heard at the last signal: nothing newer has been.
void Model::ApplyWaiting(ModelSession& session) {
  const SignalKind kind = *session.waiting;
  session.waiting.reset();
  ApplyKind(session, kind, session.last_signal);
}

SignalOutcome Model::Apply(const std::string& user, const std::string& session,
                           Attachment attachment, const Signal& signal,
                           const Now& instant) {
  if (!IsBound(user, session, attachment, instant)) {
    SignalOutcome outcome;
    outcome.refusal = Refusal::kSessionNotOpen;
    return outcome;
  }
  const Now now = Forward(user, instant);
  return ApplyTo(user, *Find(user, session, now), signal, now);
}

SignalOutcome Model::ApplyUnary(const std::string& user,
                                const std::string& session,
                                Attachment attachment, const Signal& signal,
                                const Now& instant) {
  const Now now = Forward(user, instant);
  ModelSession* held = Find(user, session, now);
  SignalOutcome outcome;
  if (held == nullptr) {
    if (signal.kind == SignalKind::kLeave) {
      outcome.bound = false;
    } else {
      outcome.refusal = Refusal::kSessionNotOpen;
    }
    return outcome;
  }
  const bool speaks = attachment == kNoAttachment
                          ? !Connected(*held, now.presence)
                          : attachment == held->attachment;
  if (!speaks) {
    outcome.refusal = Refusal::kStaleAttachment;
    return outcome;
  }
  return ApplyTo(user, *held, signal, now);
}

SignalOutcome Model::ApplyTo(const std::string& user, ModelSession& session,
                             const Signal& signal, const Now& now) {
  if (!MovesAge(signal.kind)) {
    if (session.waiting) ApplyWaiting(session);
    if (signal.kind == SignalKind::kLeave) {
      return Leave(user, session, signal, now);
    }
    session.detached = true;
    SignalOutcome outcome;
    outcome.state = Derived(session, now.presence);
    outcome.bound = false;
    Evaluate(user, now);
    return outcome;
  }

  MoveAge(session, now);
  MoveActivity(session, signal, now);
  Heard(users_[user], session);
  if (session.debt > kTolerance) {
    session.waiting = signal.kind;
    ++merged_;
    SignalOutcome outcome;
    outcome.state = Derived(session, now.presence);
    outcome.next_interval = session.promised;
    outcome.bound = !session.detached;
    return outcome;
  }
  session.debt += kTokenEvery;
  session.waiting.reset();
  ApplyKind(session, signal.kind, now.presence);
  return Told(user, std::string(session.id), now);
}

SignalOutcome Model::Told(const std::string& user, const std::string& session,
                          const Now& now) {
  Evaluate(user, now);
  ModelSession& held = *Find(user, session, now);
  SignalOutcome outcome;
  outcome.state = Derived(held, now.presence);
  outcome.next_interval = held.promised;
  outcome.bound = !held.detached;
  outcome.is_news = outcome.state != held.told_state || held.promise_changed;
  held.told_state = outcome.state;
  held.promise_changed = false;
  return outcome;
}

SignalOutcome Model::Leave(const std::string& user, ModelSession& session,
                           const Signal& signal, const Now& now) {
  const PresenceTime end = now.presence + signal.linger;
  session.linger_until = std::min(session.linger_until.value_or(kNever), end);
  session.last_seen = now.real;
  Heard(users_[user], session);
  SignalOutcome outcome;
  if (EndedAt(session, now.presence)) {
    EndByLeave(users_[user], std::string(session.id));
    outcome.bound = false;
  } else {
    outcome.state = Derived(session, now.presence);
  }
  Evaluate(user, now);
  return outcome;
}

void Model::Disconnect(const std::string& user, const std::string& session,
                       Attachment attachment, const Now& now) {
  if (!IsBound(user, session, attachment, now)) return;
  Find(user, session, Forward(user, now))->stream_closed = true;
}

bool Model::IsBound(const std::string& user, const std::string& session,
                    Attachment attachment, const Now& now) const {
  Now seen = now;
  const auto shard = shards_.find(options_.shard_of(user));
  if (shard != shards_.end()) {
    seen.presence = std::max(seen.presence, shard->second.last.presence);
  }
  const ModelSession* held = Find(user, session, seen);
  return held != nullptr && held->attachment == attachment && !held->detached;
}

void Model::Evaluate(const std::string& name, const Now& now) {
  ModelUser& user = users_[name];
  for (std::size_t i = 0; i < user.sessions.size();) {
    const ModelSession& session = user.sessions[i];
    if (!EndedAt(session, now.presence)) {
      ++i;
    } else {
      BeginAnew(user, std::string(session.id), now);
    }
  }
  // What is, and what it would be by time alone.
  DeviceStates devices = kNoDevices;
  for (const ModelSession& session : user.sessions) {
    State& device = devices[static_cast<std::size_t>(session.device)];
    device = Higher(device, Derived(session, now.presence));
  }
  DeviceStates by_time = devices;
  for (const ModelSession& session : user.left) {
    State& device = by_time[static_cast<std::size_t>(session.device)];
    device = Higher(device, DerivedIgnoringLinger(session, now.presence));
  }
  user.left.clear();
  const State state = *std::min_element(devices.begin(), devices.end());
  const State state_by_time = *std::min_element(by_time.begin(), by_time.end());

  if (state < user.state) {
    Emit(name, user, state, devices, Cause::kSignal, now);
  } else if (state > user.state) {
    Emit(name, user, state, devices,
         state != state_by_time     ? Cause::kLeave
         : state == State::kOffline ? Cause::kExpiry
                                    : Cause::kDecay,
         now);
  } else if (devices != user.devices) {
    bool rose = false;
    bool left = false;
    bool expired = false;
    for (std::size_t d = 0; d < kDeviceClasses; ++d) {
      if (devices[d] < user.devices[d]) rose = true;
      if (devices[d] <= user.devices[d]) continue;
      if (devices[d] != by_time[d]) left = true;
      if (devices[d] == State::kOffline) expired = true;
    }
    Emit(name, user, state, devices,
         rose      ? Cause::kSignal
         : left    ? Cause::kLeave
         : expired ? Cause::kExpiry
                   : Cause::kDecay,
         now);
  }
}

void Model::Emit(const std::string& name, ModelUser& user, State state,
                 const DeviceStates& devices, Cause cause, const Now& now) {
  Revision& newest = ShardOf(name).revision;
  newest = std::max(newest + 1, ClockRevision(now));
  Change change;
  change.before = user.state;
  change.devices_before = user.devices;
  if (state != user.state) user.since = now.real;
  user.state = state;
  user.devices = devices;
  user.cause = cause;
  user.revision = newest;
  change.after = Record(name, now);
  changes_.push_back(std::move(change));
}

PresenceRecord Model::Record(const std::string& name, const Now& now) const {
  PresenceRecord record;
  record.user = name;
  const auto found = users_.find(name);
  if (found == users_.end()) {
    const auto shard = shards_.find(options_.shard_of(name));
    record.revision =
        shard == shards_.end() ? options_.epoch : shard->second.revision;
    return record;
  }
  const ModelUser& user = found->second;
  record.known = true;
  record.state = user.state;
  record.devices = user.devices;
  record.cause = user.cause;
  record.revision = user.revision;
  record.since = WallAt(user.since, now);
  if (user.last_seen) record.last_seen = WallAt(*user.last_seen, now);
  if (user.last_active) record.last_active = WallAt(*user.last_active, now);
  return record;
}

ModelUserView Model::Read(const std::string& name, const Now& instant) {
  const Now now = Forward(name, instant);
  ModelUserView seen;
  const auto found = users_.find(name);
  if (found != users_.end()) Evaluate(name, now);
  seen.record = Record(name, now);
  if (found == users_.end()) return seen;
  for (const ModelSession& session : found->second.sessions) {
    seen.sessions.push_back(ViewOf(session, seen.record.state, now));
    ++seen.sessions_by_state[static_cast<std::size_t>(
        seen.sessions.back().view.state)];
  }
  seen.next_change = NextChange(found->second.sessions, now);
  return seen;
}

void Model::Tick(const Now& instant) {
  for (auto& [name, user] : users_) {
    const Now now = Forward(name, instant);
    for (ModelSession& session : user.sessions) {
      if (!session.waiting || now.presence < NextTokenAt(session)) continue;
      if (EndedAt(session, now.presence)) continue;
      session.debt += kTokenEvery;
      ApplyWaiting(session);
      ++waited_;
    }
    Evaluate(name, now);
  }
}

bool Model::Forget(const std::string& name, const Now& instant) {
  const auto found = users_.find(name);
  if (found == users_.end()) return true;
  const Now now = Forward(name, instant);
  if (!found->second.sessions.empty() ||
      now.real < found->second.since + policy_->offline_retention) {
    return false;
  }
  users_.erase(found);
  return true;
}

void Model::SetPolicy(const Policy& policy) {
  policy_ = std::make_shared<Policy>(policy);
}

void Model::Publish(const Now& now) {
  for (int index = 0; index < options_.shards; ++index) {
    Shard& shard = ShardAt(index);
    shard.last.presence = std::max(shard.last.presence, now.presence);
    shard.last.real = std::max(shard.last.real, now.real);
    shard.revision = std::max(shard.revision, ClockRevision(shard.last));
  }
}

std::vector<Change> Model::TakeChanges() {
  return std::exchange(changes_, std::vector<Change>());
}

std::vector<PresenceTime> Model::Boundaries(const Now& now) const {
  std::vector<PresenceTime> boundaries;
  for (const auto& [name, user] : users_) {
    for (const ModelSession& session : user.sessions) {
      for (const PresenceTime at : Instants(session)) boundaries.push_back(at);
      boundaries.push_back(NextTokenAt(session));
      boundaries.push_back(PromiseEndsAt(session));
      for (const PresenceTime at : session.take_overs) {
        boundaries.push_back(at + seconds(60));
      }
    }
    if (user.sessions.empty()) {
      boundaries.push_back(now.presence + (user.since - now.real) +
                           policy_->offline_retention);
    }
  }
  std::erase_if(boundaries,
                [&](PresenceTime at) { return at <= now.presence; });
  return boundaries;
}

}  // namespace lifesign::property
