// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/drain_sequence.h"

#include "server/base/log.h"
#include "server/transport/await/await_call.h"
#include "server/transport/heartbeat/heartbeat_stream.h"
#include "server/transport/watch/watch_stream.h"

namespace lifesign {
namespace {

// The share of the budget that heartbeat clients have to leave by themselves.
constexpr int kShareOfHeartbeats = 3;

}  // namespace

void DrainSequence::Begin(Duration budget) {
  // First: a tick may end all streams as soon as the stage is set, and one that
  // was admitted after that would be ended by nobody.
  gate_.Set(ServingGate::State::kDraining);
  {
    MutexLock lock(mutex_);
    if (stage_ != Stage::kIdle) return;
    stage_ = Stage::kTold;
    heartbeats_end_ =
        SaturatingAdd(parts_.time.Read().presence, budget / kShareOfHeartbeats);
  }
  LogInfo("drain started", {{"heartbeat_streams", parts_.heartbeats.count()},
                            {"watches", parts_.watches.count()},
                            {"awaits", parts_.awaits.count()},
                            {"budget", budget}});
  for (const auto& stream : parts_.heartbeats.All()) {
    stream->TellDrain(parts_.jitter.Between(limits::kMinReconnectDelay,
                                            limits::kMaxReconnectDelay));
  }
}

void DrainSequence::OnTick(const Now& now) {
  {
    MutexLock lock(mutex_);
    if (stage_ != Stage::kTold) return;
    if (parts_.heartbeats.count() > 0 && now.presence < heartbeats_end_) {
      return;
    }
  }
  for (const auto& stream : parts_.heartbeats.All()) stream->EndForDrain();
  for (const auto& watch : parts_.watches.All()) watch->EndForDrain();
  for (const auto& await : parts_.awaits.All()) await->EndForDrain();
  LogInfo("streams ended");
  MutexLock lock(mutex_);
  stage_ = Stage::kEnded;
  changed_.NotifyAll();
}

void DrainSequence::Await() {
  MutexLock lock(mutex_);
  while (stage_ != Stage::kEnded) changed_.Wait(mutex_);
}

}  // namespace lifesign
