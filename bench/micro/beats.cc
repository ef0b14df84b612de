// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/micro/beats.h"

#include <algorithm>
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

std::size_t Unusual(const SignalOutcome& outcome) {
  return !outcome.ok() || outcome.is_news;
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
  for (std::size_t i = 0; i < step.size();) {
    const std::size_t applied = beat(step, i, now, tally);
    now = Later(now, gap * static_cast<Duration::rep>(applied));
    i += applied;
  }
  const double between = ThreadCpuNanoseconds();
  population_.Advance(gap * static_cast<Duration::rep>(step.size()));
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

void Beats::PrepareRefs(absl::Span<const std::uint32_t> step) {
  const auto refs = population_.refs();
  ready_refs_.clear();
  for (const std::uint32_t index : step) ready_refs_.push_back(refs[index]);
}

void Beats::WarmUp() {
  const Signal signal = UsualHeartbeat();
  const auto refs = population_.refs();
  Tally tally;
  for (std::size_t round = 0; round < 2 * BeatOrder::kStepsPerPass; ++round) {
    Step(
        order_.Next(),
        [&](const auto& step, std::size_t i, const Now& now, Tally&) {
          population_.engine().Apply(refs[step[i]], signal, now);
          return std::size_t{1};
        },
        tally);
  }
}

BeatCost Beats::ByHandle(double seconds) {
  const Signal signal = UsualHeartbeat();
  PresenceEngine& engine = population_.engine();
  return Run(
      seconds, [&](const auto& step) { PrepareRefs(step); },
      [&](const auto&, std::size_t i, const Now& now, Tally& tally) {
        tally.unusual += Unusual(engine.Apply(ready_refs_[i], signal, now));
        return std::size_t{1};
      });
}

BeatCost Beats::ByFarHandle(double seconds) {
  const Signal signal = UsualHeartbeat();
  PresenceEngine& engine = population_.engine();
  const auto refs = population_.refs();
  return Run(
      seconds, [](const auto&) {},
      [&](const auto& step, std::size_t i, const Now& now, Tally& tally) {
        tally.unusual += Unusual(engine.Apply(refs[step[i]], signal, now));
        return std::size_t{1};
      });
}

BeatCost Beats::ByBatch(double seconds) {
  const Signal signal = UsualHeartbeat();
  PresenceEngine& engine = population_.engine();
  return Run(
      seconds, [&](const auto& step) { PrepareRefs(step); },
      [&](const auto& step, std::size_t i, const Now& now, Tally& tally) {
        const std::size_t count = std::min(kBatch, step.size() - i);
        for (std::size_t j = 0; j < count; ++j) {
          batch_[j].ref = ready_refs_[i + j];
          batch_[j].signal = signal;
        }
        engine.ApplyAll(absl::MakeSpan(batch_.data(), count), now);
        for (std::size_t j = 0; j < count; ++j) {
          tally.unusual += Unusual(batch_[j].outcome);
        }
        return count;
      });
}

BeatCost Beats::ById(double seconds) {
  const Signal signal = UsualHeartbeat();
  PresenceEngine& engine = population_.engine();
  const auto sessions = population_.sessions();
  const auto prepare = [&](absl::Span<const std::uint32_t> step) {
    ready_.clear();
    for (const std::uint32_t index : step) ready_.push_back(sessions[index]);
  };
  return Run(seconds, prepare,
             [&](const auto&, std::size_t i, const Now& now, Tally& tally) {
               const OpenSession& session = ready_[i];
               tally.unusual += Unusual(engine.ApplyUnary(
                   session.ids.name(), session.attachment, signal, now));
               return std::size_t{1};
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
