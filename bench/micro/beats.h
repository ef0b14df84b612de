// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Heartbeats at the rate of clients, timed without the ticks between them.
#ifndef LIFESIGN_BENCH_MICRO_BEATS_H_
#define LIFESIGN_BENCH_MICRO_BEATS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "bench/micro/beat_order.h"
#include "bench/micro/map_floor.h"
#include "bench/micro/population.h"

namespace lifesign::bench {

// CPU time per heartbeat.
struct BeatCost {
  double nanoseconds = 0;
  // What the ticks, a hundred an interval, add to it.
  double tick_nanoseconds = 0;
};

// Each session beats ACTIVE every 9 to 11 s of the engine's time, evenly
// spread, as clients with the shipped interval of 10 s ± 10 % do, and the
// engine is ticked every 100 ms. So a heartbeat finds its session active, its
// rate unused and a later deadline than the one that is filed: the usual case.
class Beats {
 public:
  // `population` outlives it.
  explicit Beats(Population& population);

  // Two rounds: until deadlines lie where they do after a while.
  void WarmUp();

  // Beats for so long, of CPU time in heartbeats. The session's reference is
  // looked up by its number, at random: as a stream that has a message finds
  // its own.
  BeatCost ByHandle(double seconds);
  // The ids lie ready in the order of their use.
  BeatCost ById(double seconds);

 private:
  struct Tally {
    double in_beats = 0;
    double in_ticks = 0;
    std::size_t beats = 0;
    std::size_t unusual = 0;
  };

  template <typename Prepare, typename Beat>
  BeatCost Run(double seconds, const Prepare& prepare, const Beat& beat);
  template <typename Beat>
  void Step(absl::Span<const std::uint32_t> step, const Beat& beat,
            Tally& tally);

  Population& population_;
  BeatOrder order_;
  std::vector<OpenSession> ready_;
};

// The same load on the floor: keys lie ready in the order of their use.
class FloorBeats {
 public:
  FloorBeats(const Population& population, std::size_t stripes);
  double Run(double seconds);

 private:
  std::vector<MapFloor::Key> keys_;
  MapFloor floor_;
  BeatOrder order_;
  std::vector<MapFloor::Key> ready_;
  std::int64_t now_ = 0;
};

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_MICRO_BEATS_H_
