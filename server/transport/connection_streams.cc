// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/connection_streams.h"

#include <utility>

namespace lifesign {

ConnectionStreams::Slot::Slot(Slot&& other) noexcept
    : owner_(std::exchange(other.owner_, nullptr)), entry_(other.entry_) {}

ConnectionStreams::Slot::~Slot() {
  if (owner_ != nullptr) owner_->GiveBack(entry_);
}

absl::optional<ConnectionStreams::Slot> ConnectionStreams::Take(
    absl::string_view peer) {
  MutexLock lock(mutex_);
  auto& entry = *by_peer_.try_emplace(peer, 0).first;
  if (entry.second >= most_) return absl::nullopt;
  ++entry.second;
  return Slot(this, &entry);
}

std::size_t ConnectionStreams::connections() const {
  MutexLock lock(mutex_);
  return by_peer_.size();
}

void ConnectionStreams::GiveBack(Slot::Entry* entry) {
  MutexLock lock(mutex_);
  if (--entry->second == 0) by_peer_.erase(entry->first);
}

}  // namespace lifesign
