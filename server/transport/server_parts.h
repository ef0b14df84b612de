// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What every stream and call of one server shares.
#ifndef LIFESIGN_SERVER_TRANSPORT_SERVER_PARTS_H_
#define LIFESIGN_SERVER_TRANSPORT_SERVER_PARTS_H_

#include <cstddef>
#include <cstdint>

#include "server/base/limits.h"
#include "server/core/availability/veil.h"
#include "server/core/presence_engine.h"
#include "server/transport/chores.h"
#include "server/transport/deadlines.h"
#include "server/transport/jitter.h"
#include "server/transport/rounds.h"
#include "server/transport/stream_registry.h"
#include "server/transport/time_source.h"

namespace lifesign {

class AwaitCall;
class HeartbeatStream;
class WatchStream;

// Named limits of docs/concepts.md § 14 that a server may set otherwise.
struct StreamLimits {
  int max_sessions_per_user = limits::kMaxSessionsPerUser;
  int max_sessions_per_stream = limits::kMaxSessionsPerStream;
  int max_streams_per_connection = limits::kMaxStreamsPerConnection;
  int max_watched_users = limits::kMaxWatchedUsers;
  std::size_t max_mailbox_bytes = limits::kMaxMailboxBytes;
  std::int64_t max_awaited_users = limits::kMaxAwaitedUsers;
};

// References: whoever makes it keeps them alive until every call is done.
struct ServerParts {
  PresenceEngine& engine;
  const TimeSource& time;
  Deadlines& deadlines;
  Chores& chores;
  Rounds& rounds;
  Jitter& jitter;
  StreamRegistry<HeartbeatStream>& heartbeats;
  StreamRegistry<WatchStream>& watches;
  StreamRegistry<AwaitCall>& awaits;
  StreamLimits limits;
  // Whether callers may see what is true of users who are invisible.
  bool may_see_through = false;

  bool MaySee(View view) const {
    return view == View::kPublic || may_see_through;
  }
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_SERVER_PARTS_H_
