// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/micro/scale.h"

#include <malloc.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "bench/load/json.h"
#include "bench/micro/beats.h"
#include "bench/micro/memory.h"
#include "bench/micro/population.h"

namespace lifesign::bench {
namespace {

constexpr std::size_t kFewestSessions = 10'000;
constexpr int kMostShards = 64;
constexpr int kMostThreads = 2;
// Of a population with its names, and the floor's entries beside it.
constexpr double kBytesPerSession = 450;

double AvailableBytes() {
  std::ifstream meminfo("/proc/meminfo");
  std::string name;
  double kilobytes = 0;
  std::string unit;
  while (meminfo >> name >> kilobytes) {
    std::getline(meminfo, unit);
    if (name == "MemAvailable:") return kilobytes * 1024;
  }
  return 0;
}

void MeasureSessions(std::size_t sessions, const ScaleOptions& options) {
  // Else what the population before gave back would be used for this one.
  malloc_trim(0);
  const double before = ResidentBytes();
  Population population({sessions, 2, options.shards});
  const double names = static_cast<double>(
      sessions * (sizeof(OpenSession) + sizeof(SessionRef)));
  const double bytes = ResidentBytes() - before - names;
  Beats beats(population);
  FloorBeats floor(population, static_cast<std::size_t>(options.shards));
  beats.WarmUp();
  floor.Run(options.seconds);
  const double floor_ns = floor.Run(options.seconds);
  const BeatCost by_handle = beats.ByHandle(options.seconds);
  const BeatCost by_id = beats.ById(options.seconds);
  JsonLine()
      .Add("bench", "\"sessions\"")
      .Add("sessions", sessions)
      .Add("floor_ns", floor_ns)
      .Add("by_handle_ns", by_handle.nanoseconds)
      .Add("by_id_ns", by_id.nanoseconds)
      .Add("tick_per_heartbeat_ns", by_handle.tick_nanoseconds)
      .Add("bytes_per_session_with_ids", bytes / static_cast<double>(sessions))
      .Print();
}

// Each thread beats its own part of the sessions, in random order.
double HeartbeatsPerSecond(Population& population, std::size_t threads,
                           double seconds) {
  PresenceEngine& engine = population.engine();
  const Now now = Later(population.now(), milliseconds(1));
  const auto refs = population.refs();
  const std::size_t part = refs.size() / threads;
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  std::vector<std::uint64_t> beats(threads);
  std::vector<std::thread> running;
  for (std::size_t t = 0; t < threads; ++t) {
    running.emplace_back([&, t] {
      BeatOrder order(part, t);
      const Signal signal = UsualHeartbeat();
      Now at = now;
      while (std::chrono::steady_clock::now() < until) {
        for (const std::uint32_t index : order.Next()) {
          at = Later(at, population.gap());
          engine.Apply(refs[t * part + index], signal, at);
          ++beats[t];
        }
      }
    });
  }
  std::uint64_t sum = 0;
  for (std::size_t t = 0; t < threads; ++t) {
    running[t].join();
    sum += beats[t];
  }
  return static_cast<double>(sum) / seconds;
}

void MeasureShards(int shards, const ScaleOptions& options) {
  for (int threads = 1; threads <= kMostThreads; ++threads) {
    // Anew: time has gone further than its deadlines were told.
    Population population({options.sessions_of_shards, 2, shards});
    const double rate = HeartbeatsPerSecond(
        population, static_cast<std::size_t>(threads), options.seconds);
    JsonLine()
        .Add("bench", "\"shards\"")
        .Add("sessions", options.sessions_of_shards)
        .Add("shards", shards)
        .Add("threads", threads)
        .Add("heartbeats_per_second", rate)
        .Print();
  }
}

}  // namespace

int RunScale(const ScaleOptions& options) {
  for (std::size_t sessions = kFewestSessions;
       sessions <= options.most_sessions; sessions *= 10) {
    if (static_cast<double>(sessions) * kBytesPerSession > AvailableBytes()) {
      std::fprintf(stderr, "%zu sessions do not fit\n", sessions);
      break;
    }
    MeasureSessions(sessions, options);
  }
  for (int shards = 1; shards <= kMostShards; shards *= 2) {
    MeasureShards(shards, options);
  }
  return 0;
}

}  // namespace lifesign::bench
