// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/watch/mailbox.h"

#include <utility>

namespace lifesign {
namespace {

constexpr std::size_t kMostIdleEntries = 16;

}  // namespace

void Mailbox::Put(PublishedChangePtr change) {
  const absl::string_view user = change->change.after.user;
  const auto found = by_user_.find(user);
  if (found == by_user_.end()) {
    const State told = change->change.before;
    by_user_.emplace(user, taken_ + entries_.size());
    entries_.push_back({std::move(change), told});
    return;
  }
  const std::size_t at = found->second;
  Entry& entry = entries_[at - taken_];
  // The key points into the change that is about to go.
  by_user_.erase(found);
  if (change->change.after.state == entry.told) {
    entry.newest = nullptr;
    Compact();
    return;
  }
  by_user_.emplace(user, at);
  entry.newest = std::move(change);
}

void Mailbox::Drop(absl::string_view user) {
  const auto found = by_user_.find(user);
  if (found == by_user_.end()) return;
  const std::size_t at = found->second;
  by_user_.erase(found);
  entries_[at - taken_].newest = nullptr;
  Compact();
}

void Mailbox::Compact() {
  if (entries_.size() <= 2 * by_user_.size() + kMostIdleEntries) return;
  std::deque<Entry> kept;
  for (Entry& entry : entries_) {
    if (entry.newest != nullptr) kept.push_back(std::move(entry));
  }
  entries_.swap(kept);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    by_user_[entries_[i].newest->change.after.user] = taken_ + i;
  }
}

std::vector<PublishedChangePtr> Mailbox::Take(std::size_t most) {
  std::vector<PublishedChangePtr> taken;
  while (!entries_.empty() && taken.size() < most) {
    if (entries_.front().newest != nullptr) {
      by_user_.erase(entries_.front().newest->change.after.user);
      taken.push_back(std::move(entries_.front().newest));
    }
    entries_.pop_front();
    ++taken_;
  }
  return taken;
}

}  // namespace lifesign
