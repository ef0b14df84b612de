// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// How long a watch waits for its snapshot.
#ifndef LIFESIGN_BENCH_LOAD_SNAPSHOT_H_
#define LIFESIGN_BENCH_LOAD_SNAPSHOT_H_

#include <string>

namespace lifesign::bench {

struct SnapshotOptions {
  std::string target;
  int server_pid = 0;
  bool floor = false;  // no floor has a snapshot
  // Watched, each with an open session.
  int users = 10'000;
  // Watches, one after the other.
  int watches = 20;
};

// Prints users, watches, server_cpu_ns (of all), synced_p50_ns and
// synced_max_ns: from the request to SYNCED.
int RunSnapshot(const SnapshotOptions& options);

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_LOAD_SNAPSHOT_H_
