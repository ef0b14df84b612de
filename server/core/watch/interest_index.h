// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Who watches whom: the watches of each user of one shard, and those of all of
// them.
#ifndef LIFESIGN_SERVER_CORE_WATCH_INTEREST_INDEX_H_
#define LIFESIGN_SERVER_CORE_WATCH_INTEREST_INDEX_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "server/base/inline_id.h"
#include "server/base/mutex.h"
#include "server/core/watch/change.h"
#include "server/core/watch/delivery.h"
#include "server/core/watch/watch.h"

namespace lifesign {

// Thread-safe. Its mutex may be taken while the shard's is held, and a watch's
// while this one is held.
class InterestIndex {
 public:
  // For RegisterAll: all slots, those to come included.
  static constexpr std::uint32_t kAllSlots = 0xFFFFFFFF;

  // From now on `watch` is delivered the changes of `user` above `revision`,
  // the one it has been copied at; what waits for it of this user is dropped.
  // Called under the shard's lock, so that no change falls between the copy and
  // the registration. Returns the revision it was registered with before; 0 if
  // it was not.
  Revision Register(absl::string_view user, const std::shared_ptr<Watch>& watch,
                    Revision revision);
  // `watch` was told of `user` at `revision`, in between.
  void NoteTold(absl::string_view user, const Watch& watch, Revision revision);

  // Removes `watch` from `user`; does nothing if it is not there.
  void Unregister(absl::string_view user, const Watch& watch);

  // The same for users by their slots: from now on `watch` is delivered the
  // changes above `revision` of all users in the slots from the end of the last
  // call (at first 0) to below `slot_end`; of those in later slots nothing yet.
  // REQUIRES: `slot_end` and `revision` do not fall from call to call; the
  // watch is registered for no user by name. `beside`: of what only those are
  // told who see through, it is delivered what is above this.
  void RegisterAll(const std::shared_ptr<Watch>& watch, std::uint32_t slot_end,
                   Revision revision, Revision beside = 0);

  // What a watch of all has been told of the shard.
  struct Told {
    // Slots up to `slot_end` were copied when `copied_at` was the newest.
    struct Slice {
      std::uint32_t slot_end;
      Revision copied_at;
      Revision beside;  // see RegisterAll
    };
    // Everything up to it; and what the slices say.
    Revision up_to = 0;
    absl::InlinedVector<Slice, 1> slices;

    // The revision up to which everything of this slot was told.
    Revision Of(std::uint32_t slot) const;
  };

  // Removes `watch` from all users that RegisterAll gave it. Returns what it
  // was told of them, if it takes in what has been left in its mailbox until
  // its last Take() and nothing after that; none if it was registered for none.
  absl::optional<Told> UnregisterAll(const Watch& watch);

  // Leaves `change` with everyone who watches its user and has not been copied
  // a newer state. Those to be woken are appended to `to_wake`.
  // `encode(change, detail)` is called once for each detail that anyone who is
  // left it wants. One call at a time, in the order of the outbox.
  template <typename Encode>
  void Deliver(Change&& change, Encode&& encode,
               std::vector<std::shared_ptr<Watch>>& to_wake);

  // The number of (watch, user) pairs by name, and of watches of all.
  std::size_t size() const;

 private:
  // Two words, and a user whom one watch is of takes no memory of their own: a
  // million pairs are to be cheap.
  struct Interest {
    WatchRef watch;
    Revision copied_at;
  };
  using Interests = absl::InlinedVector<Interest, 1>;
  static_assert(sizeof(Interests) == 24);
  // Where a watch is among the interests of a user.
  using Places = absl::flat_hash_map<const Watch*, std::uint32_t>;

  // What is held of a user, found by their id. (In a set: absl's map would copy
  // keys when it grows.)
  template <typename Value>
  struct OfUser {
    InlineId user;
    mutable Value value;
  };
  struct UserHash {
    using is_transparent = void;
    std::size_t operator()(absl::string_view user) const {
      return absl::Hash<absl::string_view>()(user);
    }
    template <typename Value>
    std::size_t operator()(const OfUser<Value>& entry) const {
      return (*this)(entry.user.view());
    }
  };
  struct UserEq {
    using is_transparent = void;
    template <typename Value>
    bool operator()(const OfUser<Value>& a, const OfUser<Value>& b) const {
      return a.user.view() == b.user.view();
    }
    template <typename Value>
    bool operator()(const OfUser<Value>& a, absl::string_view b) const {
      return a.user.view() == b;
    }
  };
  template <typename Value>
  using ByUser = absl::flat_hash_set<OfUser<Value>, UserHash, UserEq>;

  // Beyond so many watches of a user they are found by a hash map.
  static constexpr std::size_t kScanned = 32;

  // A watch of all: how far it has copied the shard, and since when it has not
  // taken what was left in its mailbox.
  struct Coverage {
    // Whether a change is for this watch: its slot has been copied, and before
    // it. Slices copied before it have no say any more: revisions only rise.
    bool Admits(std::uint32_t slot, Revision revision);
    // The same of a change whose revision is Outbox::Beside's.
    bool AdmitsBeside(std::uint32_t slot, Revision revision) const;
    // It was left in the mailbox, or the mailbox was full.
    void NoteLeft(Revision revision, std::uint32_t generation);
    void NoteLost(Revision revision);
    Told WhatWasTold(Revision delivered_up_to) const;

    WatchRef watch;
    // In the order of their slots. Of the first `settled` ones, which end at
    // `settled_end`, every change that comes now is for this watch.
    absl::InlinedVector<Told::Slice, 1> slices;
    std::size_t settled = 0;
    std::uint32_t settled_end = 0;
    // The mailbox's generation that was left something last, and the lowest
    // that it was left; and the lowest that was lost because it was full.
    std::uint32_t generation = 0;
    Revision first_left = 0;
    Revision first_lost = 0;
  };

  // The place of `watch`, or the number of interests.
  std::size_t Find(absl::string_view user, const Interests& interests,
                   const Watch& watch) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;  // after its shard's, before a watch's
  ByUser<Interests> by_user_ ABSL_GUARDED_BY(mutex_);
  // Of users whom more than kScanned watches are of.
  ByUser<Places> crowds_ ABSL_GUARDED_BY(mutex_);
  std::vector<Coverage> of_all_ ABSL_GUARDED_BY(mutex_);
  // Of the last change delivered, to whomever.
  Revision delivered_up_to_ ABSL_GUARDED_BY(mutex_) = 0;
  std::size_t size_ ABSL_GUARDED_BY(mutex_) = 0;
};

template <typename Encode>
void InterestIndex::Deliver(Change&& change, Encode&& encode,
                            std::vector<std::shared_ptr<Watch>>& to_wake) {
  MutexLock lock(mutex_);
  const Audience audience = change.audience;
  // Others are not the shard's (Outbox::Beside).
  if (audience != Audience::kTrue) delivered_up_to_ = change.after.revision;
  const auto found = by_user_.find(change.after.user);
  if (found == by_user_.end() && of_all_.empty()) return;
  const Revision revision = change.after.revision;
  const std::uint32_t slot = change.slot;
  const bool beside = change.beside;
  Delivery<Encode> delivery(std::move(change), encode, to_wake);
  if (found != by_user_.end()) {
    for (const Interest& interest : found->value) {
      const Watch& watch = *interest.watch;
      if (revision <= interest.copied_at || !delivery.IsFor(watch)) continue;
      // One that is full will learn of this elsewhere.
      if (!watch.IsFull()) delivery.LeaveWith(interest.watch);
    }
  }
  for (Coverage& coverage : of_all_) {
    if (!Includes(audience, coverage.watch->terms().view)) continue;
    if (coverage.watch->IsFull()) {
      coverage.NoteLost(revision);
    } else if (delivery.IsFor(*coverage.watch) &&
               (beside ? coverage.AdmitsBeside(slot, revision)
                       : coverage.Admits(slot, revision))) {
      coverage.NoteLeft(revision, delivery.LeaveWith(coverage.watch));
    }
  }
}

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_WATCH_INTEREST_INDEX_H_
