// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/watch/interest_index.h"

#include <algorithm>
#include <utility>

#include "absl/types/span.h"

namespace lifesign {

std::size_t InterestIndex::Find(absl::string_view user,
                                const Interests& interests,
                                const Watch& watch) const {
  if (interests.size() > kScanned) {
    const Places& places = crowds_.find(user)->value;
    const auto found = places.find(&watch);
    return found == places.end() ? interests.size() : found->second;
  }
  std::size_t place = 0;
  while (place < interests.size() && interests[place].watch.get() != &watch) {
    ++place;
  }
  return place;
}

Revision InterestIndex::Register(absl::string_view user,
                                 const std::shared_ptr<Watch>& watch,
                                 Revision revision) {
  MutexLock lock(mutex_);
  // Also of one that watches this user again: what was left in its mailbox
  // before is older than the copy.
  watch->Drop(user);
  auto entry = by_user_.find(user);
  if (entry == by_user_.end()) {
    entry = by_user_.insert({InlineId(user), Interests()}).first;
  }
  Interests& interests = entry->value;
  const std::size_t place = Find(user, interests, *watch);
  if (place < interests.size()) {
    return std::exchange(interests[place].copied_at, revision);
  }
  interests.push_back({WatchRef(watch), revision});
  ++size_;
  if (interests.size() <= kScanned) return 0;
  if (interests.size() == kScanned + 1) {
    Places& places = crowds_.insert({InlineId(user), Places()}).first->value;
    for (std::uint32_t i = 0; i < place; ++i) {
      places.emplace(interests[i].watch.get(), i);
    }
  }
  crowds_.find(user)->value.emplace(watch.get(),
                                    static_cast<std::uint32_t>(place));
  return 0;
}

void InterestIndex::NoteTold(absl::string_view user, const Watch& watch,
                             Revision revision) {
  MutexLock lock(mutex_);
  const auto entry = by_user_.find(user);
  if (entry == by_user_.end()) return;
  Interests& interests = entry->value;
  const std::size_t place = Find(user, interests, watch);
  if (place == interests.size()) return;
  Revision& copied_at = interests[place].copied_at;
  copied_at = std::max(copied_at, revision);
}

void InterestIndex::Unregister(absl::string_view user, const Watch& watch) {
  // Let go of when nothing is held: it may be the last.
  WatchRef removed;
  MutexLock lock(mutex_);
  const auto found = by_user_.find(user);
  if (found == by_user_.end()) return;
  Interests& interests = found->value;
  const std::size_t place = Find(user, interests, watch);
  if (place == interests.size()) return;
  if (interests.size() > kScanned) {
    const auto crowd = crowds_.find(user);
    Places& places = crowd->value;
    places[interests.back().watch.get()] = static_cast<std::uint32_t>(place);
    places.erase(&watch);
    if (interests.size() == kScanned + 1) crowds_.erase(crowd);
  }
  removed = std::move(interests[place].watch);
  if (place + 1 < interests.size()) {
    interests[place] = std::move(interests.back());
  }
  interests.pop_back();
  --size_;
  if (interests.empty()) by_user_.erase(found);
}

void InterestIndex::RegisterAll(const std::shared_ptr<Watch>& watch,
                                std::uint32_t slot_end, Revision revision,
                                Revision beside) {
  MutexLock lock(mutex_);
  auto known = std::find_if(of_all_.begin(), of_all_.end(),
                            [&](const Coverage& coverage) {
                              return coverage.watch.get() == watch.get();
                            });
  if (known == of_all_.end()) {
    known = of_all_.insert(known, Coverage());
    known->watch = WatchRef(watch);
  }
  auto& slices = known->slices;
  if (slices.size() > known->settled && slices.back().copied_at == revision &&
      slices.back().beside == beside) {
    slices.back().slot_end = slot_end;
  } else {
    slices.push_back({slot_end, revision, beside});
  }
}

absl::optional<InterestIndex::Told> InterestIndex::UnregisterAll(
    const Watch& watch) {
  // Let go of when nothing is held: it may be the last.
  WatchRef removed;
  MutexLock lock(mutex_);
  const auto known = std::find_if(
      of_all_.begin(), of_all_.end(),
      [&](const Coverage& coverage) { return coverage.watch.get() == &watch; });
  if (known == of_all_.end()) return absl::nullopt;
  Told told = known->WhatWasTold(delivered_up_to_);
  removed = std::move(known->watch);
  of_all_.erase(known);
  return told;
}

namespace {

using Slice = InterestIndex::Told::Slice;

// The slice that a slot lies in; null if it is not copied.
const Slice* SliceOf(std::uint32_t slot, absl::Span<const Slice> slices) {
  const auto slice = std::upper_bound(
      slices.begin(), slices.end(), slot,
      [](std::uint32_t at, const Slice& one) { return at < one.slot_end; });
  return slice == slices.end() ? nullptr : &*slice;
}

}  // namespace

Revision InterestIndex::Told::Of(std::uint32_t slot) const {
  const Slice* const slice = SliceOf(slot, slices);
  return slice == nullptr ? up_to : std::max(up_to, slice->copied_at);
}

bool InterestIndex::Coverage::Admits(std::uint32_t slot, Revision revision) {
  while (settled < slices.size() && slices[settled].copied_at < revision) {
    settled_end = slices[settled].slot_end;
    ++settled;
  }
  return slot < settled_end;
}

bool InterestIndex::Coverage::AdmitsBeside(std::uint32_t slot,
                                           Revision revision) const {
  const Told::Slice* const slice = SliceOf(slot, slices);
  return slice != nullptr && revision > slice->beside;
}

void InterestIndex::Coverage::NoteLost(Revision revision) {
  first_lost = first_lost == 0 ? revision : std::min(first_lost, revision);
}

void InterestIndex::Coverage::NoteLeft(Revision revision,
                                       std::uint32_t in_generation) {
  if (generation == in_generation) {
    first_left = std::min(first_left, revision);
    return;
  }
  generation = in_generation;
  first_left = revision;
  // What was left before has been taken, and is newer than every slice.
  if (settled == slices.size() && settled > 1) {
    slices.erase(slices.begin(), slices.end() - 1);
    settled = 1;
  }
}

InterestIndex::Told InterestIndex::Coverage::WhatWasTold(
    Revision delivered_up_to) const {
  Told told;
  told.slices = slices;
  // Beside the shard's own revisions others may run ahead of them.
  told.up_to = delivered_up_to;
  if (generation == watch->generation()) {
    told.up_to = std::min(told.up_to, first_left - 1);
  }
  // Of those beside them what was left may run ahead of what was lost.
  if (first_lost != 0) {
    told.up_to = std::min(told.up_to, first_lost - 1);
  }
  return told;
}

std::size_t InterestIndex::size() const {
  MutexLock lock(mutex_);
  return size_ + of_all_.size();
}

}  // namespace lifesign
