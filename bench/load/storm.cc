// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/load/storm.h"

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
#include "bench/load/wait.h"
#include "bench/load/watchers.h"

namespace lifesign::bench {
namespace {

// Clients beat this often: half of the interval that the server promises to
// active ones.
constexpr double kBeatSeconds = 5;

class Clients {
 public:
  explicit Clients(const StormOptions& options)
      : options_(options),
        connections_(options.clients / options.clients_per_connection) {}

  // Connects all, evenly within `seconds`.
  void Connect(double seconds) {
    Pacer pacer(connections_ / seconds, SteadyNow());
    for (int i = 0; i < connections_; ++i) {
      pacer.Next();
      const auto channel = MakeChannels(options_.target, 1)[0];
      for (int j = 0; j < options_.clients_per_connection; ++j) {
        streams_.push_back(std::make_unique<SessionStream>(
            channel, i * options_.clients_per_connection + j, 1));
      }
    }
  }
  bool AwaitOpen() {
    return WaitUntil([this] {
      return std::all_of(streams_.begin(), streams_.end(),
                         [](const auto& s) { return s->all_opened(); });
    });
  }
  void Cut() { streams_.clear(); }

  void BeatFor(double seconds) {
    const auto beats = static_cast<std::int64_t>(
        seconds * static_cast<double>(streams_.size()) / kBeatSeconds);
    Pacer pacer(static_cast<double>(streams_.size()) / kBeatSeconds,
                SteadyNow());
    for (std::int64_t i = 0; i < beats; ++i) {
      pacer.Next();
      streams_[next_]->BeatNext();
      next_ = (next_ + 1) % streams_.size();
    }
  }

 private:
  const StormOptions& options_;
  const int connections_;
  std::size_t next_ = 0;
  std::vector<std::unique_ptr<SessionStream>> streams_;
};

}  // namespace

int RunStorm(const StormOptions& options) {
  Clients clients(options);
  clients.Connect(options.reconnect_seconds);
  if (!clients.AwaitOpen()) return Fail("the sessions did not open");
  WatchersOptions watching;
  watching.target = options.target;
  watching.users = options.clients;
  Watchers watchers(watching);
  if (!watchers.AwaitSynced()) return Fail("the watch has no snapshot");
  // All are active now, and stay so.
  clients.BeatFor(kBeatSeconds);

  const std::int64_t before = watchers.changes();
  const SteadyTime start = SteadyNow();
  clients.Cut();
  clients.Connect(options.reconnect_seconds);
  if (!clients.AwaitOpen()) return Fail("not every client came back");
  const double reconnected =
      std::chrono::duration<double>(SteadyNow() - start).count();
  clients.BeatFor(options.after_seconds);
  if (watchers.AnyEnded()) return Fail("the watch ended");
  JsonLine()
      .Add("clients", options.clients)
      .Add("false_changes", watchers.changes() - before)
      .Add("reconnected_seconds", reconnected)
      .Print();
  return 0;
}

}  // namespace lifesign::bench
