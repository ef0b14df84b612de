// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/session/hidden_users.h"

namespace lifesign {

User* HiddenUsers::Find(absl::string_view id) {
  // Mostly there are none.
  if (by_id_.empty()) return nullptr;
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &users_[found->second];
}

User& HiddenUsers::Add(absl::string_view id) {
  const std::uint32_t index = users_.Take();
  User& user = users_[index];
  user.Begin(index | kFirstSlot, id);
  by_id_.emplace(std::string(id), index);
  return user;
}

void HiddenUsers::Remove(User& user) {
  const std::uint32_t index = user.slot & ~kFirstSlot;
  EndRetaining(user);
  by_id_.erase(user.id.view());
  user.id.Assign("");
  users_.Free(index);
}

void HiddenUsers::Retain(User& user) {
  if (user.retained) return;
  retained_.PushBack(users_, user.slot & ~kFirstSlot);
  user.retained = true;
}

void HiddenUsers::EndRetaining(User& user) {
  if (!user.retained) return;
  retained_.Erase(users_, user.slot & ~kFirstSlot);
  user.retained = false;
}

}  // namespace lifesign
