// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What a shard tells a room of one of its users. docs/concepts.md § 11.
#ifndef LIFESIGN_SERVER_CORE_ROOM_MEMBER_CHANGE_H_
#define LIFESIGN_SERVER_CORE_ROOM_MEMBER_CHANGE_H_

#include <string>

#include "server/core/presence_state.h"
#include "server/core/reduce/reduce_user.h"
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
};

// It replaces what the room held of the user.
struct MemberChange {
  std::string room;
  std::string user;
  Membership after;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_ROOM_MEMBER_CHANGE_H_
