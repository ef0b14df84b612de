// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/query/await.h"

namespace lifesign {

Await::Await(AwaitTerms terms, std::weak_ptr<AwaitListener> listener)
    : terms_(std::move(terms)),
      listener_(std::move(listener)),
      predicates_of_(terms_.users.size()),
      states_(terms_.users.size(), State::kOffline),
      matching_(terms_.predicates.size()),
      from_(terms_.predicates.size()) {
  for (std::size_t p = 0; p < terms_.predicates.size(); ++p) {
    for (const std::uint32_t user : terms_.predicates[p].users) {
      predicates_of_[user] =
          static_cast<PredicateBits>(predicates_of_[user] | (1u << p));
    }
  }
}

bool Await::Tell(std::size_t user, State state) {
  MutexLock lock(mutex_);
  if (decided_) return false;
  Take(user, state);
  return decided_;
}

void Await::Look(std::size_t user, State state) {
  MutexLock lock(mutex_);
  if (decided_ && Undoes(user, state)) return;
  Take(user, state);
}

void Await::Take(std::size_t user, State state) {
  const State before = std::exchange(states_[user], state);
  for (std::size_t p = 0; p < matching_.size(); ++p) {
    if ((predicates_of_[user] & (1u << p)) == 0) continue;
    const Predicate& predicate = terms_.predicates[p];
    if (IsAtLeast(before, predicate.at_least)) --matching_[p];
    if (IsAtLeast(state, predicate.at_least)) ++matching_[p];
    if (matching_[p] >= predicate.needed) decided_ = true;
  }
}

bool Await::Undoes(std::size_t user, State state) const {
  for (std::size_t p = 0; p < matching_.size(); ++p) {
    if ((predicates_of_[user] & (1u << p)) == 0) continue;
    const Predicate& predicate = terms_.predicates[p];
    if (matching_[p] == predicate.needed &&
        IsAtLeast(states_[user], predicate.at_least) &&
        !IsAtLeast(state, predicate.at_least)) {
      return true;
    }
  }
  return false;
}

bool Await::TellPlace(std::size_t predicate, PlaceView view) {
  MutexLock lock(mutex_);
  if (decided_) return false;
  TakePlace(predicate, std::move(view));
  return decided_;
}

void Await::LookAtPlace(std::size_t predicate, PlaceView view) {
  MutexLock lock(mutex_);
  const std::size_t needed = terms_.predicates[predicate].needed;
  const bool undoes = matching_[predicate] >= needed && view.matching < needed;
  if (decided_ && undoes) return;
  TakePlace(predicate, std::move(view));
}

void Await::TakePlace(std::size_t predicate, PlaceView&& view) {
  matching_[predicate] = view.matching;
  from_[predicate] = std::move(view.from);
  if (view.matching >= terms_.predicates[predicate].needed) decided_ = true;
}

void Await::Wake() {
  if (const auto listener = listener_.lock()) listener->OnDecided();
}

bool Await::decided() const {
  MutexLock lock(mutex_);
  return decided_;
}

std::vector<PredicateView> Await::Views() const {
  MutexLock lock(mutex_);
  std::vector<PredicateView> views(terms_.predicates.size());
  for (std::size_t p = 0; p < views.size(); ++p) {
    const Predicate& predicate = terms_.predicates[p];
    views[p].satisfied = matching_[p] >= predicate.needed;
    views[p].count = matching_[p];
    views[p].from = from_[p];
    for (const std::uint32_t user : predicate.users) {
      if (IsAtLeast(states_[user], predicate.at_least)) {
        views[p].matching.push_back(user);
      }
    }
  }
  return views;
}

}  // namespace lifesign
