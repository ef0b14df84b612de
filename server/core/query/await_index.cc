// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/query/await_index.h"

#include <algorithm>

namespace lifesign {

void AwaitIndex::Register(absl::string_view user,
                          const std::shared_ptr<Await>& await,
                          std::size_t number, Revision revision) {
  MutexLock lock(mutex_);
  Interests& interests = by_user_[user];
  const auto known = std::find_if(
      interests.begin(), interests.end(),
      [&](const Interest& interest) { return interest.await == await; });
  if (known != interests.end()) {
    known->told_at = revision;
    return;
  }
  interests.push_back({await, static_cast<std::uint32_t>(number), revision});
  size_.fetch_add(1, std::memory_order_relaxed);
}

void AwaitIndex::Unregister(absl::string_view user, const Await& await) {
  MutexLock lock(mutex_);
  const auto found = by_user_.find(user);
  if (found == by_user_.end()) return;
  Interests& interests = found->second;
  const auto known = std::find_if(
      interests.begin(), interests.end(),
      [&](const Interest& interest) { return interest.await.get() == &await; });
  if (known == interests.end()) return;
  interests.erase(known);
  size_.fetch_sub(1, std::memory_order_relaxed);
  if (interests.empty()) by_user_.erase(found);
}

void AwaitIndex::Tell(const Change& change,
                      std::vector<std::shared_ptr<Await>>& decided) {
  // One who registers now has been told this change already: it was emitted
  // before, under the shard's lock.
  if (size() == 0 || !change.ChangesState()) return;
  MutexLock lock(mutex_);
  const auto found = by_user_.find(change.after.user);
  if (found == by_user_.end()) return;
  for (const Interest& interest : found->second) {
    if (change.after.revision <= interest.told_at ||
        !Includes(change.audience, interest.await->terms().view)) {
      continue;
    }
    if (interest.await->Tell(interest.number, change.after.state)) {
      decided.push_back(interest.await);
    }
  }
}

}  // namespace lifesign
