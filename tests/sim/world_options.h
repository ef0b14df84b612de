// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What a world is like, from its seed.
#ifndef LIFESIGN_TESTS_SIM_WORLD_OPTIONS_H_
#define LIFESIGN_TESTS_SIM_WORLD_OPTIONS_H_

#include <cstddef>
#include <cstdint>

#include "server/base/limits.h"
#include "server/base/time.h"

namespace lifesign::sim {

struct WorldOptions {
  // The server.
  int shards = 1;
  int policy = 0;  // of property::Policies()
  int max_sessions_per_user = limits::kMaxSessionsPerUser;
  int max_sessions_per_stream = limits::kMaxSessionsPerStream;
  std::size_t max_mailbox_bytes = limits::kMaxMailboxBytes;
  Duration tick = limits::kDefaultTick;
  // A round of publishing comes at most so long after a change.
  Duration round_within{0};
  std::uint64_t seed = 0;
  // Whether its clients have the right to.
  bool may_see_through = false;

  // Who is there: peers keep to no rule and share users and sessions; a member
  // is a session of a user of its own, held by the client library; a watcher
  // is one of the client library's, an observer watches in ways that the
  // library does not.
  int peers = 1;
  int users = 1;     // of peers
  int sessions = 1;  // names of a user's sessions
  int rooms = 0;     // of them
  int members = 1;
  int watchers = 1;
  int observers = 1;
  int awaiters = 1;

  // The network: how long a message takes, at least and at most, and how many
  // of the server's flow control takes before the client has read one.
  Duration least_delay{0};
  Duration most_delay{0};
  int window = 1;
};

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_WORLD_OPTIONS_H_
