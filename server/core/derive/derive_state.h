// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// (session, policy, now) -> state, and the next instant at which the answer
// changes. docs/concepts.md § 4.
#ifndef LIFESIGN_SERVER_CORE_DERIVE_DERIVE_STATE_H_
#define LIFESIGN_SERVER_CORE_DERIVE_DERIVE_STATE_H_

#include <cstdint>

#include "server/core/policy/policy.h"
#include "server/core/presence_state.h"
#include "server/core/time.h"

namespace lifesign {

// What a session's state is derived from.
struct SessionTimes {
  // The last open, ACTIVE, IDLE or BACKGROUND.
  PresenceTime last_signal;
  // The last activity. For a session without any: active_window before the
  // open that began it.
  PresenceTime last_activity;
  // Since when each cap runs; kNever if it does not. A cap that counts at once
  // runs since the debounce before.
  PresenceTime idle_cap_since = kNever;
  PresenceTime background_cap_since = kNever;
};

// The rule of § 4 that decided.
enum class Rule : std::uint8_t {
  kTtl,
  kSilence,
  kActivity,
  kIdleCap,
  kBackgroundCap,
  kReconvergence,
};

struct Derivation {
  State state;
  Rule rule;
  // The first instant after `now` at which `state` differs if nothing more is
  // heard; kNever when it is OFFLINE.
  PresenceTime next_change;
};

// The state alone.
State DeriveState(const SessionTimes& times, const PolicyRow& row,
                  Duration debounce, PresenceTime now);

// The state, why, and until when.
Derivation Derive(const SessionTimes& times, const PolicyRow& row,
                  Duration debounce, PresenceTime now);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_DERIVE_DERIVE_STATE_H_
