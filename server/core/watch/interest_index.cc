// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/watch/interest_index.h"

#include <algorithm>

namespace lifesign {

void InterestIndex::Register(absl::string_view user,
                             const std::shared_ptr<Watch>& watch,
                             Revision revision) {
  MutexLock lock(mutex_);
  // Also of one that watches this user again: what was left in its mailbox
  // before is older than the copy.
  watch->Drop(user);
  Interests& interests = by_user_[user];
  const auto known = std::find_if(
      interests.begin(), interests.end(),
      [&](const Interest& interest) { return interest.watch == watch; });
  if (known != interests.end()) {
    known->copied_at = revision;
    return;
  }
  interests.push_back({watch, revision});
  ++size_;
}

void InterestIndex::Unregister(absl::string_view user, const Watch& watch) {
  MutexLock lock(mutex_);
  const auto found = by_user_.find(user);
  if (found == by_user_.end()) return;
  Interests& interests = found->second;
  const auto known = std::find_if(
      interests.begin(), interests.end(),
      [&](const Interest& interest) { return interest.watch.get() == &watch; });
  if (known == interests.end()) return;
  interests.erase(known);
  --size_;
  if (interests.empty()) by_user_.erase(found);
}

std::size_t InterestIndex::size() const {
  MutexLock lock(mutex_);
  return size_;
}

}  // namespace lifesign
