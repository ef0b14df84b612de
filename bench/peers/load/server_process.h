// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#ifndef LIFESIGN_BENCH_PEERS_LOAD_SERVER_PROCESS_H_
#define LIFESIGN_BENCH_PEERS_LOAD_SERVER_PROCESS_H_

#include <cstdint>
#include <vector>

namespace lifesign::bench {

// What the processes of a server cost. They exist for the whole measurement.
class ServerProcesses {
 public:
  explicit ServerProcesses(std::vector<int> pids) : pids_(std::move(pids)) {}

  // CPU time of all threads, also of those that have ended.
  int64_t CpuNanoseconds() const;

  // Proportional set size.
  int64_t MemoryBytes() const;

 private:
  const std::vector<int> pids_;
};

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_PEERS_LOAD_SERVER_PROCESS_H_
