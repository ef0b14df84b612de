// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The sessions that one heartbeat stream holds. docs/concepts.md § 12.
#ifndef LIFESIGN_SERVER_TRANSPORT_HEARTBEAT_HANDLE_TABLE_H_
#define LIFESIGN_SERVER_TRANSPORT_HEARTBEAT_HANDLE_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/optional.h"
#include "server/core/session/outcome.h"
#include "server/core/signal/signal.h"

namespace lifesign {

// Stands for a session's name within a stream. 64 bits of a hash with a secret
// of this process: two names of one stream never meet by accident, nor by
// intent.
using NameHash = std::uint64_t;
NameHash HashName(const SessionName& name);

// Handle to session, and session to handle. May hold sessions that are not
// bound any more: only the engine knows at once when a handle becomes free.
//
// A phone's stream holds one session, so that one needs no memory of its own. A
// gateway counts its handles up from 1, so most are found by index: an array
// is kept as long as half of it is in use, as Lua keeps those of its tables;
// handles beyond it are hashed. Not thread-safe.
class HandleTable {
 public:
  struct Bound {
    SessionRef ref;
    NameHash name = 0;
  };

  // Null if `handle` is free.
  const Bound* Find(std::uint32_t handle) const;

  // The handle of the session, if it has one.
  absl::optional<std::uint32_t> HandleOf(NameHash name) const;

  // REQUIRES: neither `handle` nor `bound.name` is in the table.
  void Bind(std::uint32_t handle, const Bound& bound);

  // Does nothing if `handle` is free.
  void Free(std::uint32_t handle);

  // Frees every handle of which `is_bound` says false.
  template <typename IsBound>
  void Sweep(const IsBound& is_bound);

  // Takes all of them out.
  std::vector<SessionRef> TakeAll();

  std::size_t size() const {
    return many_ != nullptr ? many_->by_name.size()
                            : std::size_t{only_handle_ != 0};
  }
  bool empty() const { return size() == 0; }

 private:
  struct Many {
    // By handle; unused where ref.attachment is kNoAttachment.
    std::vector<Bound> low;
    absl::flat_hash_map<std::uint32_t, Bound> high;
    absl::flat_hash_map<NameHash, std::uint32_t> by_name;

    Bound* Find(std::uint32_t handle);
    void Add(std::uint32_t handle, const Bound& bound);
    void Remove(std::uint32_t handle);
  };
  static constexpr std::size_t kLeastLow = 16;

  // Handle 0 binds nothing.
  std::uint32_t only_handle_ = 0;
  Bound only_;
  // Null until a second session is bound.
  std::unique_ptr<Many> many_;
};

template <typename IsBound>
void HandleTable::Sweep(const IsBound& is_bound) {
  if (many_ == nullptr) {
    if (only_handle_ != 0 && !is_bound(only_.ref)) only_handle_ = 0;
    return;
  }
  absl::erase_if(many_->by_name, [&](const auto& item) {
    if (is_bound(many_->Find(item.second)->ref)) return false;
    many_->Remove(item.second);
    return true;
  });
}

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_HEARTBEAT_HANDLE_TABLE_H_
