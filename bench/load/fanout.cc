// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/load/fanout.h"

#include <chrono>
#include <cstdint>
#include <thread>

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
constexpr int kWarmUpSeconds = 1;

}  // namespace

int RunFanout(const FanoutOptions& options) {
  const auto channels = MakeChannels(options.target, 1);
  SessionStream driver(channels[0], 0, options.users);
  if (!options.floor && !WaitUntil([&] { return driver.all_opened(); })) {
    return Fail("the sessions did not open");
  }
  WatchersOptions watching;
  watching.target = options.target;
  watching.connections = options.connections;
  watching.watchers = options.watchers;
  watching.users = options.users;
  watching.batching_delay_seconds = options.batching_delay_seconds;
  watching.floor = options.floor;
  Watchers watchers(watching);
  if (!watchers.AwaitSynced()) return Fail("not every watch has its snapshot");

  // A floor says nothing when a watch begins: changes until each heard one.
  int user = 0;
  const auto change = [&](SteadyTime intended) {
    watchers.Expect(user, intended);
    driver.Flip(user);
    user = (user + 1) % options.users;
  };
  const bool all = WaitUntil([&] {
    change(SteadyNow());
    std::this_thread::sleep_for(kBetweenFirstChanges);
    return watchers.AllTold();
  });
  if (!all) return Fail("not every watch is told of changes");
  Pacer warming(options.changes_per_second, SteadyNow());
  for (int i = 0; i < kWarmUpSeconds * options.changes_per_second; ++i) {
    change(warming.Next());
  }
  const auto settled = [&] {
    std::int64_t before = -1;
    return WaitUntil([&] {
      const std::int64_t now = watchers.changes();
      const bool same = now == before;
      before = now;
      std::this_thread::sleep_for(3 * kQuietAfter);
      return same;
    });
  };
  if (!settled()) return Fail("the first changes never end");
  watchers.ResetLatency();

  const ProcessMeter server(options.server_pid);
  const std::int64_t told_before = watchers.changes();
  const std::int64_t messages_before = watchers.messages();
  const auto changes = static_cast<std::int64_t>(
      options.seconds * options.changes_per_second + 0.5);
  const std::int64_t cpu_before = server.CpuNanoseconds();
  const SteadyTime start = SteadyNow();
  Pacer pacer(options.changes_per_second, start);
  for (std::int64_t i = 0; i < changes; ++i) change(pacer.Next());
  const double seconds =
      std::chrono::duration<double>(SteadyNow() - start).count();
  const std::int64_t expected = told_before + changes * options.watchers;
  const bool complete =
      WaitUntil([&] { return watchers.changes() >= expected; });
  std::this_thread::sleep_for(kQuietAfter);
  const std::int64_t cpu = server.CpuNanoseconds() - cpu_before;
  if (!complete || watchers.AnyEnded()) {
    return Fail("not every change reached every watch");
  }
  const auto latency = watchers.Latency();
  JsonLine()
      .Add("changes", changes)
      .Add("delivered", watchers.changes() - told_before)
      .Add("messages", watchers.messages() - messages_before)
      .Add("seconds", seconds)
      .Add("server_cpu_ns", cpu)
      .Add("told_p50_ns", latency->Percentile(0.5))
      .Add("told_p99_ns", latency->Percentile(0.99))
      .Print();
  return 0;
}

}  // namespace lifesign::bench
