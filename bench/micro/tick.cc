// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/micro/tick.h"

#include <algorithm>
#include <cstdio>

#include "bench/load/json.h"
#include "bench/micro/population.h"
#include "bench/micro/thread_cpu.h"
#include "server/base/limits.h"
#include "server/core/policy/policy.h"

namespace lifesign::bench {

int RunTick(const TickOptions& options) {
  Population population({options.sessions, 2, options.shards});
  const PolicyRow row = Policy().defaults;
  const auto ticks =
      (row.active_window - row.active_interval) / limits::kDefaultTick - 1;
  constexpr double kNanosecondsPerMillisecond = 1e6;
  double sum = 0;
  double most = 0;
  int handled = 0;
  for (int i = 0; i < ticks; ++i) {
    population.Advance(limits::kDefaultTick);
    const double before = ThreadCpuNanoseconds();
    handled += population.engine().Tick(population.now()).deadlines;
    const double used =
        (ThreadCpuNanoseconds() - before) / kNanosecondsPerMillisecond;
    sum += used;
    most = std::max(most, used);
  }
  if (handled > 0) {
    std::fprintf(stderr, "%d deadlines were due\n", handled);
    return 1;
  }
  JsonLine()
      .Add("bench", "\"tick\"")
      .Add("sessions", options.sessions)
      .Add("ticks", ticks)
      .Add("mean_ms", sum / static_cast<double>(ticks))
      .Add("max_ms", most)
      .Print();
  return 0;
}

}  // namespace lifesign::bench
