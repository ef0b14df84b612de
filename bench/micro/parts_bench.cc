// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The parts that a signal passes through, one by one.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bench/micro/session_ids.h"
#include "lifesign/v1/presence_service.pb.h"
#include "server/base/timing_wheel.h"
#include "server/core/derive/derive_state.h"
#include "server/core/reduce/reduce_user.h"
#include "server/core/watch/mailbox.h"
#include "server/transport/codec/bytes.h"
#include "server/transport/codec/decode.h"
#include "server/transport/codec/encode.h"

namespace lifesign::bench {
namespace {

constexpr std::uint64_t kSeed = 7;
constexpr std::int64_t kMicrosPerSecond = 1'000'000;

// Timers in a wheel, each filed anew 10 to 20 s ahead when it is due, while
// time goes by in ticks.
void WheelFileAndPop(benchmark::State& state) {
  constexpr std::int64_t kTick = kMicrosPerSecond / 10;
  TimingWheel wheel(0);
  std::vector<TimingWheel::Timer> timers(
      static_cast<std::size_t>(state.range(0)));
  std::mt19937_64 random(kSeed);
  std::uniform_int_distribution<std::int64_t> ahead(10 * kMicrosPerSecond,
                                                    20 * kMicrosPerSecond);
  for (auto& timer : timers) wheel.File(timer, ahead(random));
  std::int64_t now = 0;
  std::int64_t popped = 0;
  for (auto _ : state) {
    now += kTick;
    int budget = static_cast<int>(timers.size()) * 2;
    while (TimingWheel::Timer* timer = wheel.PopDue(now, budget)) {
      wheel.File(*timer, now + ahead(random));
      ++popped;
    }
  }
  state.SetItemsProcessed(popped);
}
BENCHMARK(WheelFileAndPop)->Arg(1'000)->Arg(100'000);

// A session's state, from its last signal `range` seconds ago.
void DeriveSession(benchmark::State& state) {
  const Policy policy;
  const PresenceTime now(hours(24));
  const PresenceTime heard = now - seconds(state.range(0));
  SessionTimes times{heard, heard};
  for (auto _ : state) {
    benchmark::DoNotOptimize(times);
    benchmark::DoNotOptimize(
        Derive(times, policy.defaults, policy.downgrade_debounce, now));
  }
}
BENCHMARK(DeriveSession)->Arg(0)->Arg(30)->Arg(200);

// A user of so many sessions, unchanged.
void ReduceUser(benchmark::State& state) {
  Aggregate told;
  told.Add(DeviceClass::kWeb, State::kActive);
  for (auto _ : state) {
    Aggregate actual;
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      DeviceClass device = DeviceClass::kWeb;
      benchmark::DoNotOptimize(device);
      actual.Add(device, State::kActive);
    }
    benchmark::DoNotOptimize(CauseOfChange(told, actual, actual));
  }
}
BENCHMARK(ReduceUser)->Arg(1)->Arg(2)->Arg(64);

// A message of so many heartbeats, parsed and validated.
void DecodeHeartbeats(benchmark::State& state) {
  v1::HeartbeatRequest message;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    v1::Signal& signal = *message.add_signals();
    signal.set_handle(static_cast<std::uint32_t>(i + 1));
    signal.set_kind(v1::SIGNAL_KIND_ACTIVE);
  }
  const grpc::ByteBuffer bytes = SerializeToBytes(message);
  for (auto _ : state) {
    ScratchArena arena;
    auto& parsed = arena.Create<v1::HeartbeatRequest>();
    if (!ParseMessage(bytes, parsed)) state.SkipWithError("does not parse");
    for (int i = 0; i < parsed.signals_size(); ++i) {
      Signal signal;
      benchmark::DoNotOptimize(
          DecodeSignal(parsed.signals(i), {"signals", i}, signal));
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(DecodeHeartbeats)->Arg(1)->Arg(128);

Change ChangeOf(std::uint64_t user, Revision revision) {
  const auto id = IdOf<kUserIdBytes>(user);
  Change change;
  change.after.user.assign(id.data(), id.size());
  change.after.state = State::kActive;
  change.after.revision = revision;
  change.after.known = true;
  change.after.since = change.after.last_seen = WallTime(hours(24));
  change.before = State::kIdle;
  return change;
}

// A change into the bytes that its watchers share.
void EncodeOneChange(benchmark::State& state) {
  const Change change = ChangeOf(1, 1);
  for (auto _ : state) {
    benchmark::DoNotOptimize(EncodeChange(change, Detail::kState));
  }
}
BENCHMARK(EncodeOneChange);

// Changes of so many users, put and taken.
void MailboxPutAndTake(benchmark::State& state) {
  const auto users = static_cast<std::size_t>(state.range(0));
  std::vector<PublishedChangePtr> changes;
  for (std::size_t i = 0; i < users; ++i) {
    changes.push_back(std::make_shared<PublishedChange>(
        PublishedChange{ChangeOf(i, i + 1), {}}));
  }
  Mailbox mailbox{WatchTerms()};
  for (auto _ : state) {
    for (const PublishedChangePtr& change : changes) mailbox.Put(change);
    benchmark::DoNotOptimize(mailbox.Take(users));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(MailboxPutAndTake)->Arg(1)->Arg(1'000);

}  // namespace
}  // namespace lifesign::bench

BENCHMARK_MAIN();
