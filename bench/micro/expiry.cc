// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/micro/expiry.h"

#include <sys/prctl.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <random>
#include <thread>
#include <vector>

#include "bench/load/histogram.h"
#include "bench/load/json.h"
#include "bench/micro/population.h"
#include "bench/micro/session_ids.h"
#include "server/base/clock.h"
#include "server/base/limits.h"
#include "server/transport/publisher.h"
#include "server/transport/ticker.h"
#include "server/transport/time_source.h"

namespace lifesign::bench {
namespace {

// Waits end when they should, not 50 µs later.
constexpr unsigned long kTimerSlackNanoseconds = 1;
constexpr std::size_t kBeating = 20'000;
constexpr std::int64_t kLeastGapMicros = 50;
constexpr std::int64_t kMostGapMicros = 100;
constexpr std::uint64_t kSeed = 5;
// Of their lives, those who expire are last heard of at the start.
constexpr Duration kCalmFrom = seconds(12);
constexpr Duration kCalmUntil = seconds(19);
constexpr Duration kExpireAt = seconds(20);
constexpr Duration kAtMost = seconds(120);
constexpr double kTail = 0.999;
constexpr double kNanosecondsPerMillisecond = 1e6;

// Bots fall through all states early and expire together; others live by the
// shipped policy.
Policy ExpiringBots() {
  Policy policy;
  PolicyRow bots;
  bots.active_interval = seconds(1);
  bots.idle_interval = seconds(1);
  bots.background_interval = seconds(1);
  bots.active_window = seconds(3);
  bots.idle_window = seconds(4);
  bots.away_window = seconds(5);
  bots.ttl = kExpireAt;
  policy.by_device[static_cast<std::size_t>(DeviceClass::kBot)] = bots;
  return policy;
}

// A server's core, its ticker and its publisher.
class Server {
 public:
  explicit Server(int shards)
      : time_(clock_),
        start_(time_.Read()),
        engine_(Options(shards), start_),
        publisher_(engine_, time_) {
    publisher_.Start();
  }

  PresenceEngine& engine() { return engine_; }
  const Now& start() const { return start_; }
  RealTime RealNow() const { return clock_.RealNow(); }
  Now Read() const { return time_.Read(); }
  void Tick() {
    if (time_.Tick()) engine_.Tick(time_.Read());
    publisher_.Poke();
  }
  const Clock& clock() const { return clock_; }

 private:
  PresenceEngine::Options Options(int shards) {
    PresenceEngine::Options options;
    options.policy = ExpiringBots();
    options.shards = shards;
    options.on_changes = [this] { publisher_.Poke(); };
    return options;
  }

  SystemClock clock_;
  TimeSource time_;
  const Now start_;
  PresenceEngine engine_;
  Publisher publisher_;
};

// Sessions from number `first` on, heard of at the server's start.
std::vector<SessionRef> OpenAll(Server& server, std::size_t first,
                                std::size_t count, DeviceClass device) {
  constexpr std::size_t kSessionsPerUser = 2;
  std::vector<SessionRef> refs;
  refs.reserve(count);
  for (std::size_t i = first; i < first + count; ++i) {
    const SessionIds ids = IdsOf(i, kSessionsPerUser);
    OpenRequest request;
    request.name = ids.name();
    request.binding = {i + 1, 1};
    request.device = device;
    request.signal = UsualHeartbeat();
    refs.push_back(server.engine().Open(request, server.start()).ref);
  }
  return refs;
}

struct Waits {
  Histogram before;
  Histogram during;
  Duration expired_after{0};
};

// Beats on a schedule that does not wait for what is late.
Waits Beat(Server& server, const std::vector<SessionRef>& refs) {
  Waits waits;
  std::mt19937_64 random(kSeed);
  std::uniform_int_distribution<std::int64_t> gap(kLeastGapMicros,
                                                  kMostGapMicros);
  std::uniform_int_distribution<std::size_t> who(0, refs.size() - 1);
  const Signal signal = UsualHeartbeat();
  const RealTime start = server.start().real;
  RealTime intended = server.RealNow();
  while (true) {
    intended += Duration(gap(random));
    RealTime now = server.RealNow();
    if (now < intended) {
      std::this_thread::sleep_for(intended - now);
    }
    server.engine().Apply(refs[who(random)], signal, server.Read());
    now = server.RealNow();
    const auto waited = std::chrono::nanoseconds(now - intended).count();
    const Duration age = intended - start;
    if (age >= kCalmFrom && age < kCalmUntil) waits.before.Record(waited);
    if (age < kExpireAt) continue;
    waits.during.Record(waited);
    waits.expired_after = now - start - kExpireAt;
    const bool all_gone =
        server.engine().sessions() == static_cast<std::int64_t>(refs.size());
    if (all_gone || waits.expired_after > kAtMost) return waits;
  }
}

double TailMilliseconds(const Histogram& histogram) {
  return static_cast<double>(histogram.Percentile(kTail)) /
         kNanosecondsPerMillisecond;
}

}  // namespace

int RunExpiry(const ExpiryOptions& options) {
  if (!ValidatePolicy(ExpiringBots()).empty()) {
    std::fprintf(stderr, "the policy of the bots is not valid\n");
    return 1;
  }
  prctl(PR_SET_TIMERSLACK, kTimerSlackNanoseconds);
  Server server(options.shards);
  OpenAll(server, 0, options.sessions, DeviceClass::kBot);
  const std::vector<SessionRef> refs =
      OpenAll(server, options.sessions, kBeating, DeviceClass::kWeb);
  const Ticker ticker(server.clock(), limits::kDefaultTick,
                      [&server] { server.Tick(); });
  const Waits waits = Beat(server, refs);
  const double before = TailMilliseconds(waits.before);
  const double during = TailMilliseconds(waits.during);
  JsonLine()
      .Add("bench", "\"expiry\"")
      .Add("sessions", options.sessions)
      .Add("before_p999_ms", before)
      .Add("during_p999_ms", during)
      .Add("stall_p999_ms", std::max(during - before, 0.0))
      .Add("during_max_ms",
           static_cast<double>(waits.during.max()) / kNanosecondsPerMillisecond)
      .Add("heartbeats_during", waits.during.count())
      .Add("expire_seconds",
           std::chrono::duration<double>(waits.expired_after).count())
      .Print();
  return waits.expired_after > kAtMost ? 1 : 0;
}

}  // namespace lifesign::bench
