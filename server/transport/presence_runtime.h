// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Everything of a presence server but its network and its timer.
#ifndef LIFESIGN_SERVER_TRANSPORT_PRESENCE_RUNTIME_H_
#define LIFESIGN_SERVER_TRANSPORT_PRESENCE_RUNTIME_H_

#include <cstdint>

#include "absl/types/optional.h"
#include "server/base/clock.h"
#include "server/core/presence_engine.h"
#include "server/transport/await/await_call.h"
#include "server/transport/chores.h"
#include "server/transport/deadlines.h"
#include "server/transport/drain_sequence.h"
#include "server/transport/heartbeat/heartbeat_stream.h"
#include "server/transport/jitter.h"
#include "server/transport/presence_service.h"
#include "server/transport/publisher.h"
#include "server/transport/rounds.h"
#include "server/transport/server_parts.h"
#include "server/transport/serving_gate.h"
#include "server/transport/stream_registry.h"
#include "server/transport/time_source.h"
#include "server/transport/watch/watch_stream.h"

namespace lifesign {

// The engine, its publisher, and the service that gRPC serves. Time stands
// still between two calls of Tick: the server gives it a Ticker, a test calls
// it by hand.
//
// The order of shutting down: drain, shut the gRPC server down, stop ticking,
// destroy this.
class PresenceRuntime {
 public:
  struct Options {
    // REQUIRES: ValidatePolicy finds nothing.
    Policy policy;
    int shards = 16;
    std::int64_t max_retained_users = limits::kMaxRetainedUsers;
    StreamLimits limits;
    bool may_see_through = false;  // see ServerParts
    // Revisions of this run lie above it. None: the wall time in µs.
    absl::optional<Revision> epoch;
    // Decides who falls into which shard, and the delays that spread clients.
    std::uint64_t seed = 0;
    // Whether it has threads that publish and do chores. Without them Settle
    // does, and whoever calls the engine: for who decides when.
    bool threads = true;
    // Who does the rounds that a call needs; null: its own publisher. Outlives
    // it.
    Rounds* rounds = nullptr;
  };

  // `clock` outlives it. Publishes from now on; admits calls once `gate` says
  // so.
  PresenceRuntime(const Options& options, const Clock& clock);
  ~PresenceRuntime();
  PresenceRuntime(const PresenceRuntime&) = delete;
  PresenceRuntime& operator=(const PresenceRuntime&) = delete;

  // One tick: time, what it changes, what is due. One call at a time.
  void Tick();

  // For whoever moves time by hand: what changed has been left with its watches
  // and what was put off is done, when it returns.
  void Settle();

  PresenceService& service() { return service_; }
  PresenceEngine& engine() { return engine_; }
  ServingGate& gate() { return gate_; }
  DrainSequence& drain() { return drain_; }
  const ServerParts& parts() const { return parts_; }
  Now Read() const { return time_.Read(); }

 private:
  TimeSource time_;
  PresenceEngine engine_;
  Publisher publisher_;
  Deadlines deadlines_;
  Jitter jitter_;
  StreamRegistry<HeartbeatStream> heartbeats_;
  StreamRegistry<WatchStream> watches_;
  StreamRegistry<AwaitCall> awaits_;
  Chores chores_;
  const ServerParts parts_;
  ServingGate gate_;
  DrainSequence drain_;
  PresenceService service_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_PRESENCE_RUNTIME_H_
