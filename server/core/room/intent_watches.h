// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Who watches for whom in a room. docs/concepts.md § 11.
#ifndef LIFESIGN_SERVER_CORE_ROOM_INTENT_WATCHES_H_
#define LIFESIGN_SERVER_CORE_ROOM_INTENT_WATCHES_H_

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/core/watch/watch.h"

namespace lifesign {

// The watches for who wants to reach a target, each for one. What is done for
// one target costs the same however many others are watched for. Not
// thread-safe: its room guards it.
class IntentWatches {
 public:
  // Watches for `target` from now on, and for nobody else.
  void Add(const std::shared_ptr<Watch>& watch, absl::string_view target) {
    Remove(*watch);
    by_target_[target].emplace_back(watch);
    target_of_.emplace(watch.get(), target);
  }

  // Does nothing if it watches for nobody.
  void Remove(const Watch& watch) {
    const auto target = target_of_.find(&watch);
    if (target == target_of_.end()) return;
    const auto found = by_target_.find(target->second);
    target_of_.erase(target);
    std::vector<WatchRef>& watches = found->second;
    watches.erase(
        std::find_if(watches.begin(), watches.end(),
                     [&](const WatchRef& one) { return one.get() == &watch; }));
    if (watches.empty()) by_target_.erase(found);
  }

  // Those for `target`, in the order in which they were added; valid until the
  // next change.
  absl::Span<const WatchRef> Of(absl::string_view target) const {
    const auto found = by_target_.find(target);
    if (found == by_target_.end()) return {};
    return found->second;
  }

  bool empty() const { return target_of_.empty(); }

 private:
  // None is empty.
  absl::flat_hash_map<std::string, std::vector<WatchRef>> by_target_;
  // Of those in by_target_, which keeps them alive.
  absl::flat_hash_map<const Watch*, std::string> target_of_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_ROOM_INTENT_WATCHES_H_
