// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/micro/crowded_room.h"

#include <sys/prctl.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/load/histogram.h"
#include "bench/load/json.h"
#include "bench/micro/population.h"
#include "bench/micro/session_ids.h"
#include "server/base/clock.h"
#include "server/base/limits.h"
#include "server/core/presence_engine.h"
#include "server/transport/publisher.h"
#include "server/transport/ticker.h"
#include "server/transport/time_source.h"

namespace lifesign::bench {
namespace {

constexpr unsigned long kTimerSlackNanoseconds = 1;
constexpr std::size_t kBeating = 20'000;
constexpr Duration kBeatGap = microseconds(500);
constexpr Duration kChangeGap = milliseconds(5);
constexpr double kNanosecondsPerMicrosecond = 1e3;
const char kRoom[] = "stadium";
const char kChanging[] = "other";

enum class Crowd { kNone, kInNoRoom, kInOneRoom };

const char* NameOf(Crowd crowd) {
  switch (crowd) {
    case Crowd::kNone:
      return "\"nobody comes\"";
    case Crowd::kInNoRoom:
      return "\"a crowd, in no room\"";
    case Crowd::kInOneRoom:
      return "\"a crowd, in one room\"";
  }
  return "";
}

// A server's core, its ticker and its publisher.
class Server {
 public:
  explicit Server(int shards)
      : time_(clock_),
        engine_(Options(shards), time_.Read()),
        publisher_(engine_, time_),
        ticker_(clock_, limits::kDefaultTick, [this] { Tick(); }) {
    publisher_.Start();
  }

  PresenceEngine& engine() { return engine_; }
  RealTime RealNow() const { return clock_.RealNow(); }
  Now Read() const { return time_.Read(); }

  SessionRef Open(const SessionName& name, std::uint64_t stream, bool in_room) {
    const std::vector<absl::string_view> rooms = {kRoom};
    OpenRequest request;
    request.name = name;
    request.binding = {stream, 1};
    request.signal = UsualHeartbeat();
    if (in_room) request.rooms = &rooms;
    return engine_.Open(request, Read()).ref;
  }
  void Leave(const SessionRef& ref) {
    Signal leave;
    leave.kind = SignalKind::kLeave;
    engine_.Apply(ref, leave, Read());
  }

 private:
  PresenceEngine::Options Options(int shards) {
    PresenceEngine::Options options;
    options.shards = shards;
    options.on_changes = [this] { publisher_.Poke(); };
    return options;
  }
  void Tick() {
    if (time_.Tick()) engine_.Tick(time_.Read());
    publisher_.Poke();
  }

  SystemClock clock_;
  TimeSource time_;
  PresenceEngine engine_;
  Publisher publisher_;
  Ticker ticker_;
};

// Takes what it is told at once.
class Taker : public WatchListener {
 public:
  explicit Taker(const Clock& clock) : clock_(clock) {}

  void Take(std::shared_ptr<Watch> watch) { watch_ = std::move(watch); }
  void OnMail() override {
    const std::shared_ptr<Watch> watch = watch_;
    watch->Take(1);
    told_at_.store(clock_.RealNow().time_since_epoch().count(),
                   std::memory_order_release);
    told_.fetch_add(1, std::memory_order_release);
  }
  std::uint64_t told() const { return told_.load(std::memory_order_acquire); }
  RealTime told_at() const {
    return RealTime(Duration(told_at_.load(std::memory_order_acquire)));
  }

 private:
  const Clock& clock_;
  std::shared_ptr<Watch> watch_;
  std::atomic<Duration::rep> told_at_{0};
  std::atomic<std::uint64_t> told_{0};
};

void SleepUntil(const Server& server, RealTime at) {
  const RealTime now = server.RealNow();
  if (now < at) std::this_thread::sleep_for(at - now);
}

// Comes in the first half and leaves in the second, on a schedule that does not
// wait for what is late.
void Come(Server& server, const CrowdedRoomOptions& options, bool in_room) {
  const RealTime start = server.RealNow();
  const Duration half = Duration(seconds(options.seconds)) / 2;
  const auto gap = half / static_cast<Duration::rep>(options.crowd);
  std::vector<SessionRef> refs(options.crowd);
  for (std::size_t i = 0; i < options.crowd; ++i) {
    SleepUntil(server, start + gap * static_cast<Duration::rep>(i));
    refs[i] = server.Open(IdsOf(kBeating + i, 1).name(), kBeating + i, in_room);
  }
  for (std::size_t i = 0; i < options.crowd; ++i) {
    SleepUntil(server, start + half + gap * static_cast<Duration::rep>(i));
    server.Leave(refs[i]);
  }
}

// How late heartbeats are applied.
Histogram Beat(Server& server, const std::vector<SessionRef>& refs,
               RealTime until) {
  Histogram late;
  RealTime intended = server.RealNow();
  for (std::size_t i = 0; intended < until; ++i) {
    intended += kBeatGap;
    SleepUntil(server, intended);
    server.engine().Apply(refs[i % refs.size()], UsualHeartbeat(),
                          server.Read());
    late.Record(std::chrono::nanoseconds(server.RealNow() - intended).count());
  }
  return late;
}

// How long a change is on its way to its watcher.
Histogram Change(Server& server, const Taker& taker, RealTime until) {
  Histogram on_its_way;
  while (server.RealNow() < until) {
    const std::uint64_t told = taker.told();
    const RealTime before = server.RealNow();
    const SessionRef ref = server.Open({kChanging, "tab"}, 1, false);
    while (taker.told() == told && server.RealNow() < until) {
      std::this_thread::yield();
    }
    if (taker.told() != told) {
      on_its_way.Record(
          std::chrono::nanoseconds(taker.told_at() - before).count());
    }
    SleepUntil(server, before + kChangeGap);
    server.Leave(ref);
    SleepUntil(server, before + 2 * kChangeGap);
  }
  return on_its_way;
}

double Microseconds(const Histogram& histogram, double share) {
  return static_cast<double>(histogram.Percentile(share)) /
         kNanosecondsPerMicrosecond;
}

void Measure(const CrowdedRoomOptions& options, Crowd crowd) {
  const SystemClock clock;
  // They outlive the server, which wakes them.
  const auto taker = std::make_shared<Taker>(clock);
  std::vector<std::shared_ptr<Taker>> crowd_watchers;
  Server server(options.shards);
  const auto watch = std::make_shared<Watch>(taker);
  taker->Take(watch);
  server.engine().CopyAndRegister(watch, std::vector<std::string>{kChanging},
                                  server.Read());
  for (int i = 0; i < options.watchers; ++i) {
    crowd_watchers.push_back(std::make_shared<Taker>(clock));
    const auto of_room = std::make_shared<Watch>(crowd_watchers.back());
    crowd_watchers.back()->Take(of_room);
    server.engine().WatchOccupancy(of_room, kRoom, server.Read());
  }
  std::vector<SessionRef> refs;
  for (std::size_t i = 0; i < kBeating; ++i) {
    refs.push_back(server.Open(IdsOf(i, 1).name(), i + 1, false));
  }

  const RealTime until = server.RealNow() + seconds(options.seconds);
  Histogram on_its_way;
  std::thread changing([&] { on_its_way = Change(server, *taker, until); });
  std::thread coming([&] {
    if (crowd == Crowd::kNone) return;
    Come(server, options, crowd == Crowd::kInOneRoom);
  });
  const Histogram late = Beat(server, refs, until);
  changing.join();
  coming.join();
  const Occupancy after = server.engine().GetOccupancy(kRoom, server.Read());
  std::uint64_t told = 0;
  for (const auto& one : crowd_watchers) told += one->told();
  JsonLine()
      .Add("bench", "\"crowded_room\"")
      .Add("with", NameOf(crowd))
      .Add("heartbeat_p50_us", Microseconds(late, 0.5))
      .Add("heartbeat_p99_us", Microseconds(late, 0.99))
      .Add("heartbeat_p999_us", Microseconds(late, 0.999))
      .Add("change_p50_us", Microseconds(on_its_way, 0.5))
      .Add("change_p99_us", Microseconds(on_its_way, 0.99))
      .Add("change_p999_us", Microseconds(on_its_way, 0.999))
      .Add("changes", on_its_way.count())
      .Add("most_in_room", after.lately[0].peak)
      .Add("told_per_watcher",
           static_cast<double>(told) / std::max(options.watchers, 1))
      .Print();
}

}  // namespace

int RunCrowdedRoom(const CrowdedRoomOptions& options) {
  prctl(PR_SET_TIMERSLACK, kTimerSlackNanoseconds);
  for (const Crowd crowd :
       {Crowd::kNone, Crowd::kInNoRoom, Crowd::kInOneRoom}) {
    Measure(options, crowd);
  }
  return 0;
}

}  // namespace lifesign::bench
