// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/load/transitions.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "bench/load/fail.h"
#include "bench/load/fleet.h"
#include "bench/load/json.h"
#include "bench/load/pacer.h"
#include "bench/load/process_meter.h"
#include "bench/load/wait.h"
#include "bench/load/watchers.h"

namespace lifesign::bench {
namespace {

constexpr auto kBetweenFirstChanges = std::chrono::milliseconds(100);

// Streams of those who beat and, on the same connections, of those who flip.
class Crowd {
 public:
  explicit Crowd(const TransitionsOptions& options) : options_(options) {
    const auto channels = MakeChannels(options.target, options.streams);
    const int flippers = options.streams * options.flipping;
    for (int i = 0; i < options.streams; ++i) {
      const auto& channel = channels[static_cast<std::size_t>(i)];
      flipping_.push_back(std::make_unique<SessionStream>(
          channel, i * options.flipping, options.flipping));
      beating_.push_back(std::make_unique<SessionStream>(
          channel, flippers + i * options.beating, options.beating));
    }
  }

  bool all_opened() const {
    const auto opened = [](const auto& stream) { return stream->all_opened(); };
    return std::all_of(beating_.begin(), beating_.end(), opened) &&
           std::all_of(flipping_.begin(), flipping_.end(), opened);
  }
  bool AnyEnded() {
    const auto ended = [](const auto& stream) { return stream->ended(); };
    return std::any_of(beating_.begin(), beating_.end(), ended) ||
           std::any_of(flipping_.begin(), flipping_.end(), ended);
  }

  void Beat() {
    beating_[next_beat_]->BeatNext();
    next_beat_ = (next_beat_ + 1) % beating_.size();
  }
  void Flip(Watchers& watchers, SteadyTime intended) {
    const int user = next_flip_;
    next_flip_ = (next_flip_ + 1) % (options_.streams * options_.flipping);
    watchers.Expect(user, intended);
    flipping_[static_cast<std::size_t>(user / options_.flipping)]->Flip(user);
  }

 private:
  const TransitionsOptions& options_;
  std::vector<std::unique_ptr<SessionStream>> beating_;
  std::vector<std::unique_ptr<SessionStream>> flipping_;
  std::size_t next_beat_ = 0;
  int next_flip_ = 0;
};

}  // namespace

int RunTransitions(const TransitionsOptions& options) {
  Crowd crowd(options);
  if (!options.floor && !WaitUntil([&] { return crowd.all_opened(); })) {
    return Fail("the sessions did not open");
  }
  WatchersOptions watching;
  watching.target = options.target;
  watching.users = options.streams * options.flipping;
  watching.floor = options.floor;
  watching.relayed = options.floor;
  Watchers watchers(watching);
  if (!watchers.AwaitSynced()) return Fail("the watch has no snapshot");
  const bool told = WaitUntil([&] {
    crowd.Flip(watchers, SteadyNow());
    std::this_thread::sleep_for(kBetweenFirstChanges);
    return watchers.AllTold();
  });
  if (!told) return Fail("the watch is told of no change");

  std::int64_t flips = 0;
  const auto run = [&](double for_seconds) {
    const auto messages =
        static_cast<std::int64_t>(for_seconds * options.rate + 0.5);
    Pacer pacer(options.rate, SteadyNow());
    for (std::int64_t i = 0; i < messages; ++i) {
      const SteadyTime intended = pacer.Next();
      if (i % options.messages_per_flip == 0) {
        crowd.Flip(watchers, intended);
        ++flips;
      } else {
        crowd.Beat();
      }
    }
    return messages;
  };
  std::int64_t before = watchers.changes();
  run(options.warmup_seconds);
  if (!WaitUntil([&] { return watchers.changes() >= before + flips; })) {
    return Fail("the watch misses changes");
  }

  watchers.ResetLatency();
  before = watchers.changes();
  flips = 0;
  const ProcessMeter server(options.server_pid);
  const std::int64_t cpu_before = server.CpuNanoseconds();
  const SteadyTime start = SteadyNow();
  const std::int64_t messages = run(options.seconds);
  const double seconds =
      std::chrono::duration<double>(SteadyNow() - start).count();
  const bool complete =
      WaitUntil([&] { return watchers.changes() >= before + flips; });
  const std::int64_t cpu = server.CpuNanoseconds() - cpu_before;
  if (!complete || crowd.AnyEnded() || watchers.AnyEnded()) {
    return Fail("not every change was told");
  }
  const auto latency = watchers.Latency();
  JsonLine()
      .Add("messages", messages)
      .Add("changes", flips)
      .Add("seconds", seconds)
      .Add("server_cpu_ns", cpu)
      .Add("told_p50_ns", latency->Percentile(0.5))
      .Add("told_p99_ns", latency->Percentile(0.99))
      .Add("told_p999_ns", latency->Percentile(0.999))
      .Print();
  return 0;
}

}  // namespace lifesign::bench
