// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "lifesign/client/internal/followed_users.h"

#include <algorithm>
#include <utility>

#include "server/base/limits.h"

namespace lifesign::client::internal {

FollowedUsers::FollowedUsers(absl::Span<const std::string> users) {
  for (const std::string& id : users) {
    users_.try_emplace(id, User{Stage::kWatched});
  }
}

void FollowedUsers::Uncount(const User& user) {
  if (IsMissing(user)) --missing_;
  if (IsToBeSaid(user)) --to_be_said_;
}

void FollowedUsers::Count(const User& user) {
  if (IsMissing(user)) ++missing_;
  if (IsToBeSaid(user)) ++to_be_said_;
}

void FollowedUsers::Change(User& user, User to) {
  Uncount(user);
  user = to;
  Count(user);
}

void FollowedUsers::Erase(Users::iterator user) {
  Uncount(user->second);
  users_.erase(user);
}

bool FollowedUsers::Add(absl::Span<const std::string> users) {
  for (const std::string& id : users) {
    const auto [place, first] = users_.try_emplace(id, User{Stage::kToAdd});
    User& user = place->second;
    if (first) {
      Count(user);
    } else if (!user.wanted) {
      User wanted = user;
      wanted.wanted = true;
      Change(user, wanted);
    }
  }
  return to_be_said_ > 0;
}

bool FollowedUsers::Remove(absl::Span<const std::string> users) {
  for (const std::string& id : users) {
    const auto place = users_.find(id);
    if (place == users_.end()) continue;
    User& user = place->second;
    switch (user.stage) {
      case Stage::kToAdd:
        Erase(place);
        break;
      case Stage::kAdding:
        Change(user, {Stage::kAdding, /*wanted=*/false, /*dropped=*/true});
        break;
      case Stage::kWatched:
      case Stage::kToRemove:
        Change(user, {Stage::kToRemove, /*wanted=*/false});
        break;
      case Stage::kRemoving:
        Change(user, {Stage::kRemoving, /*wanted=*/false});
        break;
    }
  }
  return to_be_said_ > 0;
}

bool FollowedUsers::Expects(absl::string_view user) const {
  const auto place = users_.find(user);
  if (place == users_.end()) return false;
  return place->second.stage == Stage::kWatched ||
         (place->second.stage == Stage::kAdding && !place->second.dropped);
}

std::vector<std::string> FollowedUsers::Acknowledged() const {
  std::vector<std::string> acknowledged;
  for (const auto& [id, user] : users_) {
    if (user.stage != Stage::kToAdd && user.stage != Stage::kAdding) {
      acknowledged.push_back(id);
    }
  }
  std::sort(acknowledged.begin(), acknowledged.end());
  return acknowledged;
}

absl::optional<v1::FollowPresenceRequest> FollowedUsers::NextMessage() {
  if (to_be_said_ == 0 || has_message_on_its_way()) return absl::nullopt;
  constexpr int kMost = static_cast<int>(limits::kMaxFollowedPerMessage);
  v1::FollowPresenceRequest message;
  for (auto& [id, user] : users_) {
    const bool adds = user.stage == Stage::kToAdd;
    if (!adds && user.stage != Stage::kToRemove) continue;
    v1::UserSet& said =
        adds ? *message.mutable_add() : *message.mutable_remove();
    if (said.user_ids_size() == kMost) continue;
    said.add_user_ids(id);
    on_its_way_.push_back(id);
    Change(user, {adds ? Stage::kAdding : Stage::kRemoving, user.wanted});
  }
  return message;
}

void FollowedUsers::OnApplied() {
  for (const std::string& id : std::exchange(on_its_way_, {})) {
    const auto place = users_.find(id);
    User& user = place->second;
    if (user.stage == Stage::kAdding) {
      Change(user,
             {user.dropped ? Stage::kToRemove : Stage::kWatched, user.wanted});
    } else if (user.wanted) {
      Change(user, {Stage::kToAdd});
    } else {
      Erase(place);
    }
  }
}

std::vector<std::string> FollowedUsers::OnRefused() {
  std::vector<std::string> refused;
  bool added = false;
  for (const std::string& id : on_its_way_) {
    const auto place = users_.find(id);
    if (place->second.stage != Stage::kAdding) continue;
    added = true;
    if (place->second.wanted) refused.push_back(id);
    Erase(place);
  }
  // A server that refuses to remove is not asked again and again: what it tells
  // of them is ignored.
  if (!added) {
    OnApplied();
    return refused;
  }
  for (const std::string& id : std::exchange(on_its_way_, {})) {
    const auto place = users_.find(id);
    if (place == users_.end()) continue;
    Change(place->second, {Stage::kToRemove, place->second.wanted});
  }
  return refused;
}

void FollowedUsers::OnStreamEnded() {
  for (const std::string& id : std::exchange(on_its_way_, {})) {
    const auto place = users_.find(id);
    User& user = place->second;
    if (user.stage == Stage::kRemoving) {
      Change(user, {Stage::kToRemove, user.wanted});
    } else if (user.wanted) {
      Change(user, {Stage::kToAdd});
    } else {
      Erase(place);
    }
  }
}

}  // namespace lifesign::client::internal
