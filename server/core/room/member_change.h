// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What a shard tells a room of one of its users. docs/concepts.md § 11.
#ifndef LIFESIGN_SERVER_CORE_ROOM_MEMBER_CHANGE_H_
#define LIFESIGN_SERVER_CORE_ROOM_MEMBER_CHANGE_H_

#include <memory>
#include <string>
#include <vector>

#include "server/core/availability/veil.h"
#include "server/core/presence_state.h"
#include "server/core/reduce/reduce_user.h"
#include "server/core/room/intent.h"
#include "server/core/time.h"

namespace lifesign {

// A user in a room, from their sessions there.
struct Membership {
  // kOffline: they are not there.
  Aggregate state;
  Cause cause = Cause::kNone;
  RealTime since{};
  // Of any session while it was there; kNeverReal if none was.
  RealTime last_seen = kNeverReal;
  RealTime last_active = kNeverReal;
  // Live ones, there.
  int sessions = 0;

  friend bool operator==(const Membership&, const Membership&) = default;
};

// Whether they are there.
inline bool IsLive(const Membership& member) {
  return IsLive(member.state.state());
}

// It replaces what the room held of the user.
struct MemberChange {
  // A guest who turned out to be `user`, and what the guest is there without
  // the session that went over. The room takes both at once. What it is told of
  // the guest after that is of before, until the change that says
  // `merged_into`.
  struct Replacement {
    std::string guest;
    Membership guest_after;
  };

  std::string room;
  std::string user;
  Membership after;
  std::shared_ptr<const Replacement> replaces;
  // Whom a session of this user, a guest, went over to.
  std::shared_ptr<const std::string> merged_into;
  Audience audience = Audience::kEverybody;
};

// What lies in a shard's outbox for rooms.
struct RoomNews {
  std::vector<MemberChange> members;
  std::vector<IntentChange> intents;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_ROOM_MEMBER_CHANGE_H_
