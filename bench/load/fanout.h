// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// One change to many watches.
#ifndef LIFESIGN_BENCH_LOAD_FANOUT_H_
#define LIFESIGN_BENCH_LOAD_FANOUT_H_

#include <string>

namespace lifesign::bench {

struct FanoutOptions {
  std::string target;
  int server_pid = 0;
  bool floor = false;
  int connections = 10;
  int watchers = 1'000;
  // Who change, in turn; each watch watches all of them.
  int users = 1'000;
  // One message each, evenly.
  double changes_per_second = 20;
  double batching_delay_seconds = 0;
  double seconds = 4;
};

// Prints changes (made), delivered (all watches together), messages (that told
// them), seconds, server_cpu_ns, told_p50_ns and told_p99_ns (from the intended
// send to the receipt). Fails if not every change reached every watch.
int RunFanout(const FanoutOptions& options);

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_LOAD_FANOUT_H_
