// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/load/snapshot.h"

#include <cstdint>
#include <memory>

#include "bench/load/fail.h"
#include "bench/load/fleet.h"
#include "bench/load/histogram.h"
#include "bench/load/json.h"
#include "bench/load/pacer.h"
#include "bench/load/process_meter.h"
#include "bench/load/wait.h"
#include "bench/load/watchers.h"

namespace lifesign::bench {

int RunSnapshot(const SnapshotOptions& options) {
  const auto channels = MakeChannels(options.target, 1);
  SessionStream driver(channels[0], 0, options.users);
  if (!WaitUntil([&] { return driver.all_opened(); })) {
    return Fail("the sessions did not open");
  }
  WatchersOptions watching;
  watching.target = options.target;
  watching.users = options.users;
  const ProcessMeter server(options.server_pid);
  const std::int64_t cpu_before = server.CpuNanoseconds();
  const auto waits = std::make_unique<Histogram>();
  for (int i = 0; i < options.watches; ++i) {
    const SteadyTime start = SteadyNow();
    Watchers watchers(watching);
    if (!watchers.AwaitSynced()) return Fail("the watch has no snapshot");
    waits->Record(Nanoseconds(SteadyNow() - start));
  }
  JsonLine()
      .Add("users", options.users)
      .Add("watches", options.watches)
      .Add("server_cpu_ns", server.CpuNanoseconds() - cpu_before)
      .Add("synced_p50_ns", waits->Percentile(0.5))
      .Add("synced_max_ns", waits->max())
      .Print();
  return 0;
}

}  // namespace lifesign::bench
