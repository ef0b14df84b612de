// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/derive/derive_state.h"

#include <algorithm>

namespace lifesign {
namespace {

bool InForce(PresenceTime cap_since, Duration debounce, PresenceTime now) {
  return cap_since != kNever && now >= SaturatingAdd(cap_since, debounce);
}

PresenceTime InForceAt(PresenceTime cap_since, Duration debounce) {
  return cap_since == kNever ? kNever : SaturatingAdd(cap_since, debounce);
}

struct Decision {
  State state;
  Rule rule;
};

Decision Decide(const SessionTimes& times, const PolicyRow& row,
                Duration debounce, PresenceTime now) {
  const Duration signal_age = SaturatingDifference(now, times.last_signal);
  if (signal_age >= row.ttl) return {State::kOffline, Rule::kTtl};
  if (signal_age >= row.away_window) return {State::kStale, Rule::kSilence};
  const Duration activity_age = SaturatingDifference(now, times.last_activity);
  if (activity_age >= row.idle_window) return {State::kAway, Rule::kActivity};
  if (InForce(times.background_cap_since, debounce, now)) {
    return {State::kAway, Rule::kBackgroundCap};
  }
  if (activity_age >= row.active_window) return {State::kIdle, Rule::kActivity};
  if (InForce(times.idle_cap_since, debounce, now)) {
    return {State::kIdle, Rule::kIdleCap};
  }
  return {State::kActive, Rule::kActivity};
}

// Time only ever lowers a state, so the next change is the first instant at
// which anything that could lower this one does.
PresenceTime NextChange(State state, const SessionTimes& times,
                        const PolicyRow& row, Duration debounce) {
  if (state == State::kOffline) return kNever;
  PresenceTime next = SaturatingAdd(times.last_signal, row.ttl);
  if (state == State::kStale) return next;
  next = std::min(next, SaturatingAdd(times.last_signal, row.away_window));
  if (state == State::kAway) return next;
  next = std::min({next, SaturatingAdd(times.last_activity, row.idle_window),
                   InForceAt(times.background_cap_since, debounce)});
  if (state == State::kIdle) return next;
  return std::min({next, SaturatingAdd(times.last_activity, row.active_window),
                   InForceAt(times.idle_cap_since, debounce)});
}

}  // namespace

State DeriveState(const SessionTimes& times, const PolicyRow& row,
                  Duration debounce, PresenceTime now) {
  return Decide(times, row, debounce, now).state;
}

Derivation Derive(const SessionTimes& times, const PolicyRow& row,
                  Duration debounce, PresenceTime now) {
  const Decision decision = Decide(times, row, debounce, now);
  return {decision.state, decision.rule,
          NextChange(decision.state, times, row, debounce)};
}

}  // namespace lifesign
