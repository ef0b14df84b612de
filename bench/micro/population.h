// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Sessions that beat as clients do, on an engine whose time is told by hand.
#ifndef LIFESIGN_BENCH_MICRO_POPULATION_H_
#define LIFESIGN_BENCH_MICRO_POPULATION_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "bench/micro/session_ids.h"
#include "server/core/presence_engine.h"

namespace lifesign::bench {

// What a client needs to say something about a session.
struct OpenSession {
  SessionIds ids;
  Attachment attachment;
};

// An engine with open, active sessions, two a user unless said otherwise, of
// the shipped policy. They are opened in random order, so that the sessions of
// a user lie apart, and in the course of one interval, so that their deadlines
// do. Not thread-safe.
class Population {
 public:
  struct Options {
    std::size_t sessions = 0;
    std::size_t sessions_per_user = 2;
    int shards = 16;
  };
  explicit Population(const Options& options);

  PresenceEngine& engine() { return engine_; }
  const Now& now() const { return now_; }
  std::size_t size() const { return sessions_.size(); }
  // By the session's number.
  absl::Span<const OpenSession> sessions() const { return sessions_; }
  absl::Span<const SessionRef> refs() const { return refs_; }

  // Gives the memory of sessions() and refs() back, where only that of the
  // engine is of interest.
  void ForgetNames();

  // The time between two heartbeats, of whichever sessions, for each to beat
  // once an active interval.
  Duration gap() const { return gap_; }

  void Advance(Duration by);
  // What a server does every tick.
  void Tick();

 private:
  Now now_;
  const Duration gap_;
  PresenceEngine engine_;
  std::vector<OpenSession> sessions_;
  std::vector<SessionRef> refs_;
};

// Where benchmarks begin: late enough that no age begins before time does.
Now StartOfTime();
// `now`, later on each timeline.
Now Later(const Now& now, Duration by);

// ACTIVE, as a client with its user before it says.
Signal UsualHeartbeat();

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_MICRO_POPULATION_H_
