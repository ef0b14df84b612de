// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What an open or a signal came to. docs/concepts.md §§ 5, 12.
#ifndef LIFESIGN_SERVER_CORE_SESSION_OUTCOME_H_
#define LIFESIGN_SERVER_CORE_SESSION_OUTCOME_H_

#include <cstdint>

#include "absl/types/optional.h"
#include "server/core/presence_state.h"
#include "server/core/signal/signal.h"

namespace lifesign {

// Why nothing was done.
enum class Refusal : std::uint8_t {
  kNone,
  kSessionNotOpen,    // no open session of this name, or it ended
  kStaleAttachment,   // not the session's current attachment
  kTooManyTakeOvers,  // limits::kMaxTakeOvers within kTakeOverWindow
  kTooManySessions,   // limits::kMaxSessionsPerUser, all connected
  kTooManyRooms,      // limits::kMaxRoomsPerSession
  kTooManyIntents,    // limits::kMaxIntentsPerUser
  // limits::kMaxDeclaredAvailabilities are held.
  kTooManyAvailabilities,
};

// Finds a session without its names. Valid until the session ends or is opened
// again; after that it finds nothing, never another session.
struct SessionRef {
  std::uint32_t shard = 0;
  std::uint32_t slot = 0;
  Attachment attachment = kNoAttachment;
};

struct SignalOutcome {
  Refusal refusal = Refusal::kNone;
  // After the step; kOffline once the session ended.
  State state = State::kOffline;
  // The longest silence asked for from now on; zero after LEAVE and DETACH.
  Duration next_interval{0};
  // Whether the client knows `state` or `next_interval` otherwise.
  bool is_news = false;
  // Whether the session is still attached: false after DETACH, and once it
  // ended.
  bool bound = true;

  bool ok() const { return refusal == Refusal::kNone; }
};

// One signal of several that are applied together, and what became of it.
struct BoundSignal {
  SessionRef ref;
  Signal signal;
  SignalOutcome outcome;
};

struct OpenOutcome {
  Refusal refusal = Refusal::kNone;
  // With kTooManyTakeOvers: when the next one may pass.
  Duration retry_after{0};
  SessionRef ref;
  bool resumed = false;
  // The user is invisible.
  bool hidden = false;
  State state = State::kOffline;
  Duration next_interval{0};
  // How old the last reported interaction must be before another one is worth
  // reporting at once.
  Duration report_after{0};
  // The stream whose binding this open took over from another instance, and
  // which is to be told so.
  absl::optional<Binding> taken_over;

  bool ok() const { return refusal == Refusal::kNone; }
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_SESSION_OUTCOME_H_
