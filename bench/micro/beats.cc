// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/micro/beats.h"

#include <cstdio>
#include <cstdlib>

#include "bench/micro/thread_cpu.h"

namespace lifesign::bench {
namespace {

constexpr std::uint64_t kBeatSeed = 3;
constexpr std::uint64_t kFloorSeed = 4;
constexpr double kNanosecondsPerSecond = 1e9;

void CheckUsual(std::size_t unusual, std::size_t beats) {
  if (unusual * 100 <= beats) return;
  std::fprintf(stderr, "%zu of %zu heartbeats were not usual ones\n", unusual,
               beats);
  std::exit(1);
}

std::vector<MapFloor::Key> KeysOf(const Population& population) {
  std::vector<MapFloor::Key> keys;
  keys.reserve(population.size());
  for (const OpenSession& session : population.sessions()) {
    keys.push_back(session.ids);
  }
  return keys;
}

auto HandleBeat(Population& population) {
  return [signal = UsualHeartbeat(), refs = population.refs(),
          &engine = population.engine()](absl::Span<const std::uint32_t> step,
                                         std::size_t i, const Now& now) {
    return engine.Apply(refs[step[i]], signal, now);
  };
}

}  // namespace

Beats::Beats(Population& population)
    : population_(population), order_(population.size(), kBeatSeed) {}

template <typename Beat>
void Beats::Step(absl::Span<const std::uint32_t> step, const Beat& beat,
                 Tally& tally) {
  const Duration gap = population_.gap();
  Now now = population_.now();
  const double before = ThreadCpuNanoseconds();
  for (std::size_t i = 0; i < step.size(); ++i) {
    now = Later(now, gap);
    const SignalOutcome outcome = beat(step, i, now);
    tally.unusual += !outcome.ok() || outcome.is_news;
  }
  const double between = ThreadCpuNanoseconds();
  population_.Advance(now.presence - population_.now().presence);
  population_.Tick();
  tally.in_beats += between - before;
  tally.in_ticks += ThreadCpuNanoseconds() - between;
  tally.beats += step.size();
}

template <typename Prepare, typename Beat>
BeatCost Beats::Run(double seconds, const Prepare& prepare, const Beat& beat) {
  Tally tally;
  while (tally.in_beats < seconds * kNanosecondsPerSecond) {
    const auto step = order_.Next();
    prepare(step);
    Step(step, beat, tally);
  }
  CheckUsual(tally.unusual, tally.beats);
  const auto count = static_cast<double>(tally.beats);
  return {tally.in_beats / count, tally.in_ticks / count};
}

void Beats::WarmUp() {
  Tally tally;
  for (std::size_t i = 0; i < 2 * BeatOrder::kStepsPerPass; ++i) {
    Step(order_.Next(), HandleBeat(population_), tally);
  }
}

BeatCost Beats::ByHandle(double seconds) {
  return Run(
      seconds, [](const auto&) {}, HandleBeat(population_));
}

BeatCost Beats::ById(double seconds) {
  const Signal signal = UsualHeartbeat();
  PresenceEngine& engine = population_.engine();
  const auto sessions = population_.sessions();
  const auto prepare = [&](absl::Span<const std::uint32_t> step) {
    ready_.clear();
    for (const std::uint32_t index : step) ready_.push_back(sessions[index]);
  };
  return Run(seconds, prepare, [&](const auto&, std::size_t i, const Now& now) {
    const OpenSession& session = ready_[i];
    return engine.ApplyUnary(session.ids.name(), session.attachment, signal,
                             now);
  });
}

FloorBeats::FloorBeats(const Population& population, std::size_t stripes)
    : keys_(KeysOf(population)),
      floor_(stripes, keys_),
      order_(population.size(), kFloorSeed) {}

double FloorBeats::Run(double seconds) {
  double used = 0;
  std::size_t beats = 0;
  while (used < seconds * kNanosecondsPerSecond) {
    const auto step = order_.Next();
    ready_.clear();
    for (const std::uint32_t index : step) ready_.push_back(keys_[index]);
    const double before = ThreadCpuNanoseconds();
    for (const MapFloor::Key& key : ready_) floor_.Touch(key, ++now_);
    used += ThreadCpuNanoseconds() - before;
    beats += step.size();
  }
  return used / static_cast<double>(beats);
}

}  // namespace lifesign::bench
