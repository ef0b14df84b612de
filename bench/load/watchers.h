// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Watches, and when they were told what.
#ifndef LIFESIGN_BENCH_LOAD_WATCHERS_H_
#define LIFESIGN_BENCH_LOAD_WATCHERS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/load/histogram.h"
#include "bench/load/pacer.h"
#include "bench/load/raw_call.h"
#include "server/base/mutex.h"

namespace lifesign::bench {

struct WatchersOptions {
  std::string target;
  int connections = 1;
  int watchers = 1;  // spread over the connections
  // Each watches these users.
  int first_user = 0;
  int users = 1;
  double batching_delay_seconds = 0;
  // A floor's watches have no snapshot.
  bool floor = false;
  // What is told are heartbeats (the relay), not changes.
  bool relayed = false;
};

// Thread-safe.
class Watchers {
 public:
  explicit Watchers(const WatchersOptions& options);
  ~Watchers();

  // Waits until every watch has its snapshot (of a floor: at once).
  bool AwaitSynced();
  // Whether each watch was told of at least one change.
  bool AllTold() const;

  // From now on a change of `user` is one meant for this instant.
  void Expect(int user, SteadyTime intended) {
    intended_[static_cast<std::size_t>(user - options_.first_user)] =
        Nanoseconds(intended.time_since_epoch());
  }

  // Changes told, all watches together; messages that told them.
  std::int64_t changes() const;
  std::int64_t messages() const;
  bool AnyEnded();

  // From the intended instant to the receipt, as one watch in so many saw it.
  // Forgets what was before.
  void ResetLatency();
  std::unique_ptr<Histogram> Latency();

 private:
  struct Watcher;

  void OnMessage(Watcher& watcher, const grpc::ByteBuffer& bytes);
  void OnRelayed(Watcher& watcher, const grpc::ByteBuffer& bytes);
  void Told(Watcher& watcher, int user);

  const WatchersOptions options_;
  std::vector<std::atomic<std::int64_t>> intended_;
  std::vector<std::unique_ptr<Watcher>> watchers_;
};

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_LOAD_WATCHERS_H_
