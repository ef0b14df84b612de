// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/load/process_meter.h"

#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

namespace lifesign::bench {
namespace {

[[noreturn]] void Gone(pid_t pid) {
  std::fprintf(stderr, "bench: process %d is gone\n", static_cast<int>(pid));
  std::exit(1);
}

}  // namespace

std::int64_t ProcessMeter::CpuNanoseconds() const {
  clockid_t clock;
  timespec used;
  if (clock_getcpuclockid(pid_, &clock) != 0 ||
      clock_gettime(clock, &used) != 0) {
    Gone(pid_);
  }
  return std::int64_t{used.tv_sec} * 1'000'000'000 + used.tv_nsec;
}

std::int64_t ProcessMeter::AnonymousBytes() const {
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  std::string word;
  while (status >> word) {
    std::int64_t kib = 0;
    if (word == "RssAnon:" && status >> kib) return kib * 1024;
  }
  Gone(pid_);
}

}  // namespace lifesign::bench
