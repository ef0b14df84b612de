// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// How soon a watch knows, while the server has other things to do.
#ifndef LIFESIGN_BENCH_LOAD_TRANSITIONS_H_
#define LIFESIGN_BENCH_LOAD_TRANSITIONS_H_

#include <string>

namespace lifesign::bench {

struct TransitionsOptions {
  std::string target;
  int server_pid = 0;
  // The relay: heartbeats that open or leave are passed on as they are.
  bool floor = false;
  // Streams, each on its own connection.
  int streams = 100;
  // Users of a stream who only beat, and who come and go.
  int beating = 90;
  int flipping = 10;
  // Messages a second over all streams, evenly, one signal each.
  double rate = 1'000;
  // One message in so many changes a state.
  int messages_per_flip = 10;
  double warmup_seconds = 1;
  double seconds = 4;
};

// One watch watches all who come and go. Prints messages, changes, seconds,
// server_cpu_ns, told_p50_ns, told_p99_ns and told_p999_ns: from the intended
// send of the signal to the watch's receipt.
int RunTransitions(const TransitionsOptions& options);

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_LOAD_TRANSITIONS_H_
