// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#ifndef LIFESIGN_BENCH_PEERS_LOAD_JOBS_H_
#define LIFESIGN_BENCH_PEERS_LOAD_JOBS_H_

#include <string>

#include "bench/peers/load/peer.h"
#include "bench/peers/load/server_process.h"

namespace lifesign::bench {

// How hard, and for how long.
struct Load {
  int rate = 0;   // heartbeats a second, all sessions together
  int batch = 1;  // heartbeats in one write
  int seconds = 0;
  int watchers = 1;
};

// Each returns one JSON object without braces: what was counted and read.
// The last kPeople sessions send no regular heartbeats: they change.
inline constexpr int kPeople = 20;

// One watcher, heartbeats at a fixed rate: what they cost the server; then
// changes among them: how long until the watcher has heard.
std::string MeasureBeats(Peer& peer, const ServerProcesses& server,
                         const Load& load);

// One watcher, every session's connection is cut and comes back within 5 s:
// who is said to be gone.
std::string MeasureStorm(Peer& peer, const ServerProcesses& server,
                         const Load& load);

// Many watchers, and people who log in, send heartbeats, reconnect, and fall:
// how many messages the watchers get for two changes each.
std::string MeasureFanOut(Peer& peer, const ServerProcesses& server,
                          const Load& load);

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_PEERS_LOAD_JOBS_H_
