// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The answers to questions about one user, as values.
// docs/concepts.md § 10.
#ifndef LIFESIGN_SERVER_CORE_QUERY_VIEWS_H_
#define LIFESIGN_SERVER_CORE_QUERY_VIEWS_H_

#include <array>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "server/core/derive/derive_state.h"
#include "server/core/presence_state.h"
#include "server/core/signal/signal.h"
#include "server/core/watch/change.h"

namespace lifesign {

struct UserView {
  PresenceRecord record;
  double confidence = 0;
  std::array<int, kStates> sessions_by_state{};
};

// What would tell of a time at which the user was invisible is none.
struct SessionView {
  std::string session;
  State state;
  DeviceClass device;
  bool connected;
  Attachment attachment;
  absl::optional<WallTime> opened_at;
  absl::optional<WallTime> last_seen;
  absl::optional<WallTime> last_active;
  Duration next_interval;
  double confidence;
  // None after an open without a signal.
  absl::optional<Lifecycle> lifecycle;
  Metadata metadata;
  // In the order in which the user's sessions first joined them.
  std::vector<std::string> rooms;
};

struct CapView {
  // None: the user was invisible then.
  absl::optional<WallTime> started_at;
  absl::optional<WallTime> in_force_at;
  bool in_force;
};

struct NextChangeView {
  WallTime at;
  State state;
};

struct SessionExplanation {
  SessionView session;
  Rule rule;
  // None: the user was invisible then.
  absl::optional<Duration> signal_age;
  absl::optional<Duration> activity_age;
  absl::optional<CapView> idle_cap;
  absl::optional<CapView> background_cap;
  absl::optional<WallTime> linger_until;
  absl::optional<NextChangeView> next_change;
  bool holds_user_state;
  PolicyRow row;
  Duration downgrade_debounce;
};

// A user in a room. OFFLINE: they are not there, and the rest says nothing.
struct RoomExplanation {
  std::string room;
  State state = State::kOffline;
  absl::optional<WallTime> since;
  Cause cause = Cause::kNone;
  // Oldest open first.
  std::vector<std::string> sessions;
  absl::optional<NextChangeView> next_change;
  absl::optional<WallTime> ends_at;
};

struct UserExplanation {
  UserView user;
  std::vector<SessionExplanation> sessions;
  // None when the user is OFFLINE.
  absl::optional<NextChangeView> next_change;
  // If it was asked for.
  absl::optional<RoomExplanation> room;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_QUERY_VIEWS_H_
