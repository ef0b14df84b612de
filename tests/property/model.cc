// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/property/model.h"

#include <algorithm>
#include <utility>

namespace lifesign::property {
namespace {

constexpr int kTakeOversPerMinute = 5;

bool MovesAge(SignalKind kind) {
  return kind == SignalKind::kActive || kind == SignalKind::kIdle ||
         kind == SignalKind::kBackground;
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
    if (candidate.id == session && !candidate.EndedAt(now.presence)) {
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
    if (user.sessions[i].EndedByLeaveAt(now.presence)) {
      EndByLeave(user, session);
    } else {
      user.sessions.erase(user.sessions.begin() +
                          static_cast<std::ptrdiff_t>(i));
    }
    return;
  }
}

bool Model::MakeRoom(const std::string& name, ModelUser& user, const Now& now) {
  int open = 0;
  ModelSession* silent_longest = nullptr;
  for (ModelSession& session : user.sessions) {
    if (session.EndedAt(now.presence)) continue;
    ++open;
    if (session.ConnectedAt(now.presence)) continue;
    if (silent_longest == nullptr ||
        session.last_signal < silent_longest->last_signal) {
      silent_longest = &session;
    }
  }
  if (open < options_.max_sessions_per_user) return true;
  if (silent_longest == nullptr) return false;
  if (silent_longest->waiting) ApplyWaiting(name, *silent_longest, now);
  EndByLeave(user, std::string(silent_longest->id));
  return true;
}

OpenOutcome Model::Open(const OpenRequest& request, Attachment given,
                        const Now& instant) {
  const std::string name(request.name.user);
  const std::string id(request.name.session);
  const Now now = Forward(name, instant);
  OpenOutcome outcome;
  Settle(name, now);
  ModelSession* held = Find(name, id, now);

  if (held != nullptr && held->ConnectedAt(now.presence) &&
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
    DropDeclaration(name, now);
    ModelUser& user = users_[name];
    if (!MakeRoom(name, user, now)) {
      outcome.refusal = Refusal::kTooManySessions;
      return outcome;
    }
    BeginAnew(user, id, now);
    DeclareBy(request, now);
    ModelSession begun;
    begun.id = id;
    begun.device = request.device.value_or(DeviceClass::kOther);
    begun.policy = policy_;
    begun.promised = begun.row().idle_interval;
    begun.opened = now.presence;
    begun.opened_at = now.real;
    begun.last_signal = now.presence;
    // Where they belong: the public may know nothing of them.
    user.invisible = IsToBeInvisible(name);
    user.apart = user.invisible;
    user.truth.known = true;
    if (!user.invisible) user.shown.known = true;
    user.sessions.push_back(begun);
    held = &user.sessions.back();
  } else {
    outcome.resumed = true;
    if (held->waiting) ApplyWaiting(name, *held, now);
    DeclareBy(request, now);
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
  held->attached_unseen = false;
  held->detached = false;
  held->stream_closed = false;
  held->linger_until.reset();
  if (request.metadata != nullptr) held->metadata = *request.metadata;
  held->MoveAge(now);
  if (request.signal) {
    held->MoveActivity(*request.signal, now);
    const Duration head_start =
        outcome.resumed ? Duration(0) : policy_->downgrade_debounce;
    held->ApplyKind(request.signal->kind, now.presence - head_start, policy_);
  }
  Heard(users_[name], *held);
  outcome.state = held->told_state = held->StateAt(now.presence);
  outcome.next_interval = held->promised;
  outcome.report_after = held->row().active_window / 3;
  held->promise_changed = false;
  Evaluate(name, now);
  return outcome;
}

SignalOutcome Model::Apply(const std::string& user, const std::string& session,
                           Attachment attachment, const Signal& signal,
                           const Declaration& declaration, const Now& instant) {
  if (!IsBound(user, session, attachment, instant)) {
    SignalOutcome outcome;
    outcome.refusal = Refusal::kSessionNotOpen;
    return outcome;
  }
  const Now now = Forward(user, instant);
  Settle(user, now);
  return ApplyTo(user, *Find(user, session, now), signal, declaration, now);
}

SignalOutcome Model::ApplyUnary(const std::string& user,
                                const std::string& session,
                                Attachment attachment, const Signal& signal,
                                const Declaration& declaration,
                                const Now& instant) {
  const Now now = Forward(user, instant);
  Settle(user, now);
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
                          ? !held->ConnectedAt(now.presence)
                          : attachment == held->attachment;
  if (!speaks) {
    outcome.refusal = Refusal::kStaleAttachment;
    return outcome;
  }
  return ApplyTo(user, *held, signal, declaration, now);
}

SignalOutcome Model::ApplyTo(const std::string& user, ModelSession& session,
                             const Signal& signal,
                             const Declaration& declaration, const Now& now) {
  if (!MovesAge(signal.kind)) {
    if (session.waiting) ApplyWaiting(user, session, now);
    if (signal.kind == SignalKind::kLeave) {
      return Leave(user, session, signal, now);
    }
    session.detached = true;
    SignalOutcome outcome;
    outcome.state = session.StateAt(now.presence);
    outcome.bound = false;
    Evaluate(user, now);
    return outcome;
  }

  if (declaration.availability != nullptr) {
    session.waiting_availability = Said(*declaration.availability, now);
  }
  // What is looked at now is declared before anything is heard. Rooms and
  // intents never wait, and who becomes invisible is not seen to come.
  ModelSession heard = session;
  heard.MoveAge(now);
  const bool hides =
      session.waiting_availability.has_value() &&
      session.waiting_availability->kind == AvailabilityKind::kInvisible &&
      !users_[user].invisible;
  const bool at_once =
      hides && (declaration.rooms != nullptr || !declaration.intents.empty());
  if (at_once || heard.HasToken()) DeclareWaiting(user, session, now);
  session.MoveAge(now);
  session.MoveActivity(signal, now);
  Heard(users_[user], session);
  if (!session.HasToken()) {
    session.waiting = signal.kind;
    ++merged_;
    SignalOutcome outcome;
    outcome.state = session.StateAt(now.presence);
    outcome.next_interval = session.promised;
    outcome.bound = !session.detached;
    return outcome;
  }
  session.TakeToken();
  session.waiting.reset();
  session.ApplyKind(signal.kind, now.presence, policy_);
  return Told(user, std::string(session.id), now);
}

SignalOutcome Model::Told(const std::string& user, const std::string& session,
                          const Now& now) {
  Evaluate(user, now);
  ModelSession& held = *Find(user, session, now);
  SignalOutcome outcome;
  outcome.state = held.StateAt(now.presence);
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
  if (session.EndedAt(now.presence)) {
    EndByLeave(users_[user], std::string(session.id));
    outcome.bound = false;
  } else {
    outcome.state = session.StateAt(now.presence);
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

void Model::Tick(const Now& instant) {
  for (auto& [name, user] : users_) {
    const Now now = Forward(name, instant);
    Settle(name, now);
    for (ModelSession& session : user.sessions) {
      if (!session.waiting || now.presence < session.NextTokenAt()) continue;
      if (session.EndedAt(now.presence)) continue;
      session.TakeToken();
      ApplyWaiting(name, session, now);
      ++waited_;
    }
    Evaluate(name, now);
  }
}

bool Model::Forget(const std::string& name, View view, const Now& instant) {
  const auto found = users_.find(name);
  if (found == users_.end()) return true;
  const Now now = Forward(name, instant);
  ModelUser& user = found->second;
  ModelTold& told = view == View::kPublic ? user.shown : user.truth;
  if (!told.known) return true;
  const bool here = view == View::kTrue || !user.invisible;
  if ((here && !user.sessions.empty()) ||
      now.real < told.since + policy_->offline_retention) {
    return false;
  }
  told = ModelTold();
  if (view == View::kPublic && user.apart) return true;
  users_.erase(found);
  DropDeclaration(name, now);
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
      for (const PresenceTime at : session.Instants()) boundaries.push_back(at);
      boundaries.push_back(session.NextTokenAt());
      boundaries.push_back(session.PromiseEndsAt());
      for (const PresenceTime at : session.take_overs) {
        boundaries.push_back(at + seconds(60));
      }
    }
    if (const auto declared = declared_.find(name);
        declared != declared_.end() &&
        declared->second.expires_at != kNoExpiry) {
      boundaries.push_back(now.presence +
                           (declared->second.expires_at - now.real));
    }
    if (user.sessions.empty()) {
      boundaries.push_back(now.presence + (user.shown.since - now.real) +
                           policy_->offline_retention);
    }
  }
  std::erase_if(boundaries,
                [&](PresenceTime at) { return at <= now.presence; });
  return boundaries;
}

}  // namespace lifesign::property
