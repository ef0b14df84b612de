// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Asking a room: who is there, how many they are, who is wanted there, and when
// somebody is there. docs/concepts.md §§ 10, 11.
#include <string>

#include "server/core/room/room.h"

namespace lifesign {

PresenceRecord Room::RecordOf(const Member& member, const Now& now) const {
  const auto wall = [&now](RealTime at) -> absl::optional<WallTime> {
    if (at == kNeverReal) return absl::nullopt;
    return WallAt(at, now);
  };
  PresenceRecord record;
  record.user = member.user;
  record.state = member.told.state.state();
  record.devices = member.told.state.devices();
  record.cause = member.told.cause;
  record.revision = member.revision;
  record.known = true;
  record.since = WallAt(member.told.since, now);
  record.last_seen = wall(member.told.last_seen);
  record.last_active = wall(member.told.last_active);
  if (!IsLive(member.told)) record.merged_into = member.merged_into;
  return record;
}

Occupancy Room::OccupancyAt(const Now& now) const {
  Occupancy occupancy = occupancy_;
  for (std::size_t i = 0; i < kOccupancyWindows.size(); ++i) {
    occupancy.lately[i] = history_.Over(kOccupancyWindows[i], now.real);
  }
  return occupancy;
}

Occupancy Room::GetOccupancy(const Now& now) const {
  MutexLock lock(mutex_);
  return OccupancyAt(now);
}

bool Room::IsThere(absl::string_view user) const {
  const auto found = members_.find(user);
  return found != members_.end() && IsLive((*found)->told);
}

std::vector<IntentView> Room::Towards(absl::string_view target,
                                      const Now& now) const {
  std::vector<IntentView> views;
  // Nobody is rung who is not there.
  if (!IsThere(target)) return views;
  for (const Intent& one : intents_.Towards(target, now.real)) {
    views.push_back({one.from, one.target, WallAt(one.expires_at, now)});
  }
  return views;
}

std::vector<IntentView> Room::IntentsTowards(absl::string_view target,
                                             const Now& now) const {
  MutexLock lock(mutex_);
  return Towards(target, now);
}

Revision Room::last_revision() const {
  MutexLock lock(mutex_);
  return revisions_.last();
}

bool Room::ListMembers(StateSet states, std::uint32_t most_passed,
                       std::size_t most, Revision& begun, Revision& after,
                       const Now& now,
                       std::vector<PresenceRecord>& records) const {
  MutexLock lock(mutex_);
  if (begun == 0) begun = revisions_.last();
  if (after >= begun) return false;
  auto next = by_coming_.upper_bound(after);
  const auto end = by_coming_.upper_bound(begun);
  for (; most_passed > 0 && most > 0 && next != end; ++next, --most_passed) {
    const Member& member = *next->second;
    after = next->first;
    if (!states.Has(member.told.state.state())) continue;
    records.push_back(RecordOf(member, now));
    --most;
  }
  return next != end;
}

bool Room::TellAndRegister(const std::shared_ptr<Await>& await,
                           std::size_t predicate, const Now& now) {
  MutexLock lock(mutex_);
  if (closed_) return false;
  const std::string& target =
      await->terms().predicates[predicate].place->target;
  const auto towards = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return Towards(target, now);
  };
  awaits_.Register(await, predicate, occupancy_.users_by_state, towards);
  return true;
}

bool Room::Unregister(const Await& await) {
  MutexLock lock(mutex_);
  awaits_.Unregister(await);
  return IsEmpty();
}

}  // namespace lifesign
