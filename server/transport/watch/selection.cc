// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/watch/selection.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "server/base/limits.h"

namespace lifesign {

SetSelection::SetSelection(PresenceEngine& engine, std::shared_ptr<Watch> watch,
                           absl::Span<const std::string> users)
    : engine_(engine), watch_(std::move(watch)), users_(users) {}

void SetSelection::BeginCopy(Revision since) {
  watch_->OpenMailbox();
  since_ = since;
  some_.reset();
  place_ = 0;
}

void SetSelection::BeginCopyOfSkipped() { assert(false); }

void SetSelection::BeginCopyOf(std::vector<std::string> users) {
  since_ = 0;
  std::sort(users.begin(), users.end());
  some_.emplace(users);
  place_ = 0;
}

Selection::Slice SetSelection::CopySlice(std::size_t most, const Now& now) {
  const std::vector<std::string> slice = to_copy().Next(most, place_);
  Slice copied;
  copied.records = engine_.CopyAndRegister(watch_, slice, now, since_);
  if (to_copy().IsEnd(place_)) BeginCopyOf({});
  return copied;
}

void SetSelection::Add(const std::vector<std::string>& users) {
  users_.Add(users);
  BeginCopyOf(users);
}

void SetSelection::Remove(absl::Span<const std::string> users) {
  engine_.Unregister(*watch_, users);
  for (const std::string& user : users) watch_->Drop(user);
  users_.Remove(users);
}

void SetSelection::Release() {
  // In slices: others may want the locks meanwhile.
  std::size_t place = 0;
  while (!users_.IsEnd(place)) {
    engine_.Unregister(*watch_,
                       users_.Next(limits::kMostReleasedInPlace, place));
  }
}

TenantSelection::TenantSelection(PresenceEngine& engine,
                                 std::shared_ptr<Watch> watch)
    : engine_(engine), watch_(std::move(watch)) {}

void TenantSelection::BeginCopy(Revision since) {
  // Until a shard is reached it delivers nothing.
  auto told = engine_.UnregisterAll(*watch_, since);
  watch_->OpenMailbox();
  const bool sees_through = watch_->terms().view == View::kTrue;
  if (since == 0) {
    copy_ = {PresenceEngine::CopyOrder::kBySlot, {}};
  } else if (sees_through) {
    copy_ = {PresenceEngine::CopyOrder::kBySlot, std::move(told)};
  } else {
    copy_ = {PresenceEngine::CopyOrder::kByLog, std::move(told)};
  }
}

void TenantSelection::BeginCopyOfSkipped() {
  auto told = engine_.UnregisterAll(*watch_);
  watch_->OpenMailbox();
  copy_ = {PresenceEngine::CopyOrder::kBySlot, std::move(told)};
}

Selection::Slice TenantSelection::CopySlice(std::size_t most, const Now& now) {
  auto slice = engine_.CopyAllAndRegister(watch_, most, copy_, now);
  return {std::move(slice.records), slice.compacted};
}

RoomSelection::RoomSelection(PresenceEngine& engine,
                             std::shared_ptr<Watch> watch, std::string room,
                             Of of, std::string target)
    : engine_(engine),
      watch_(std::move(watch)),
      room_(std::move(room)),
      of_(of),
      target_(std::move(target)) {}

void RoomSelection::BeginCopy(Revision since) {
  since_ = since;
  copied_ = false;
}

void RoomSelection::BeginCopyOfSkipped() { assert(false); }

bool RoomSelection::Remembers(Revision since) const {
  // Of the others the newest is all there is to tell.
  return of_ != Of::kMembers ||
         engine_.RoomRemembers(room_, since, watch_->terms().view);
}

Selection::Slice RoomSelection::CopySlice(std::size_t most, const Now& now) {
  assert(most >= std::size_t{limits::kMaxWatchedMembers});
  static_cast<void>(most);
  copied_ = true;
  Slice slice;
  switch (of_) {
    case Of::kMembers:
      CopyMembers(now, slice);
      break;
    case Of::kOccupancy:
      watch_->OpenMailbox();
      slice.leads_to = engine_.WatchOccupancy(watch_, room_, now);
      break;
    case Of::kIntents:
      watch_->OpenMailbox();
      slice.leads_to = engine_.WatchIntents(watch_, room_, target_, now);
      break;
  }
  return slice;
}

void RoomSelection::CopyMembers(const Now& now, Slice& slice) {
  switch (engine_.CopyRoomAndRegister(watch_, room_, since_, now, slice.records,
                                      slice.leads_to)) {
    case Room::Copied::kTooLarge:
      slice.too_large = true;
      break;
    case Room::Copied::kCompacted:
      slice.compacted = true;
      break;
    case Room::Copied::kClosed:
    case Room::Copied::kCopied:
      break;
  }
  const auto is_told = [this](const PresenceRecord& record) {
    const auto told = told_.find(record.user);
    return told != told_.end() && told->second == record.revision;
  };
  if (since_ != 0) {
    slice.records.erase(
        std::remove_if(slice.records.begin(), slice.records.end(), is_told),
        slice.records.end());
  }
}

void RoomSelection::NoteTold(const Change& change, Revision delivered_up_to) {
  // All that had been told when more was known to be delivered is among that.
  if (delivered_up_to > told_since_) told_.clear();
  told_since_ = delivered_up_to;
  told_[change.after.user] = change.after.revision;
}

}  // namespace lifesign
