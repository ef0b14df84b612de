// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Heartbeats at the rate of clients, timed without the ticks between them.
#ifndef LIFESIGN_BENCH_MICRO_BEATS_H_
#define LIFESIGN_BENCH_MICRO_BEATS_H_

#include <array>
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
  // Signals of one message.
  static constexpr std::size_t kBatch = 128;

  // `population` outlives it.
  explicit Beats(Population& population);

  // Two rounds: until deadlines lie where they do after a while.
  void WarmUp();

  // Beats for so long, of CPU time in heartbeats. The references lie ready in
  // the order of their use, as the floor has its keys: a stream that has a
  // message holds the reference of its session itself.
  BeatCost ByHandle(double seconds);
  // The same, but each reference is looked up by the session's number first, in
  // an array of all: one more access to memory for which the floor has no like.
  BeatCost ByFarHandle(double seconds);
  // The same, the signals of a message of `kBatch` together, as a gateway's
  // stream has them applied.
  BeatCost ByBatch(double seconds);
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
  // beat(indices, i, now) applies one or more from the i-th on, says how many
  // and adds what was unusual to the tally.
  template <typename Beat>
  void Step(absl::Span<const std::uint32_t> step, const Beat& beat,
            Tally& tally);
  void PrepareRefs(absl::Span<const std::uint32_t> step);

  Population& population_;
  BeatOrder order_;
  std::vector<OpenSession> ready_;
  std::vector<SessionRef> ready_refs_;
  std::array<BoundSignal, kBatch> batch_;
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
