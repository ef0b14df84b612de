// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/micro/apply.h"

#include "bench/load/json.h"
#include "bench/micro/beats.h"

namespace lifesign::bench {

int RunApply(const ApplyOptions& options) {
  Population population({options.sessions, 2, options.shards});
  Beats beats(population);
  FloorBeats floor(population, static_cast<std::size_t>(options.shards));
  beats.WarmUp();
  floor.Run(options.seconds);
  for (int run = 0; run < options.runs; ++run) {
    double floor_ns = 0;
    BeatCost by_handle;
    BeatCost by_id;
    // Each comes first, second and last in turn.
    for (int turn = 0; turn < 3; ++turn) {
      switch ((run + turn) % 3) {
        case 0:
          floor_ns = floor.Run(options.seconds);
          break;
        case 1:
          by_handle = beats.ByHandle(options.seconds);
          break;
        default:
          by_id = beats.ById(options.seconds);
      }
    }
    JsonLine()
        .Add("bench", "\"apply\"")
        .Add("run", run)
        .Add("sessions", options.sessions)
        .Add("shards", options.shards)
        .Add("floor_ns", floor_ns)
        .Add("by_handle_ns", by_handle.nanoseconds)
        .Add("by_id_ns", by_id.nanoseconds)
        .Add("tick_per_heartbeat_ns", by_handle.tick_nanoseconds)
        .Print();
  }
  return 0;
}

}  // namespace lifesign::bench
