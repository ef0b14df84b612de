// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// How a server lets its clients go. docs/concepts.md §§ 9, 12.
#ifndef LIFESIGN_SERVER_TRANSPORT_DRAIN_SEQUENCE_H_
#define LIFESIGN_SERVER_TRANSPORT_DRAIN_SEQUENCE_H_

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"
#include "server/transport/server_parts.h"
#include "server/transport/serving_gate.h"

namespace lifesign {

// Nothing new is admitted; heartbeat streams are told to move on, and ended if
// they have not a third of the budget later; then watches and awaits are ended,
// so that they hear of everything. Driven by ticks. Thread-safe.
class DrainSequence {
 public:
  // Both outlive it.
  DrainSequence(const ServerParts& parts, ServingGate& gate)
      : parts_(parts), gate_(gate) {}

  // Starts it. A second call does nothing.
  void Begin(Duration budget);

  // To be called every tick.
  void OnTick(const Now& now);

  // Returns once every stream was ended.
  void Await();

 private:
  enum class Stage { kIdle, kTold, kEnded };

  const ServerParts& parts_;
  ServingGate& gate_;

  Mutex mutex_;  // no other lock is taken while it is held
  CondVar changed_;
  Stage stage_ ABSL_GUARDED_BY(mutex_) = Stage::kIdle;
  PresenceTime heartbeats_end_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_DRAIN_SEQUENCE_H_
