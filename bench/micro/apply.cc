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
    BeatCost by_far_handle;
    BeatCost by_batch;
    BeatCost by_id;
    constexpr int kTurns = 5;
    // Each comes first, and in every later place, in turn.
    for (int turn = 0; turn < kTurns; ++turn) {
      switch ((run + turn) % kTurns) {
        case 0:
          floor_ns = floor.Run(options.seconds);
          break;
        case 1:
          by_handle = beats.ByHandle(options.seconds);
          break;
        case 2:
          by_id = beats.ById(options.seconds);
          break;
        case 3:
          by_far_handle = beats.ByFarHandle(options.seconds);
          break;
        default:
          by_batch = beats.ByBatch(options.seconds);
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
        .Add("by_far_handle_ns", by_far_handle.nanoseconds)
        .Add("by_batch128_ns", by_batch.nanoseconds)
        .Add("tick_per_heartbeat_ns", by_handle.tick_nanoseconds)
        .Print();
  }
  return 0;
}

}  // namespace lifesign::bench
