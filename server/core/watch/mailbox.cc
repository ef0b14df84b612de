// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/watch/mailbox.h"

#include <algorithm>
#include <utility>

namespace lifesign {
namespace {

constexpr std::size_t kMostGaps = 16;
// An empty mailbox keeps the memory of so many.
constexpr std::size_t kMostKept = 128;

// A place in the index.
constexpr std::size_t kIndexedBytes =
    sizeof(absl::string_view) + sizeof(std::size_t) + 1;
// The bytes that the transport made: times, numbers, and beside it the user.
constexpr std::size_t kWireBytes = 160;

absl::string_view UserOf(const PublishedChangePtr& change) {
  return change->change.after.user;
}

// What waiting takes: a change that nobody shares, its entry and its place in
// the index, which are half full at worst.
std::size_t BytesOf(const PublishedChangePtr& change, std::size_t entry) {
  const std::size_t bytes = sizeof(PublishedChange) +
                            2 * UserOf(change).size() + kWireBytes +
                            2 * (entry + kIndexedBytes);
  const AvailabilityView* const said = change->change.after.availability.get();
  if (said == nullptr) return bytes;
  return bytes + sizeof(AvailabilityView) + 2 * said->text.size();
}

}  // namespace

bool Mailbox::IsNoNews(State told, const DeviceStates& devices,
                       const AvailabilityView* availability,
                       const PresenceRecord& after) const {
  if (!terms_.states.Has(told) && !terms_.states.Has(after.state)) return true;
  return told == after.state &&
         IsSame(availability, after.availability.get()) &&
         (terms_.detail == Detail::kState || devices == after.devices);
}

void Mailbox::Put(PublishedChangePtr change) {
  if (full_) return;
  const std::size_t at = Find(UserOf(change));
  if (at == kNone) {
    Add(std::move(change));
  } else {
    Renew(at, std::move(change));
  }
  if (bytes_ <= terms_.mailbox_bytes) return;
  Clear();
  full_ = true;
}

void Mailbox::Add(PublishedChangePtr change) {
  const Change& first = change->change;
  const State told = first.before;
  const DeviceStates& devices = first.devices_before;
  const AvailabilityView* const availability = first.availability_before.get();
  if (IsNoNews(told, devices, availability, first.after)) return;
  bytes_ += BytesOf(change, sizeof(Entry));
  if (availability != nullptr) {
    if (told_availability_ == nullptr) {
      told_availability_ = std::make_unique<Availabilities>();
    }
    (*told_availability_)[first.after.user] = first.availability_before;
  }
  entries_.push_back({std::move(change), told, devices,
                      /*available=*/availability == nullptr});
  ++waiting_;
  if (indexed_) {
    index_->emplace(UserOf(entries_.back().newest), entries_.size() - 1);
  } else if (waiting_ > kScanned) {
    IndexAll();
  }
}

void Mailbox::Renew(std::size_t at, PublishedChangePtr change) {
  Entry& entry = entries_[at];
  if (IsNoNews(entry.told, entry.devices_told, AvailabilityToldBy(entry),
               change->change.after)) {
    Remove(at);
    Compact();
    return;
  }
  bytes_ +=
      BytesOf(change, sizeof(Entry)) - BytesOf(entry.newest, sizeof(Entry));
  // The key points into the change that is about to go.
  if (indexed_) index_->erase(UserOf(entry.newest));
  entry.newest = std::move(change);
  if (indexed_) index_->emplace(UserOf(entry.newest), at);
}

void Mailbox::Drop(absl::string_view user) {
  const std::size_t at = Find(user);
  if (at == kNone) return;
  Remove(at);
  Compact();
}

std::size_t Mailbox::Find(absl::string_view user) const {
  if (indexed_) {
    const auto found = index_->find(user);
    return found == index_->end() ? kNone : found->second;
  }
  for (std::size_t i = first_; i < entries_.size(); ++i) {
    const PublishedChangePtr& newest = entries_[i].newest;
    if (newest != nullptr && UserOf(newest) == user) return i;
  }
  return kNone;
}

const AvailabilityView* Mailbox::AvailabilityToldBy(const Entry& entry) const {
  if (entry.available) return nullptr;
  return told_availability_->find(UserOf(entry.newest))->second.get();
}

void Mailbox::Forget(const Entry& entry) {
  const absl::string_view user = UserOf(entry.newest);
  if (indexed_) index_->erase(user);
  if (!entry.available) told_availability_->erase(user);
  bytes_ -= BytesOf(entry.newest, sizeof(Entry));
  --waiting_;
}

void Mailbox::Remove(std::size_t at) {
  Forget(entries_[at]);
  entries_[at].newest = nullptr;
}

void Mailbox::Open() {
  Clear();
  full_ = false;
}

void Mailbox::Clear() {
  entries_.clear();
  first_ = 0;
  waiting_ = 0;
  bytes_ = 0;
  indexed_ = false;
  told_availability_.reset();
  if (entries_.capacity() > kMostKept) {
    entries_.shrink_to_fit();
    index_.reset();
  }
}

void Mailbox::Compact() {
  if (entries_.size() <= 2 * waiting_ + kMostGaps) return;
  entries_.erase(std::remove_if(entries_.begin(), entries_.end(),
                                [](const Entry& entry) {
                                  return entry.newest == nullptr;
                                }),
                 entries_.end());
  first_ = 0;
  if (indexed_) IndexAll();
}

void Mailbox::IndexAll() {
  indexed_ = true;
  if (index_ == nullptr) index_ = std::make_unique<Index>();
  index_->clear();
  for (std::size_t i = first_; i < entries_.size(); ++i) {
    if (entries_[i].newest != nullptr) {
      index_->emplace(UserOf(entries_[i].newest), i);
    }
  }
}

Mail Mailbox::Take(std::size_t most) {
  Mail taken;
  taken.reserve(std::min(most, waiting_));
  while (waiting_ > 0 && taken.size() < most) {
    PublishedChangePtr& newest = entries_[first_].newest;
    if (newest != nullptr) {
      Forget(entries_[first_]);
      taken.push_back(std::move(newest));
      newest = nullptr;
    }
    ++first_;
  }
  if (waiting_ > 0) {
    Compact();
    return taken;
  }
  Clear();
  return taken;
}

}  // namespace lifesign
