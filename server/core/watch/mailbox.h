// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What waits for one watcher: at most the newest state per user.
// docs/concepts.md § 9.
#ifndef LIFESIGN_SERVER_CORE_WATCH_MAILBOX_H_
#define LIFESIGN_SERVER_CORE_WATCH_MAILBOX_H_

#include <cstddef>
#include <memory>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "server/core/watch/change.h"

namespace lifesign {

// What is taken at once; usually one.
using Mail = absl::InlinedVector<PublishedChangePtr, 1>;

// Coalesces: a newer change of a user takes the older one's place, and one that
// leads back to what the watcher was last told takes both out. Users come out
// in the order in which their first waiting change came in.
//
// Most mailboxes hold one change for a moment: up to kScanned lie in a short
// array that is searched; beyond that they are found by a hash map.
//
// Not thread-safe: its Watch guards it.
class Mailbox {
 public:
  // REQUIRES: `change` is newer than any of its user put before.
  void Put(PublishedChangePtr change);

  // Takes out the change that waits for `user`, if any.
  void Drop(absl::string_view user);

  // Takes out up to `most` changes, each of another user.
  Mail Take(std::size_t most);

  bool empty() const { return waiting_ == 0; }
  std::size_t size() const { return waiting_; }

 private:
  struct Entry {
    PublishedChangePtr newest;  // null: taken out
    State told;                 // before the first change that waits
  };
  using Index = absl::flat_hash_map<absl::string_view, std::size_t>;

  static constexpr std::size_t kScanned = 8;
  static constexpr std::size_t kNone = ~std::size_t{0};

  // The place in entries_ of the change that waits for `user`, or kNone.
  std::size_t Find(absl::string_view user) const;
  // Takes out the change at `at`, which stays there as null.
  void Remove(std::size_t at);
  // Closes the gaps, once they are most of it: a user who flaps while nobody
  // reads must not make it grow.
  void Compact();
  // Makes the index anew.
  void IndexAll();

  // From first_ on.
  absl::InlinedVector<Entry, 1> entries_;
  std::size_t first_ = 0;
  // Of them, those that are not null.
  std::size_t waiting_ = 0;
  // In use if indexed_. Keys point into the entries' changes.
  bool indexed_ = false;
  std::unique_ptr<Index> index_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_WATCH_MAILBOX_H_
