// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Asking a room: who is there, and when somebody is. docs/concepts.md § 10.
#include <string>

#include "server/core/room/room.h"

namespace lifesign {

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
