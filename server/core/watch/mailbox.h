// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What waits for one watcher: at most the newest state per user.
// docs/concepts.md § 9.
#ifndef LIFESIGN_SERVER_CORE_WATCH_MAILBOX_H_
#define LIFESIGN_SERVER_CORE_WATCH_MAILBOX_H_

#include <cstddef>
#include <deque>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "server/core/watch/change.h"

namespace lifesign {

// Coalesces: a newer change of a user takes the older one's place, and one that
// leads back to what the watcher was last told takes both out. Users come out
// in the order in which their first waiting change came in.
//
// Not thread-safe: its Watch guards it.
class Mailbox {
 public:
  // REQUIRES: `change` is newer than any of its user put before.
  void Put(PublishedChangePtr change);

  // Takes out the change that waits for `user`, if any.
  void Drop(absl::string_view user);

  // Takes out up to `most` changes, each of another user.
  std::vector<PublishedChangePtr> Take(std::size_t most);

  bool empty() const { return by_user_.empty(); }
  std::size_t size() const { return by_user_.size(); }

 private:
  struct Entry {
    PublishedChangePtr newest;  // null: taken out
    State told;                 // before the first change that waits
  };

  // Takes out what is null, once that is most of it: a user who flaps while
  // nobody reads must not make it grow.
  void Compact();

  // Entry `taken_ + i` lies at index i.
  std::deque<Entry> entries_;
  std::size_t taken_ = 0;
  // Keys point into the entries' changes.
  absl::flat_hash_map<absl::string_view, std::size_t> by_user_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_WATCH_MAILBOX_H_
