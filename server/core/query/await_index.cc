// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/query/await_index.h"

#include <utility>

namespace lifesign {

void AwaitIndex::Register(absl::string_view user,
                          const std::shared_ptr<Await>& await,
                          std::size_t number, Revision revision) {
  MutexLock lock(mutex_);
  const auto [known, added] = by_user_[user].try_emplace(
      await.get(),
      Interest{await, static_cast<std::uint32_t>(number), revision});
  if (!added) {
    known->second.told_at = revision;
    return;
  }
  size_.fetch_add(1, std::memory_order_relaxed);
}

void AwaitIndex::Unregister(absl::string_view user, const Await& await) {
  // Let go of when nothing is held: it may be the last.
  std::shared_ptr<Await> removed;
  MutexLock lock(mutex_);
  const auto found = by_user_.find(user);
  if (found == by_user_.end()) return;
  Interests& interests = found->second;
  const auto known = interests.find(&await);
  if (known == interests.end()) return;
  removed = std::move(known->second.await);
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
  for (const auto& [await, interest] : found->second) {
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
