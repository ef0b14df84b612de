// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What another process has used.
#ifndef LIFESIGN_BENCH_LOAD_PROCESS_METER_H_
#define LIFESIGN_BENCH_LOAD_PROCESS_METER_H_

#include <sys/types.h>

#include <cstdint>

namespace lifesign::bench {

// Of one process, all its threads. Ends this process with a message if that one
// is gone: a measurement without it means nothing.
class ProcessMeter {
 public:
  explicit ProcessMeter(pid_t pid) : pid_(pid) {}

  // CPU time so far, user and system, in ns. The clock of the process itself,
  // which counts to the nanosecond, not the ticks of /proc/PID/stat.
  std::int64_t CpuNanoseconds() const;

  // Memory of its own: resident pages that no file is behind.
  std::int64_t AnonymousBytes() const;

 private:
  const pid_t pid_;
};

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_LOAD_PROCESS_METER_H_
