// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Waiting until so many of some users, or of those in a room, are in a state,
// or a higher one, or until somebody wants to reach a user in a room.
// docs/concepts.md § 10.
#ifndef LIFESIGN_SERVER_CORE_QUERY_AWAIT_H_
#define LIFESIGN_SERVER_CORE_QUERY_AWAIT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/types/optional.h"
#include "server/base/limits.h"
#include "server/base/mutex.h"
#include "server/core/availability/veil.h"
#include "server/core/presence_state.h"

namespace lifesign {

// A room, of which something is awaited.
struct AwaitedPlace {
  std::string room;
  // Empty: its live members are, by their state there. Else: those who want to
  // reach this user there, as long as the user is there.
  std::string target;
};

// What is awaited: that at least `needed` of its users are at least `at_least`.
struct Predicate {
  // Numbers of AwaitTerms::users, each once.
  std::vector<std::uint32_t> users;
  // Of those who want to reach somebody it counts for nothing.
  State at_least = State::kActive;
  std::size_t needed = 1;
  // Given: instead of `users`.
  absl::optional<AwaitedPlace> place = absl::nullopt;
};

struct AwaitTerms {
  // Of all predicates together, each once.
  std::vector<std::string> users;
  // At most limits::kMaxPredicates. Any of them is enough.
  std::vector<Predicate> predicates;
  // What the caller has a right to see.
  View view = View::kPublic;
};

// What is known of a predicate.
struct PredicateView {
  bool satisfied = false;
  // How many are as it says, and who: numbers of AwaitTerms::users.
  std::size_t count = 0;
  std::vector<std::uint32_t> matching;
  // Those who want to reach its target.
  std::vector<std::string> from;
};

// What is told of a predicate over a room.
struct PlaceView {
  std::size_t matching = 0;
  // Those who want to reach its target: as many.
  std::vector<std::string> from;
};

// Told that a predicate is satisfied. Called by whoever publishes, with no lock
// of the core held; must not block.
class AwaitListener {
 public:
  virtual ~AwaitListener() = default;
  virtual void OnDecided() = 0;
};

// Predicates, and the newest state that each of their users was told to be in.
// They are looked at with every state told: one that holds for a moment only
// satisfies. With the first that is satisfied the await is decided, and stays
// so: changes that are told later are nothing to it.
//
// Knows no time: whoever waits gives up by themselves.
//
// Thread-safe. Its mutex is a leaf: nothing is called while it is held.
class Await {
 public:
  // REQUIRES: the terms are as AwaitTerms says.
  Await(AwaitTerms terms, std::weak_ptr<AwaitListener> listener);

  const AwaitTerms& terms() const { return terms_; }

  // User number `user` of the terms has become `state`. True if that decides
  // it: then the listener is to be woken. O(predicates with this user).
  bool Tell(std::size_t user, State state);
  // User number `user`, who was read, is in `state`. May decide it. Of one that
  // is decided it is taken, too, so that all predicates are answered as they
  // were read; but what satisfied a predicate is kept.
  void Look(std::size_t user, State state);
  // Likewise, of predicate number `predicate`, which is over a room: as many as
  // that are now as it says.
  bool TellPlace(std::size_t predicate, PlaceView view);
  void LookAtPlace(std::size_t predicate, PlaceView view);
  void Wake();

  bool decided() const;
  // One for each predicate.
  std::vector<PredicateView> Views() const;

 private:
  // One bit for each predicate.
  using PredicateBits = std::uint16_t;
  static_assert(limits::kMaxPredicates <= 16);

  void Take(std::size_t user, State state)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether a predicate that is satisfied would not be with `state`.
  bool Undoes(std::size_t user, State state) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TakePlace(std::size_t predicate, PlaceView&& view)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const AwaitTerms terms_;
  const std::weak_ptr<AwaitListener> listener_;
  // Those that a user is in.
  std::vector<PredicateBits> predicates_of_;

  mutable Mutex mutex_;  // last: nothing is taken under it
  // OFFLINE until told.
  std::vector<State> states_ ABSL_GUARDED_BY(mutex_);
  // By predicate: how many of its users are at least as it says.
  std::vector<std::size_t> matching_ ABSL_GUARDED_BY(mutex_);
  // Likewise: who wants to reach its target.
  std::vector<std::vector<std::string>> from_ ABSL_GUARDED_BY(mutex_);
  bool decided_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_QUERY_AWAIT_H_
