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

bool ConnectionStreams::AwaitNone(Duration timeout) {
  MutexLock lock(mutex_);
  // Notified only when none is left, so a wait is repeated only if one came
  // meanwhile, or for nothing.
  while (!by_peer_.empty()) {
    if (!changed_.WaitFor(mutex_, timeout)) return by_peer_.empty();
  }
  return true;
}

void ConnectionStreams::GiveBack(Slot::Entry* entry) {
  MutexLock lock(mutex_);
  if (--entry->second == 0) by_peer_.erase(entry->first);
  if (by_peer_.empty()) changed_.NotifyAll();
}

}  // namespace lifesign
