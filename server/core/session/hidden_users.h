// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Users as only those see them who see through. docs/concepts.md § 13.
#ifndef LIFESIGN_SERVER_CORE_SESSION_HIDDEN_USERS_H_
#define LIFESIGN_SERVER_CORE_SESSION_HIDDEN_USERS_H_

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "server/core/session/records.h"
#include "server/core/session/slab.h"

namespace lifesign {

// A user who is invisible has two records. The public one is what a LEAVE of
// their last session left behind, and lies among all others: whatever looks
// there cannot tell the two apart. The true one, with the sessions, lies here.
// Their slots are told apart by a bit.
//
// Not thread-safe: its shard guards it.
class HiddenUsers {
 public:
  static bool Holds(std::uint32_t slot) {
    return (slot & kFirstSlot) != 0 && slot != kNoSlot;
  }
  // Slots lie from here on, above those of all public records.
  static constexpr std::uint32_t kFirstSlot = 0x8000'0000;
  // Up to here: free ones are among them.
  std::uint32_t slots_end() const { return kFirstSlot + users_.slots(); }

  bool empty() const { return by_id_.empty(); }
  User& operator[](std::uint32_t slot) { return users_[slot & ~kFirstSlot]; }
  const User& operator[](std::uint32_t slot) const {
    return users_[slot & ~kFirstSlot];
  }

  // Null if there is none.
  User* Find(absl::string_view id);
  const User* Find(absl::string_view id) const {
    return const_cast<HiddenUsers*>(this)->Find(id);
  }
  // REQUIRES: there is none.
  User& Add(absl::string_view id);
  void Remove(User& user);

  // Those without sessions, in the order in which they became so.
  void Retain(User& user);
  void EndRetaining(User& user);
  std::size_t retained() const { return retained_.size(); }
  // REQUIRES: retained() > 0.
  User& FirstRetained() { return users_[retained_.front()]; }

 private:
  Slab<User> users_;
  absl::flat_hash_map<std::string, std::uint32_t> by_id_;
  SlabList<User, &User::links> retained_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_SESSION_HIDDEN_USERS_H_
