// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The policies that the sessions of a shard are judged by, interned: a session
// names its own with two bytes.
#ifndef LIFESIGN_SERVER_CORE_SESSION_POLICY_TABLE_H_
#define LIFESIGN_SERVER_CORE_SESSION_POLICY_TABLE_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "server/core/policy/policy.h"

namespace lifesign {

// A policy stays as long as a session is judged by it, or it is the current
// one. Not thread-safe.
class PolicyTable {
 public:
  explicit PolicyTable(std::shared_ptr<const Policy> policy) {
    entries_.push_back({std::move(policy), 0});
  }

  std::uint16_t current() const { return current_; }
  const Policy& operator[](std::uint16_t index) const {
    return *entries_[index].policy;
  }

  // Sessions that come or speak from now on are judged by `policy`. With every
  // number in use (65,536 policies, each with sessions that have not spoken
  // since) the current one is replaced in place.
  void Set(std::shared_ptr<const Policy> policy) {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (entries_[i].sessions == 0) {
        entries_[i].policy = std::move(policy);
        current_ = static_cast<std::uint16_t>(i);
        return;
      }
    }
    if (entries_.size() > UINT16_MAX) {
      entries_[current_].policy = std::move(policy);
      return;
    }
    current_ = static_cast<std::uint16_t>(entries_.size());
    entries_.push_back({std::move(policy), 0});
  }

  // Of those in use, and the current one.
  Duration LongestTtl() const {
    Duration longest = entries_[current_].policy->LongestTtl();
    for (const Entry& entry : entries_) {
      if (entry.sessions > 0) {
        longest = std::max(longest, entry.policy->LongestTtl());
      }
    }
    return longest;
  }

  void Hold(std::uint16_t index) { ++entries_[index].sessions; }
  void Release(std::uint16_t index) { --entries_[index].sessions; }

 private:
  struct Entry {
    std::shared_ptr<const Policy> policy;
    std::uint32_t sessions;
  };
  std::vector<Entry> entries_;
  std::uint16_t current_ = 0;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_SESSION_POLICY_TABLE_H_
