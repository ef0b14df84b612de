// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/room/room.h"

#include "absl/hash/hash.h"

namespace lifesign {

std::size_t Room::MemberHash::operator()(absl::string_view user) const {
  return absl::Hash<absl::string_view>()(user);
}

Room::Room(absl::string_view id, const RevisionClock& revisions)
    : id_(id), revisions_(revisions) {
  occupancy_.revision = revisions.last();
}

Room::Outcome Room::Apply(const MemberChange& change, const Now& now) {
  MutexLock lock(mutex_);
  if (closed_) return Outcome::kClosed;
  const bool live = IsLive(change.after.state.state());
  auto found = members_.find(change.user);
  if (found == members_.end()) {
    if (!live) return Outcome::kTold;
    auto member = std::make_unique<Member>();
    member->user = change.user;
    found = members_.insert(std::move(member)).first;
  } else {
    Count((*found)->told, -1);
  }
  occupancy_.revision = revisions_.Next(now.real);
  Member& member = **found;
  member.told = change.after;
  if (live) {
    Count(member.told, +1);
  } else {
    members_.erase(found);
  }
  history_.Set(occupancy_.users, now.real);
  return members_.empty() ? Outcome::kEmptied : Outcome::kTold;
}

void Room::Count(const Membership& member, int by) {
  occupancy_.users_by_state[static_cast<std::size_t>(member.state.state())] +=
      by;
  occupancy_.users += by;
  occupancy_.sessions += by * member.sessions;
}

Occupancy Room::GetOccupancy(const Now& now) const {
  MutexLock lock(mutex_);
  Occupancy occupancy = occupancy_;
  for (std::size_t i = 0; i < kOccupancyWindows.size(); ++i) {
    occupancy.lately[i] = history_.Over(kOccupancyWindows[i], now.real);
  }
  return occupancy;
}

Room::Closing Room::Close(bool forgetting, const Now& now) {
  MutexLock lock(mutex_);
  if (!members_.empty()) return Closing::kInUse;
  if (!forgetting && !history_.IsForgotten(now.real)) {
    return Closing::kRemembered;
  }
  closed_ = true;
  return Closing::kClosed;
}

Revision Room::last_revision() const {
  MutexLock lock(mutex_);
  return revisions_.last();
}

}  // namespace lifesign
