// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/peers/load/jobs.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <vector>

#include "absl/strings/str_cat.h"

namespace lifesign::bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kPatience = seconds(60);
constexpr auto kWarmUp = seconds(1);
constexpr auto kSettle = seconds(1);
constexpr auto kStorm = seconds(5);
constexpr auto kRestProbe = milliseconds(500);
constexpr int64_t kRestNanoseconds = 25'000'000;  // 5 % of a core
constexpr auto kBetweenChanges = milliseconds(10);
constexpr auto kBetweenSteps = milliseconds(10);
constexpr int kLoginsAtOnce = 100;
constexpr int kScriptedBeats = 10;

int64_t Nanoseconds(Clock::duration duration) {
  return std::chrono::nanoseconds(duration).count();
}

template <typename Condition>
void Await(Peer& peer, const char* what, const Condition& condition) {
  const Clock::time_point deadline = Clock::now() + kPatience;
  while (!condition()) {
    if (Clock::now() > deadline) Fail(absl::StrCat("waited for ", what));
    peer.Poll();
  }
}

void AddWatchers(Peer& peer, int count) {
  for (int watcher = 0; watcher < count; ++watcher) {
    peer.AddWatcher();
    Await(peer, "watchers",
          [&] { return peer.watchers_ready() > watcher - kLoginsAtOnce; });
  }
  Await(peer, "watchers", [&] { return peer.watchers_ready() == count; });
}

void LoginAll(Peer& peer) {
  const int sessions = peer.layout().sessions;
  for (int session = 0; session < sessions; ++session) {
    peer.Login(session);
    Await(peer, "logins",
          [&] { return peer.sessions_ready() > session - kLoginsAtOnce; });
  }
  Await(peer, "logins", [&] { return peer.sessions_ready() == sessions; });
}

// Heartbeats at a fixed rate, whatever the server makes of them, spread evenly
// over the connections. What is due within a millisecond is sent together.
class Beats {
 public:
  Beats(Peer& peer, const Load& load) : peer_(peer), load_(load) {
    std::vector<std::vector<int>> blocks;  // sessions by connection
    for (int session = 0; session < peer.layout().sessions - kPeople;
         ++session) {
      const auto connection = static_cast<size_t>(peer.ConnectionOf(session));
      blocks.resize(std::max(blocks.size(), connection + 1));
      blocks[connection].push_back(session);
    }
    const auto batch = static_cast<size_t>(load.batch);
    for (size_t first = 0; first < blocks.front().size(); first += batch) {
      for (const std::vector<int>& block : blocks) {
        batches_.emplace_back();
        for (size_t i = 0; i < batch; ++i) {
          batches_.back().push_back(block[(first + i) % block.size()]);
        }
      }
    }
  }

  // Sends what is due and polls, until `end`.
  template <typename AlsoDo>
  void RunUntil(Clock::time_point end, const AlsoDo& also_do) {
    for (Clock::time_point now = Clock::now(); now < end; now = Clock::now()) {
      also_do(now);
      const double due =
          std::chrono::duration<double>(now - start_).count() * load_.rate;
      for (; static_cast<double>(sent_) < due; sent_ += load_.batch) {
        peer_.Beat(batches_[next_]);
        next_ = (next_ + 1) % batches_.size();
      }
      peer_.Poll();
    }
  }

  void RunUntil(Clock::time_point end) {
    RunUntil(end, [](Clock::time_point) {});
  }

 private:
  Peer& peer_;
  const Load load_;
  std::vector<std::vector<int>> batches_;
  const Clock::time_point start_ = Clock::now();
  int64_t sent_ = 0;
  size_t next_ = 0;
};

// Changes of the people, one after the other, and when the watcher heard.
class Changes {
 public:
  explicit Changes(Peer& peer)
      : peer_(peer), sent_(kPeople), present_(kPeople, true) {
    peer.set_on_notice([this](int, int session, Told told) {
      const int person = session - FirstPerson();
      if (person < 0) return;
      Clock::time_point& sent = sent_[static_cast<size_t>(person)];
      const bool present = told == Told::kPresent;
      if (sent == Clock::time_point() ||
          present != present_[static_cast<size_t>(person)]) {
        return;
      }
      latencies_.push_back(Nanoseconds(Clock::now() - sent));
      sent = {};
    });
  }
  ~Changes() {
    peer_.set_on_notice([](int, int, Told) {});
  }
  Changes(const Changes&) = delete;
  Changes& operator=(const Changes&) = delete;

  void SendDue(Clock::time_point now) {
    if (now < next_) return;
    next_ = now + kBetweenChanges;
    const size_t person = static_cast<size_t>(changes_++) % kPeople;
    present_[person] = !present_[person];
    sent_[person] = Clock::now();
    peer_.Change(FirstPerson() + static_cast<int>(person), present_[person]);
  }

  std::string Report() {
    std::sort(latencies_.begin(), latencies_.end());
    const auto quantile = [&](double q) {
      if (latencies_.empty()) return int64_t{-1};
      return latencies_[static_cast<size_t>(
          q * static_cast<double>(latencies_.size() - 1))];
    };
    return absl::StrCat("\"changes\":", changes_,
                        ",\"changes_heard\":", latencies_.size(),
                        ",\"transition_p50_ns\":", quantile(0.5),
                        ",\"transition_p99_ns\":", quantile(0.99));
  }

 private:
  int FirstPerson() const { return peer_.layout().sessions - kPeople; }

  Peer& peer_;
  std::vector<Clock::time_point> sent_;
  std::vector<bool> present_;
  std::vector<int64_t> latencies_;
  Clock::time_point next_;
  int changes_ = 0;
};

void RunFor(Peer& peer, Clock::duration duration) {
  const Clock::time_point end = Clock::now() + duration;
  while (Clock::now() < end) peer.Poll();
}

// What logins and the like have set off is done: the server rests.
void AwaitRest(Peer& peer, const ServerProcesses& server) {
  if (peer.server_paces()) return RunFor(peer, kSettle);
  for (int64_t cpu = -1, before = 0; cpu < 0 || cpu > kRestNanoseconds;) {
    before = server.CpuNanoseconds();
    RunFor(peer, kRestProbe);
    cpu = server.CpuNanoseconds() - before;
  }
}

}  // namespace

std::string MeasureBeats(Peer& peer, const ServerProcesses& server,
                         const Load& load) {
  peer.Prepare();
  AddWatchers(peer, load.watchers);
  RunFor(peer, kSettle);
  const int64_t memory_before = server.MemoryBytes();
  const int64_t cpu_idle_before = server.CpuNanoseconds();
  RunFor(peer, kSettle);
  const int64_t cpu_idle = server.CpuNanoseconds() - cpu_idle_before;
  LoginAll(peer);
  AwaitRest(peer, server);
  Beats beats(peer, load);
  beats.RunUntil(Clock::now() + kWarmUp);
  const int64_t memory = server.MemoryBytes() - memory_before;

  const int64_t beats_before = peer.beats();
  const int64_t answers_before = peer.answers();
  const int64_t cpu_before = server.CpuNanoseconds();
  const Clock::time_point start = Clock::now();
  beats.RunUntil(start + seconds(load.seconds));
  const int64_t cpu = server.CpuNanoseconds() - cpu_before;
  const int64_t took = Nanoseconds(Clock::now() - start);
  const int64_t counted = peer.beats() - beats_before;
  const int64_t answered = peer.answers() - answers_before;

  Changes changes(peer);
  beats.RunUntil(Clock::now() + seconds(std::max(load.seconds / 3, 2)),
                 [&](Clock::time_point now) { changes.SendDue(now); });
  RunFor(peer, kSettle);
  return absl::StrCat(
      "\"heartbeats\":", counted, ",\"answers\":", answered,
      ",\"window_ns\":", took, ",\"cpu_ns\":", cpu,
      ",\"idle_cpu_ns_per_second\":", cpu_idle / seconds(kSettle).count(),
      ",\"memory_bytes\":", memory, ",\"sessions\":", peer.layout().sessions,
      ",", changes.Report());
}

std::string MeasureStorm(Peer& peer, const ServerProcesses& server,
                         const Load& load) {
  peer.Prepare();
  AddWatchers(peer, load.watchers);
  LoginAll(peer);
  AwaitRest(peer, server);
  Beats(peer, load).RunUntil(Clock::now() + kWarmUp);

  int64_t gone = 0;
  int64_t told = 0;
  peer.set_on_notice([&](int, int, Told what) {
    ++told;
    gone += what == Told::kGone;
  });
  const int sessions = peer.layout().sessions;
  const int ready = peer.sessions_ready();
  const int64_t cpu_before = server.CpuNanoseconds();
  std::mt19937 random(1);
  std::vector<int64_t> back;  // when each session comes back
  for (int session = 0; session < sessions; ++session) {
    peer.Cut(session);
    back.push_back(
        std::uniform_int_distribution<int64_t>(0, Nanoseconds(kStorm))(random));
  }
  std::sort(back.begin(), back.end());
  const Clock::time_point start = Clock::now();
  for (int session = 0; session < sessions; ++session) {
    while (Nanoseconds(Clock::now() - start) <
           back[static_cast<size_t>(session)]) {
      peer.Poll();
    }
    peer.Resume(session);
  }
  Await(peer, "returns",
        [&] { return peer.sessions_ready() == ready + sessions; });
  AwaitRest(peer, server);
  const int64_t cpu = server.CpuNanoseconds() - cpu_before;
  peer.set_on_notice([](int, int, Told) {});
  return absl::StrCat("\"sessions\":", sessions, ",\"false_offlines\":", gone,
                      ",\"notices\":", told, ",\"cpu_ns\":", cpu);
}

std::string MeasureFanOut(Peer& peer, const ServerProcesses& server,
                          const Load& load) {
  const int people = peer.layout().sessions;
  peer.Prepare();
  AddWatchers(peer, load.watchers);
  AwaitRest(peer, server);
  const int64_t messages_before = peer.watcher_messages();
  const int64_t cpu_before = server.CpuNanoseconds();
  int64_t told = 0;
  peer.set_on_notice([&](int, int, Told) { ++told; });

  // Step by step through the script, in every step person after person.
  const auto step = [&](const auto& action) {
    for (int person = 0; person < people; ++person) {
      action(person);
      RunFor(peer, kBetweenSteps);
    }
  };
  step([&](int person) { peer.Login(person); });
  Await(peer, "logins", [&] { return peer.sessions_ready() == people; });
  for (int beat = 0; beat < kScriptedBeats; ++beat) {
    step([&](int person) { peer.Beat({person}); });
  }
  step([&](int person) { peer.Cut(person); });
  step([&](int person) { peer.Resume(person); });
  Await(peer, "returns", [&] { return peer.sessions_ready() == 2 * people; });
  step([&](int person) { peer.Change(person, /*present=*/false); });
  AwaitRest(peer, server);
  const int64_t cpu = server.CpuNanoseconds() - cpu_before;
  peer.set_on_notice([](int, int, Told) {});
  return absl::StrCat(
      "\"watchers\":", load.watchers,
      ",\"needed\":", int64_t{2} * people * load.watchers,
      ",\"messages\":", peer.watcher_messages() - messages_before,
      ",\"notices\":", told, ",\"cpu_ns\":", cpu);
}

}  // namespace lifesign::bench
