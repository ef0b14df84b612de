// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Everybody's network goes at once, and comes back.
#ifndef LIFESIGN_BENCH_LOAD_STORM_H_
#define LIFESIGN_BENCH_LOAD_STORM_H_

#include <string>

namespace lifesign::bench {

struct StormOptions {
  std::string target;
  int clients = 10'000;
  // A client has a stream of its own; so many share a connection.
  int clients_per_connection = 10;
  // All connections are cut at once and are back, evenly, within:
  double reconnect_seconds = 5;
  // So long the watch is read on, while the clients beat as they promised.
  double after_seconds = 15;
};

// Prints clients, false_changes (told to a watch of all from the cut on: nobody
// left, so each is one that nobody should have been told), and
// reconnected_seconds (when the last was back).
int RunStorm(const StormOptions& options);

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_LOAD_STORM_H_
