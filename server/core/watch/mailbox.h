// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What waits for one watcher: at most the newest state per user.
// docs/concepts.md § 9.
#ifndef LIFESIGN_SERVER_CORE_WATCH_MAILBOX_H_
#define LIFESIGN_SERVER_CORE_WATCH_MAILBOX_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "server/base/limits.h"
#include "server/core/availability/availability.h"
#include "server/core/availability/veil.h"
#include "server/core/presence_state.h"
#include "server/core/watch/change.h"

namespace lifesign {

// What a watch is to be told.
struct WatchTerms {
  // What its subscriber has a right to see.
  View view = View::kPublic;
  Detail detail = Detail::kState;
  // The states of interest: a change is told if it leads from or to one.
  StateSet states = StateSet::All();
  // What may wait: about so many bytes, what is shared with others included.
  std::size_t mailbox_bytes = limits::kMaxMailboxBytes;
};

// What is taken at once; usually one.
using Mail = absl::InlinedVector<PublishedChangePtr, 1>;

// Coalesces: a newer change of a user takes the older one's place, and one that
// leads back to what the watcher was last told takes both out. So does one with
// which neither the state before the first nor that after the last is of
// interest. Users come out in the order in which their first waiting change
// came in.
//
// Within a limit of bytes: one that is full is emptied, and takes nothing until
// it is opened again. Whoever reads it then has to learn what was in it, and
// what came after, elsewhere.
//
// Most mailboxes hold one change for a moment: up to kScanned lie in a short
// array that is searched; beyond that they are found by a hash map.
//
// Not thread-safe: its Watch guards it.
class Mailbox {
 public:
  explicit Mailbox(const WatchTerms& terms) : terms_(terms) {}

  // Does nothing if it is full. REQUIRES: `change` is newer than any of its
  // user put before, and differs by what this watch is told of.
  void Put(PublishedChangePtr change);

  // Takes out the change that waits for `user`, if any.
  void Drop(absl::string_view user);

  // Takes out up to `most` changes, each of another user.
  Mail Take(std::size_t most);

  bool empty() const { return waiting_ == 0; }
  std::size_t size() const { return waiting_; }
  // Of what waits.
  std::size_t bytes() const { return bytes_; }

  // Whether something was dropped since it was opened.
  bool full() const { return full_; }
  // Empties it, and takes changes again.
  void Open();

 private:
  struct Entry {
    PublishedChangePtr newest;  // null: taken out
    // Before the first change that waits. What was told of the user's
    // availability is null for almost everybody, else in told_availability_.
    State told;
    DeviceStates devices_told;
    bool available = true;
  };
  using Index = absl::flat_hash_map<absl::string_view, std::size_t>;
  using Availabilities = absl::flat_hash_map<std::string, AvailabilityViewPtr>;

  static constexpr std::size_t kScanned = 8;
  static constexpr std::size_t kNone = ~std::size_t{0};

  // Whether a watcher who was told `told`, of devices `devices`, and
  // `availability`, need not be told `after`.
  bool IsNoNews(State told, const DeviceStates& devices,
                const AvailabilityView* availability,
                const PresenceRecord& after) const;
  // The place in entries_ of the change that waits for `user`, or kNone.
  std::size_t Find(absl::string_view user) const;
  // Of an entry; null: AVAILABLE without text.
  const AvailabilityView* AvailabilityToldBy(const Entry& entry) const;
  // An entry is taken out.
  void Forget(const Entry& entry);
  // Takes the first change of a user, or a further one.
  void Add(PublishedChangePtr change);
  void Renew(std::size_t at, PublishedChangePtr change);
  // Takes out the change at `at`, which stays there as null.
  void Remove(std::size_t at);
  // Closes the gaps, once they are most of it: a user who flaps while nobody
  // reads must not make it grow.
  void Compact();
  // Makes the index anew.
  void IndexAll();
  // Gives back the memory of more than a few.
  void Clear();

  const WatchTerms terms_;
  // From first_ on.
  absl::InlinedVector<Entry, 1> entries_;
  std::size_t first_ = 0;
  // Of them, those that are not null.
  std::size_t waiting_ = 0;
  std::size_t bytes_ = 0;
  bool full_ = false;
  // In use if indexed_. Keys point into the entries' changes.
  bool indexed_ = false;
  std::unique_ptr<Index> index_;
  // Of entries whose user was told not to be AVAILABLE without text.
  std::unique_ptr<Availabilities> told_availability_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_WATCH_MAILBOX_H_
