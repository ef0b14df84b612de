// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/peers/load/server_process.h"

#include <ctime>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "bench/peers/load/peer.h"

namespace lifesign::bench {

int64_t ServerProcesses::CpuNanoseconds() const {
  int64_t sum = 0;
  for (const int pid : pids_) {
    clockid_t clock{};
    timespec time{};
    if (clock_getcpuclockid(pid, &clock) != 0 ||
        clock_gettime(clock, &time) != 0) {
      Fail(absl::StrCat("no CPU clock of process ", pid));
    }
    sum += int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  }
  return sum;
}

int64_t ServerProcesses::MemoryBytes() const {
  int64_t kibibytes = 0;
  for (const int pid : pids_) {
    std::ifstream file(absl::StrCat("/proc/", pid, "/smaps_rollup"));
    for (std::string word; file >> word;) {
      int64_t value = 0;
      if (word == "Pss:" && file >> value) kibibytes += value;
    }
  }
  if (kibibytes == 0) Fail("the memory of the server is not to be read");
  return kibibytes * 1024;
}

}  // namespace lifesign::bench
