// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Whom a watcher wants to watch, and whom the server knows it watches.
// docs/concepts.md § 9, FollowPresence.
#ifndef LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_FOLLOWED_USERS_H_
#define LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_FOLLOWED_USERS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "lifesign/v1/presence_service.pb.h"

namespace lifesign::client::internal {

// The users of a watch while they change: what has been acknowledged, which is
// what a token is of; the one message that is on its way; what is still to be
// said. Whatever came and went meanwhile is said together, and costs memory
// once for each user.
//
// Not thread-safe: its owner guards it.
class FollowedUsers {
 public:
  explicit FollowedUsers(absl::Span<const std::string> users);

  // Wants these as well. Whether something is to be said.
  bool Add(absl::Span<const std::string> users);
  // Does not want these any more: from now on nothing is expected of them. One
  // who is added again before that is said is removed and then added, for what
  // was known of them is gone. Whether something is to be said.
  bool Remove(absl::Span<const std::string> users);

  // Whether what the stream tells of `user` counts.
  bool Expects(absl::string_view user) const;
  // Everyone who is wanted has been acknowledged.
  bool complete() const { return missing_ == 0; }

  // Those who have been acknowledged, in their order: with them the next stream
  // begins.
  std::vector<std::string> Acknowledged() const;

  // --- The stream, once it is synced.

  // The next message; it is on its way then. None: nothing is to be said, or
  // one is on its way.
  absl::optional<v1::FollowPresenceRequest> NextMessage();
  bool has_message_on_its_way() const { return !on_its_way_.empty(); }
  // It was applied.
  void OnApplied();
  // It was refused: nobody whom it adds is wanted any more. Answers who they
  // are. Whom it removes is to be said again, without them.
  std::vector<std::string> OnRefused();
  // If one is on its way, it may have been applied or not; it is to be said
  // again on the next stream, which begins with those who were acknowledged.
  void OnStreamEnded();

 private:
  enum class Stage : std::uint8_t {
    kToAdd,
    kAdding,
    kWatched,
    kToRemove,
    kRemoving,
  };
  struct User {
    Stage stage;
    // Only one who is to be removed, or is dropped, may be unwanted.
    bool wanted = true;
    // While kAdding: not wanted meanwhile. To be removed once added.
    bool dropped = false;
  };
  using Users = absl::flat_hash_map<std::string, User>;

  static bool IsMissing(const User& user) {
    return user.wanted && user.stage != Stage::kWatched;
  }
  static bool IsToBeSaid(const User& user) {
    return user.stage == Stage::kToAdd || user.stage == Stage::kToRemove;
  }
  // Every user is changed between them.
  void Uncount(const User& user);
  void Count(const User& user);
  void Change(User& user, User to);
  void Erase(Users::iterator user);

  Users users_;
  // Of users_.
  std::size_t missing_ = 0;
  std::size_t to_be_said_ = 0;
  // Those who are kAdding or kRemoving.
  std::vector<std::string> on_its_way_;
};

}  // namespace lifesign::client::internal

#endif  // LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_FOLLOWED_USERS_H_
