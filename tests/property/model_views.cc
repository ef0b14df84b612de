// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What users declare, what they are, and who is told what of it:
// docs/concepts.md §§ 7, 8, 13.
#include <algorithm>
#include <utility>

#include "tests/property/model.h"

namespace lifesign::property {
namespace {

bool AreSame(const Change& a, const Change& b) {
  const PresenceRecord& x = a.after;
  const PresenceRecord& y = b.after;
  return a.before == b.before && a.devices_before == b.devices_before &&
         IsSame(a.availability_before, b.availability_before) &&
         x.state == y.state && x.devices == y.devices && x.cause == y.cause &&
         x.revision == y.revision && x.since == y.since &&
         x.last_seen == y.last_seen && x.last_active == y.last_active &&
         IsSame(x.availability, y.availability);
}

State HighestOf(const DeviceStates& devices) {
  return *std::min_element(devices.begin(), devices.end());
}

void Add(DeviceStates& devices, DeviceClass device, State state) {
  State& highest = devices[static_cast<std::size_t>(device)];
  highest = Higher(highest, state);
}

void Raise(absl::optional<RealTime>& latest, RealTime at) {
  if (!latest || at > *latest) latest = at;
}

}  // namespace

// --- What is declared

// What is held of what is declared now: AVAILABLE without text means nothing,
// and nothing does not run out.
Availability Model::Said(const AvailabilityDeclaration& declaration,
                         const Now& now) {
  if (declaration.kind == AvailabilityKind::kAvailable &&
      declaration.text.empty()) {
    return Availability();
  }
  Availability said;
  said.kind = declaration.kind;
  said.text = std::string(declaration.text);
  if (declaration.expires_in) {
    said.expires_at = SaturatingAdd(now.real, *declaration.expires_in);
  }
  return said;
}

void Model::DeclareBy(const OpenRequest& request, const Now& now) {
  const std::string name(request.name.user);
  if (request.availability == nullptr) return;
  if (declared_.contains(name) && !request.replaces_availability) return;
  Hold(name, Said(*request.availability, now), now);
}

void Model::ApplyWaiting(const std::string& user, ModelSession& session,
                         const Now& now) {
  session.ApplyWaiting(policy_);
  DeclareWaiting(user, session, now);
}

void Model::DeclareWaiting(const std::string& user, ModelSession& session,
                           const Now& now) {
  if (!session.waiting_availability) return;
  const Availability said = *session.waiting_availability;
  session.waiting_availability.reset();
  Hold(user, said, now);
}

void Model::Declare(const std::string& user,
                    const AvailabilityDeclaration& declaration,
                    const Now& instant) {
  const Now now = Forward(user, instant);
  Settle(user, now);
  Hold(user, Said(declaration, now), now);
  if (users_.contains(user)) Evaluate(user, now);
  DropDeclaration(user, now);
}

void Model::Hold(const std::string& name, const Availability& availability,
                 const Now& now) {
  declared_[name] =
      availability.expires_at <= now.real ? Availability() : availability;
  const auto found = users_.find(name);
  if (found == users_.end()) return;
  ModelUser& user = found->second;
  const bool invisible = IsToBeInvisible(name);
  const bool is_here =
      HighestAt(user.sessions, now.presence) != State::kOffline;
  if (invisible && !user.invisible) {
    user.apart |= !user.sessions.empty() || IsLive(user.shown.state);
    LeavePublicly(name, user, now);
  } else if (!invisible && user.invisible && is_here) {
    user.shown.known = true;
    user.apart = false;
    for (ModelSession& session : user.sessions) session.attached_unseen = true;
  }
  const bool appears = !invisible && user.invisible;
  user.invisible = invisible;
  if (!appears) return;
  user.visible = {now.real, now.presence};
  // This instant is one at which they are visible.
  for (const ModelSession& session : user.sessions) {
    if (session.last_seen >= now.real) Heard(user, session);
  }
}

void Model::Settle(const std::string& name, const Now& now) {
  const auto found = declared_.find(name);
  if (found == declared_.end() || !IsToBeInvisible(name) ||
      found->second.expires_at > now.real) {
    return;
  }
  Hold(name, Availability(), now);
  if (users_.contains(name)) Evaluate(name, now);
  DropDeclaration(name, now);
}

bool Model::IsToBeInvisible(const std::string& user) const {
  const auto found = declared_.find(user);
  return found != declared_.end() &&
         found->second.kind == AvailabilityKind::kInvisible;
}

// Of a user who is not remembered, what has run out, or was never more than
// nothing, is not held.
void Model::DropDeclaration(const std::string& name, const Now& now) {
  const auto found = declared_.find(name);
  if (found == declared_.end() || users_.contains(name)) return;
  if (found->second == Availability() || found->second.expires_at <= now.real) {
    declared_.erase(found);
  }
}

Availability Model::InEffect(const std::string& name, State state,
                             const Now& now) {
  const auto found = declared_.find(name);
  if (found == declared_.end()) return Availability();
  if (found->second.expires_at <= now.real) found->second = Availability();
  return state == State::kOffline ? Availability() : found->second;
}

// --- What is heard

void Model::Heard(ModelUser& user, const ModelSession& session) {
  Raise(user.truth.last_seen, session.last_seen);
  if (session.last_active) {
    Raise(user.truth.last_active, *session.last_active);
  }
  if (user.invisible) return;
  Raise(user.shown.last_seen, session.last_seen);
  // Also what was done while nobody was to know is told later at times.
  if (session.last_active && *session.last_active >= user.visible.real) {
    Raise(user.shown.last_active, *session.last_active);
  }
}

// --- What is told

State Model::Actual::state() const { return HighestOf(devices); }

absl::optional<Cause> Model::CauseOf(const ModelTold& told,
                                     const Actual& actual) {
  const State state = actual.state();
  if (state < told.state) return Cause::kSignal;
  if (state > told.state) {
    if (state != HighestOf(actual.by_time)) return Cause::kLeave;
    return state == State::kOffline ? Cause::kExpiry : Cause::kDecay;
  }
  if (actual.availability != told.availability) return Cause::kAvailability;
  if (actual.devices == told.devices) return absl::nullopt;
  bool left = false;
  bool expired = false;
  for (std::size_t d = 0; d < kDeviceClasses; ++d) {
    if (actual.devices[d] < told.devices[d]) return Cause::kSignal;
    if (actual.devices[d] == told.devices[d]) continue;
    if (actual.devices[d] != actual.by_time[d]) left = true;
    if (actual.devices[d] == State::kOffline) expired = true;
  }
  if (left) return Cause::kLeave;
  return expired ? Cause::kExpiry : Cause::kDecay;
}

void Model::Evaluate(const std::string& name, const Now& now) {
  ModelUser& user = users_[name];
  for (std::size_t i = 0; i < user.sessions.size();) {
    const ModelSession& session = user.sessions[i];
    if (!session.EndedAt(now.presence)) {
      ++i;
    } else {
      BeginAnew(user, std::string(session.id), now);
    }
  }
  Actual actual;
  for (const ModelSession& session : user.sessions) {
    Add(actual.devices, session.device, session.StateAt(now.presence));
  }
  actual.by_time = actual.devices;
  for (const ModelSession& session : user.left) {
    Add(actual.by_time, session.device, session.StateByTimeAt(now.presence));
  }
  user.left.clear();
  actual.availability = InEffect(name, actual.state(), now);
  TellBoth(name, user, actual, now);
}

void Model::TellBoth(const std::string& name, ModelUser& user,
                     const Actual& actual, const Now& now) {
  const auto shown_cause =
      user.invisible ? absl::optional<Cause>() : CauseOf(user.shown, actual);
  const auto true_cause = CauseOf(user.truth, actual);
  Revision& newest = ShardOf(name).revision;
  absl::optional<Change> shown;
  if (shown_cause) {
    newest = std::max(newest + 1, ClockRevision(now));
    shown = Tell(user.shown, actual, *shown_cause, newest, now);
    shown->after = Record(name, View::kPublic, now);
  }
  if (true_cause) {
    Revision revision = newest;
    if (!shown || newest <= user.truth.revision) {
      // Beside the others: it takes no place among those that everybody sees.
      Revision& beside = ShardOf(name).beside;
      beside = std::max({beside + 1, newest + 1, ClockRevision(now)});
      revision = beside;
    }
    Change truth = Tell(user.truth, actual, *true_cause, revision, now);
    truth.after = Record(name, View::kTrue, now);
    if (shown && AreSame(*shown, truth)) {
      shown->audience = Audience::kEverybody;
      changes_.push_back(*std::move(shown));
      return;
    }
    truth.audience = Audience::kTrue;
    changes_.push_back(std::move(truth));
  }
  if (shown) {
    shown->audience = Audience::kPublic;
    changes_.push_back(*std::move(shown));
  }
}

Change Model::Tell(ModelTold& told, const Actual& actual, Cause cause,
                   Revision revision, const Now& now) {
  Change change;
  change.before = told.state;
  change.devices_before = told.devices;
  change.availability_before = AsTold(told.availability, now);
  if (actual.state() != told.state) told.since = now.real;
  told.state = actual.state();
  told.devices = actual.devices;
  told.availability = actual.availability;
  told.cause = cause;
  told.revision = revision;
  return change;
}

// As if all sessions left now, the last of them by LEAVE.
void Model::LeavePublicly(const std::string& name, ModelUser& user,
                          const Now& now) {
  Actual gone;
  for (const ModelSession& session : user.sessions) {
    if (!session.EndedAt(now.presence)) user.shown.last_seen = now.real;
    Add(gone.by_time, session.device, session.StateByTimeAt(now.presence));
  }
  for (const ModelSession& session : user.left) {
    Add(gone.by_time, session.device, session.StateByTimeAt(now.presence));
  }
  const auto cause = CauseOf(user.shown, gone);
  if (!cause) return;
  Revision& newest = ShardOf(name).revision;
  newest = std::max(newest + 1, ClockRevision(now));
  Change change = Tell(user.shown, gone, *cause, newest, now);
  change.after = Record(name, View::kPublic, now);
  change.audience = Audience::kPublic;
  changes_.push_back(std::move(change));
}

// --- What is read

std::size_t Model::users(View view) const {
  return static_cast<std::size_t>(std::count_if(
      users_.begin(), users_.end(),
      [view](const auto& user) { return user.second.IsKnownIn(view); }));
}

PresenceRecord Model::Record(const std::string& name, View view,
                             const Now& now) const {
  PresenceRecord record;
  record.user = name;
  const auto found = users_.find(name);
  const ModelTold* const told = found == users_.end()   ? nullptr
                                : view == View::kPublic ? &found->second.shown
                                                        : &found->second.truth;
  if (told == nullptr || !told->known) {
    const auto shard = shards_.find(options_.shard_of(name));
    record.revision =
        shard == shards_.end() ? options_.epoch : shard->second.revision;
    return record;
  }
  record.known = true;
  record.state = told->state;
  record.devices = told->devices;
  record.cause = told->cause;
  record.revision = told->revision;
  record.since = WallAt(told->since, now);
  if (told->last_seen) record.last_seen = WallAt(*told->last_seen, now);
  if (told->last_active) record.last_active = WallAt(*told->last_active, now);
  record.availability = AsTold(told->availability, now);
  return record;
}

ModelUserView Model::Read(const std::string& name, View view,
                          const Now& instant) {
  const Now now = Forward(name, instant);
  Settle(name, now);
  ModelUserView seen;
  const auto found = users_.find(name);
  // Who is invisible is not looked at for those who do not see through.
  if (found != users_.end() &&
      (view == View::kTrue || !found->second.invisible)) {
    Evaluate(name, now);
  }
  seen.record = Record(name, view, now);
  if (found == users_.end()) return seen;
  const ModelUser& user = found->second;
  if (view == View::kPublic && user.invisible) return seen;
  const VisibleSince visible =
      view == View::kPublic ? user.visible : VisibleSince();
  for (const ModelSession& session : user.sessions) {
    seen.sessions.push_back({Explain(session, seen.record.state, visible, now),
                             WithinPromise(session, now.presence)});
    ++seen.sessions_by_state[static_cast<std::size_t>(
        session.StateAt(now.presence))];
  }
  seen.next_change = NextChange(user.sessions, now);
  return seen;
}

}  // namespace lifesign::property
