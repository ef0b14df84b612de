// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Watching a room: who is told what. docs/concepts.md §§ 9, 11.
#include <algorithm>
#include <utility>

#include "server/base/limits.h"
#include "server/core/room/room.h"
#include "server/core/watch/delivery.h"

namespace lifesign {
namespace {

void Remove(std::vector<WatchRef>& watches, const Watch& watch) {
  watches.erase(
      std::remove_if(watches.begin(), watches.end(),
                     [&](const WatchRef& one) { return one.get() == &watch; }),
      watches.end());
}

}  // namespace

// --- Who is told ---

Room::Copied Room::CopyAndRegister(const std::shared_ptr<Watch>& watch,
                                   Revision since, const Now& now,
                                   std::vector<PresenceRecord>& records,
                                   Revision& leads_to) {
  MutexLock lock(mutex_);
  if (closed_) return Copied::kClosed;
  Remove(of_members_, *watch);
  if (occupancy_.users > limits::kMaxWatchedMembers) return Copied::kTooLarge;
  if (since != 0 && forgotten_up_to_ > since) return Copied::kCompacted;
  for (auto member = log_.rbegin(); member != log_.rend(); ++member) {
    if (since != 0) {
      if (member->revision <= since) break;
      if (records.size() == std::size_t{limits::kMaxWatchedMembers}) {
        // A snapshot is shorter.
        records.clear();
        return Copied::kCompacted;
      }
    } else {
      const State state = member->told.state.state();
      if (!IsLive(state) || !watch->terms().states.Has(state)) {
        continue;
      }
    }
    records.push_back(RecordOf(*member, now));
  }
  leads_to = revisions_.last();
  watch->OpenMailbox();
  of_members_.emplace_back(watch);
  return Copied::kCopied;
}

bool Room::Remembers(Revision since) const {
  MutexLock lock(mutex_);
  return forgotten_up_to_ <= since;
}

bool Room::RegisterForOccupancy(const std::shared_ptr<Watch>& watch,
                                const Now& now, Revision& leads_to) {
  MutexLock lock(mutex_);
  if (closed_) return false;
  leads_to = revisions_.last();
  Remove(of_occupancy_, *watch);
  of_occupancy_.emplace_back(watch);
  watch->DeliverWhole(encoders_.occupancy(id_, OccupancyAt(now)));
  return true;
}

bool Room::RegisterForIntents(const std::shared_ptr<Watch>& watch,
                              absl::string_view target, const Now& now,
                              Revision& leads_to) {
  MutexLock lock(mutex_);
  if (closed_) return false;
  leads_to = revisions_.last();
  of_intents_.Add(watch, target);
  watch->DeliverWhole(encoders_.intents(id_, Towards(target, now)));
  return true;
}

bool Room::Unregister(const Watch& watch) {
  MutexLock lock(mutex_);
  of_intents_.Remove(watch);
  Remove(of_members_, watch);
  Remove(of_occupancy_, watch);
  return IsEmpty();
}

// --- What they are told ---

void Room::TellMembers(Change&& change, const EncodeChange& encode,
                       ToWake& to_wake) {
  if (occupancy_.users - about_to_leave_ > limits::kMaxWatchedMembers) {
    for (const WatchRef& watch : of_members_) {
      if (watch->End()) to_wake.watches.push_back(watch.shared());
    }
    of_members_.clear();
    return;
  }
  Delivery delivery(std::move(change), encode, to_wake.watches);
  for (const WatchRef& watch : of_members_) {
    // One that is full will learn of this from the log.
    if (delivery.IsFor(*watch) && !watch->IsFull()) delivery.LeaveWith(watch);
  }
}

void Room::TellOccupancy(const Now& now, ToWake& to_wake) {
  occupancy_waits_ =
      !of_occupancy_.empty() &&
      now.real < SaturatingAdd(occupancy_told_at_, limits::kOccupancyInterval);
  if (occupancy_waits_ || of_occupancy_.empty()) return;
  occupancy_told_at_ = now.real;
  const std::shared_ptr<const void> wire =
      encoders_.occupancy(id_, OccupancyAt(now));
  for (const WatchRef& watch : of_occupancy_) {
    if (watch->DeliverWhole(wire)) to_wake.watches.push_back(watch.shared());
  }
}

void Room::TellIntents(absl::string_view target, const Now& now,
                       ToWake& to_wake) {
  std::shared_ptr<const void> wire;
  for (const WatchRef& watch : of_intents_.Of(target)) {
    if (wire == nullptr) wire = encoders_.intents(id_, Towards(target, now));
    if (watch->DeliverWhole(wire)) to_wake.watches.push_back(watch.shared());
  }
  if (awaits_.empty()) return;
  const auto towards = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return Towards(target, now);
  };
  awaits_.TellIntents(target, towards, to_wake.awaits);
}

}  // namespace lifesign
