// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Runs one hot path of the core so many times, the same way each time, for
// callgrind to count its instructions (bench/micro/count_instructions): what
// MeasuredOnce does is counted, what comes between is not.
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "bench/micro/beat_order.h"
#include "bench/micro/population.h"
#include "server/core/watch/watch.h"

namespace lifesign::bench {

// Found by its name: not to be inlined, nor to be told from others like it.
[[gnu::noinline]] void MeasuredOnce(const std::function<void()>& path);
void MeasuredOnce(const std::function<void()>& path) { path(); }

namespace {

constexpr std::size_t kSessions = 2'000;
constexpr std::uint64_t kSeed = 3;
const std::shared_ptr<const void> kWire = std::make_shared<int>(0);

std::shared_ptr<const void> EncodeAlike(const Change&, Detail) { return kWire; }

void Check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "hot_paths: %s\n", what);
  std::exit(1);
}

// Calls beat(session number) for each heartbeat that falls to clients who beat
// once an interval, and ticks every 100 ms.
template <typename Beat>
void BeatAsClientsDo(Population& population, BeatOrder& order, int times,
                     const Beat& beat) {
  while (true) {
    for (const std::uint32_t index : order.Next()) {
      if (times-- == 0) return;
      population.Advance(population.gap());
      beat(index);
    }
    population.Tick();
  }
}

template <typename Beat>
void UsualHeartbeats(int times, const Beat& beat) {
  Population population({kSessions});
  BeatOrder order(kSessions, kSeed);
  // Until deadlines lie where they do after a while.
  BeatAsClientsDo(population, order, 2 * static_cast<int>(kSessions),
                  [&](std::uint32_t index) { beat(population, index); });
  BeatAsClientsDo(population, order, times, [&](std::uint32_t index) {
    MeasuredOnce([&] { beat(population, index); });
  });
}

// A usual heartbeat to a session that its stream holds.
void HeartbeatByHandle(int times) {
  const Signal signal = UsualHeartbeat();
  UsualHeartbeats(times, [&](Population& population, std::uint32_t index) {
    population.engine().Apply(population.refs()[index], signal,
                              population.now());
  });
}

// The same to a session that is named by its ids.
void HeartbeatById(int times) {
  const Signal signal = UsualHeartbeat();
  UsualHeartbeats(times, [&](Population& population, std::uint32_t index) {
    const OpenSession& session = population.sessions()[index];
    population.engine().ApplyUnary(session.ids.name(), session.attachment,
                                   signal, population.now());
  });
}

// A signal that makes its user ACTIVE, and the publishing of that to one watch.
void ChangeToOneWatch(int times) {
  Population population({kSessions, 1});
  PresenceEngine& engine = population.engine();
  const OpenSession& session = population.sessions()[0];
  const SessionRef ref = population.refs()[0];
  const auto watch = std::make_shared<Watch>(std::weak_ptr<WatchListener>());
  const std::string users[] = {std::string(session.ids.name().user)};
  engine.CopyAndRegister(watch, users, population.now());
  Signal background;
  background.kind = SignalKind::kBackground;
  for (int i = 0; i < times; ++i) {
    engine.Apply(ref, background, population.now());
    // Longer than the debounce, shorter than an interval.
    population.Advance(seconds(3));
    population.Tick();
    watch->Take(kSessions);
    MeasuredOnce([&] {
      engine.Apply(ref, UsualHeartbeat(), population.now());
      engine.Publish(population.now(), EncodeAlike);
    });
    Check(watch->HasMail(), "a change did not reach its watch");
  }
}

// Ticks `step` apart, from `from` after the last open on.
void Ticks(int times, Duration from, Duration step, int deadlines_each) {
  Population population({kSessions, 1});
  population.Advance(from);
  population.Tick();
  int deadlines = 0;
  for (int i = 0; i < times; ++i) {
    population.Advance(step);
    MeasuredOnce([&] {
      deadlines += population.engine().Tick(population.now()).deadlines;
    });
    population.engine().Publish(population.now(), EncodeAlike);
  }
  Check(deadlines == deadlines_each * times, "not as many deadlines as meant");
}

// No deadline comes in the 5 s after the last open: see Population.
void TickWithNothingDue(int times) {
  Ticks(times, Duration(0), milliseconds(1), 0);
}

// After that they come one by one, as the opens did: users fall IDLE.
void TickWithOneDeadline(int times) {
  const PolicyRow row = Policy().defaults;
  const Duration gap = row.active_interval / static_cast<int>(kSessions);
  Ticks(times, row.active_window - row.active_interval + gap / 2, gap, 1);
}

const std::map<std::string, void (*)(int)> kPaths = {
    {"heartbeat_by_handle", HeartbeatByHandle},
    {"heartbeat_by_id", HeartbeatById},
    {"change_to_one_watch", ChangeToOneWatch},
    {"tick_nothing_due", TickWithNothingDue},
    {"tick_one_deadline", TickWithOneDeadline},
};

}  // namespace
}  // namespace lifesign::bench

int main(int argc, char** argv) {
  using lifesign::bench::kPaths;
  const auto path = argc == 3 ? kPaths.find(argv[1]) : kPaths.end();
  const int times = argc == 3 ? std::atoi(argv[2]) : 0;
  if (path == kPaths.end() || times <= 0) {
    std::fprintf(stderr, "usage: hot_paths PATH TIMES\nPATH is one of:\n");
    for (const auto& [name, run] : kPaths) {
      std::fprintf(stderr, "  %s\n", name.c_str());
    }
    return 2;
  }
  path->second(times);
  return 0;
}
