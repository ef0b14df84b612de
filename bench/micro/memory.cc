// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/micro/memory.h"

#include <malloc.h>
#include <unistd.h>

#include <fstream>

#include "bench/load/json.h"
#include "bench/micro/population.h"
#include "bench/micro/session_ids.h"

namespace lifesign::bench {

double ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  double all = 0;
  double resident = 0;
  statm >> all >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double AllocatedBytes() {
  const auto info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

int RunMemory(const MemoryOptions& options) {
  const std::size_t sessions = options.users * options.sessions_per_user;
  const double resident_before = ResidentBytes();
  const double allocated_before = AllocatedBytes();
  Population population({sessions, options.sessions_per_user, options.shards});
  population.ForgetNames();
  const auto count = static_cast<double>(sessions);
  const double id_bytes =
      kSessionIdBytes + static_cast<double>(kUserIdBytes) /
                            static_cast<double>(options.sessions_per_user);
  JsonLine()
      .Add("bench", "\"memory\"")
      .Add("sessions", sessions)
      .Add("id_bytes_per_session", id_bytes)
      .Add("rss_bytes_per_session",
           (ResidentBytes() - resident_before) / count - id_bytes)
      .Add("malloc_bytes_per_session",
           (AllocatedBytes() - allocated_before) / count - id_bytes)
      .Print();
  return 0;
}

}  // namespace lifesign::bench
