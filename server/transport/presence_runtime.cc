// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/presence_runtime.h"

#include <functional>
#include <utility>

#include "server/base/log.h"
#include "server/transport/codec/encode.h"

namespace lifesign {
namespace {

PresenceEngine::Options EngineOptions(const PresenceRuntime::Options& options,
                                      const Now& start,
                                      std::function<void()> on_changes) {
  PresenceEngine::Options engine;
  engine.policy = options.policy;
  engine.shards = options.shards;
  engine.epoch = options.epoch.value_or(
      static_cast<Revision>(start.wall.time_since_epoch().count()));
  engine.hash_seed = options.seed;
  engine.max_sessions_per_user = options.limits.max_sessions_per_user;
  engine.max_retained_users = options.max_retained_users;
  engine.on_changes = std::move(on_changes);
  engine.encode_rooms = RoomEncoders();
  return engine;
}

}  // namespace

PresenceRuntime::PresenceRuntime(const Options& options, const Clock& clock)
    : time_(clock),
      engine_(
          EngineOptions(options, time_.Read(), [this] { publisher_.Poke(); }),
          time_.Read()),
      publisher_(engine_, time_),
      deadlines_(time_.Read().presence),
      jitter_(options.seed),
      chores_(options.threads),
      parts_{engine_,
             time_,
             deadlines_,
             chores_,
             options.rounds != nullptr ? *options.rounds : publisher_,
             jitter_,
             heartbeats_,
             watches_,
             awaits_,
             options.limits,
             options.may_see_through},
      gate_(jitter_),
      drain_(parts_, gate_),
      service_(parts_, gate_) {
  if (options.threads) publisher_.Start();
}

PresenceRuntime::~PresenceRuntime() {
  publisher_.Stop();
  chores_.Drain();
}

void PresenceRuntime::Tick() {
  // After a gap time only moves; deadlines fire from the next tick on, so that
  // what waited in the sockets is heard first.
  const bool deadlines_may_fire = time_.Tick();
  const Now now = time_.Read();
  if (deadlines_may_fire) {
    const TickReport report = engine_.Tick(now);
    if (report.mass_silence) {
      LogWarning(
          "many sessions fell silent together",
          {{"sessions", report.sessions}, {"fell_silent", report.fell_silent}});
    }
    deadlines_.Fire(now);
  } else {
    LogWarning("the process was frozen, or a tick was late");
  }
  publisher_.Poke();
  drain_.OnTick(now);
}

void PresenceRuntime::Settle() {
  publisher_.PublishNow();
  chores_.Drain();
}

}  // namespace lifesign
