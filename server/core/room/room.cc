// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/room/room.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"
#include "server/base/limits.h"

namespace lifesign {

std::size_t Room::MemberHash::operator()(absl::string_view user) const {
  return absl::Hash<absl::string_view>()(user);
}

Room::Room(absl::string_view id, const RevisionClock& revisions,
           const Encoders& encoders)
    : id_(id),
      encoders_(encoders),
      revisions_(revisions),
      // Who was there before is not remembered.
      forgotten_up_to_(revisions.last()) {
  occupancy_.revision = revisions.last();
}

Room::~Room() = default;

std::shared_ptr<Room> Room::Copy(const RevisionClock& revisions,
                                 const Encoders& encoders,
                                 const Now& now) const {
  MutexLock lock(mutex_);
  RevisionClock above = revisions;
  above.Raise(revisions_.last());
  above.Next(now.real);
  auto copy = std::make_shared<Room>(id_, above, encoders);
  // Nobody else has it: only the analysis asks for this one.
  MutexLock copy_lock(copy->mutex_);
  for (const auto& member : members_) {
    Member& copied = copy->FindOrAdd(member->user);
    copied.told = member->told;
    copied.revision = member->revision;
    copied.departed_at = member->departed_at;
    copied.merging = member->merging;
    copied.merged_into = member->merged_into;
    copied.came_at = member->came_at;
    if (IsLive(copied.told)) copy->by_coming_.emplace(copied.came_at, &copied);
  }
  for (const Member& member : log_) {
    copy->log_.push_back(copy->FindOrAdd(member.user));
  }
  for (const Member& member : departed_) {
    copy->departed_.push_back(copy->FindOrAdd(member.user));
  }
  copy->departed_count_ = departed_count_;
  copy->occupancy_ = occupancy_;
  copy->history_ = history_;
  copy->intents_ = intents_;
  return copy;
}

// --- What it is told ---

Room::Outcome Room::Apply(const MemberChange& change, const Now& now,
                          const EncodeChange& encode, ToWake& to_wake) {
  MutexLock lock(mutex_);
  Outcome outcome;
  outcome.closed = closed_;
  if (closed_) return outcome;
  const auto users_before = occupancy_.users_by_state;
  const int sessions_before = occupancy_.sessions;
  const auto known = members_.find(change.user);
  if (IsLive(change.after) || known != members_.end()) {
    Member& member = FindOrAdd(change.user);
    const bool is_of_before = member.merging && change.merged_into == nullptr;
    if (change.merged_into != nullptr) {
      member.merging = false;
      member.merged_into = change.merged_into;
    }
    about_to_leave_ = AboutToLeave(change);
    if (!is_of_before) Update(member, change.after, now, encode, to_wake);
    about_to_leave_ = 0;
    // Who is still there with other sessions has not left by what went over,
    // even if that changed nothing here.
    if (IsLive(member.told)) member.merged_into = nullptr;
    // A guest of whom nothing but their leaving was ever told.
    if (!IsLive(member.told) && !member.merging &&
        !member.in_departed.is_linked()) {
      members_.erase(members_.find(change.user));
    }
  }
  if (change.replaces != nullptr) Replace(change, now, encode, to_wake);
  // Once for both of a replacement: they were never there at a time.
  history_.Set(occupancy_.users, now.real);
  if (occupancy_.users_by_state != users_before) {
    // Not sooner: whom a change replaces is counted out by now.
    awaits_.TellMembers(occupancy_.users_by_state, to_wake.awaits);
  }
  if (occupancy_.users_by_state != users_before ||
      occupancy_.sessions != sessions_before) {
    TellOccupancy(now, to_wake);
  }
  if (occupancy_.users == 0) {
    ForgetAllDeparted();
  } else {
    ForgetDepartedOf(now);
  }
  outcome.emptied = IsEmpty();
  outcome.visit_at = NextVisit();
  return outcome;
}

void Room::Update(Member& member, const Membership& told, const Now& now,
                  const EncodeChange& encode, ToWake& to_wake) {
  const bool is_change = member.told.state != told.state;
  if (!is_change && member.told.sessions == told.sessions) return;
  if (IsLive(told)) member.merged_into = nullptr;
  Change change;
  change.before = member.told.state.state();
  change.devices_before = member.told.state.devices();
  occupancy_.revision = revisions_.Next(now.real);
  const bool comes_or_goes = IsLive(told) != IsLive(member.told);
  Take(member, told, now);
  if (!is_change) return;
  if (comes_or_goes) TellIntents(member.user, now, to_wake);
  member.revision = occupancy_.revision;
  member.in_log.unlink();
  log_.push_back(member);
  change.after = RecordOf(member, now);
  TellMembers(std::move(change), encode, to_wake);
}

int Room::AboutToLeave(const MemberChange& change) const {
  if (change.replaces == nullptr || IsLive(change.replaces->guest_after)) {
    return 0;
  }
  const auto guest = members_.find(change.replaces->guest);
  return guest != members_.end() && IsLive((*guest)->told) ? 1 : 0;
}

void Room::Replace(const MemberChange& change, const Now& now,
                   const EncodeChange& encode, ToWake& to_wake) {
  const MemberChange::Replacement& replaced = *change.replaces;
  Member& guest = FindOrAdd(replaced.guest);
  guest.merging = true;
  guest.merged_into = std::make_shared<const std::string>(change.user);
  Update(guest, replaced.guest_after, now, encode, to_wake);
}

Room::Member& Room::FindOrAdd(absl::string_view user) {
  const auto found = members_.find(user);
  if (found != members_.end()) return **found;
  auto added = std::make_unique<Member>();
  added->user = std::string(user);
  Member& member = *added;
  members_.insert(std::move(added));
  return member;
}

void Room::Take(Member& member, const Membership& told, const Now& now) {
  if (IsLive(member.told)) {
    Count(member.told, -1);
    if (!IsLive(told)) by_coming_.erase(member.came_at);
  } else if (IsLive(told)) {
    member.came_at = occupancy_.revision;
    by_coming_.emplace(member.came_at, &member);
  }
  member.told = told;
  if (IsLive(told)) {
    Count(told, +1);
    if (member.in_departed.is_linked()) {
      member.in_departed.unlink();
      --departed_count_;
    }
  } else if (!member.in_departed.is_linked()) {
    member.departed_at = now.real;
    departed_.push_back(member);
    ++departed_count_;
  }
}

void Room::Count(const Membership& member, int by) {
  occupancy_.users_by_state[static_cast<std::size_t>(member.state.state())] +=
      by;
  occupancy_.users += by;
  occupancy_.sessions += by * member.sessions;
}

Room::Outcome Room::Apply(const Intent& intent, const Now& now,
                          ToWake& to_wake) {
  MutexLock lock(mutex_);
  Outcome outcome;
  outcome.closed = closed_;
  if (closed_) return outcome;
  if (intents_.Apply(intent)) TellIntents(intent.target, now, to_wake);
  outcome.emptied = IsEmpty();
  outcome.visit_at = NextVisit();
  return outcome;
}

Room::Outcome Room::Visit(const Now& now, ToWake& to_wake) {
  MutexLock lock(mutex_);
  ForgetDepartedOf(now);
  for (const Intent& expired : intents_.TakeExpired(now.real)) {
    TellIntents(expired.target, now, to_wake);
  }
  if (occupancy_waits_) TellOccupancy(now, to_wake);
  Outcome outcome;
  outcome.emptied = IsEmpty();
  outcome.visit_at = NextVisit();
  return outcome;
}

void Room::ForgetDeparted(Member& member) {
  forgotten_up_to_ = std::max(forgotten_up_to_, member.revision);
  --departed_count_;
  members_.erase(members_.find(member.user));
}

void Room::ForgetAllDeparted() {
  for (auto next = departed_.begin(); next != departed_.end();) {
    Member& member = *next++;
    if (!member.merging) ForgetDeparted(member);
  }
}

void Room::ForgetDepartedOf(const Now& now) {
  while (departed_count_ > limits::kMaxWatchedMembers ||
         (departed_count_ > 0 &&
          now.real - departed_.front().departed_at >= limits::kDepartedKept)) {
    // Not for long.
    if (departed_.front().merging) return;
    ForgetDeparted(departed_.front());
  }
}

bool Room::IsEmpty() const { return occupancy_.users == 0 && intents_.empty(); }

RealTime Room::NextVisit() const {
  RealTime next = intents_.NextExpiry();
  if (departed_count_ > 0) {
    next =
        std::min(next, departed_.front().departed_at + limits::kDepartedKept);
  }
  if (occupancy_waits_) {
    next = std::min(next, occupancy_told_at_ + limits::kOccupancyInterval);
  }
  return next;
}

// --- Its end ---

Room::Closing Room::Close(bool forgetting, const Now& now) {
  MutexLock lock(mutex_);
  if (!members_.empty() || !of_members_.empty() || !of_occupancy_.empty() ||
      !of_intents_.empty() || !awaits_.empty() || !intents_.empty()) {
    return Closing::kInUse;
  }
  if (!forgetting && !history_.IsForgotten(now.real)) {
    return Closing::kRemembered;
  }
  closed_ = true;
  return Closing::kClosed;
}

}  // namespace lifesign
