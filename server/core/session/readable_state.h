// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What is shown of users and sessions. docs/concepts.md §§ 6, 7, 10.
#ifndef LIFESIGN_SERVER_CORE_SESSION_READABLE_STATE_H_
#define LIFESIGN_SERVER_CORE_SESSION_READABLE_STATE_H_

#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/core/availability/veil.h"
#include "server/core/derive/derive_state.h"
#include "server/core/policy/policy.h"
#include "server/core/query/views.h"
#include "server/core/session/records.h"
#include "server/core/session/veiled_state.h"
#include "server/core/time.h"
#include "server/core/watch/change.h"

namespace lifesign {

// Reads what is there, and changes nothing: whoever asks has seen to it that
// the users have been evaluated.
class ReadableState : public VeiledState {
 protected:
  using VeiledState::VeiledState;

  // A session that left in this step, as it would be had it not.
  struct Left {
    DeviceClass device;
    State state;
  };
  // A state that is fallen to, and when.
  struct Fall {
    PresenceTime at;
    State to;
  };

  Derivation DeriveAt(const Session& session, PresenceTime at) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const Policy& policy = PolicyOf(session);
    return Derive(session.Times(), policy.RowFor(session.device),
                  policy.downgrade_debounce, at);
  }
  Left LeftBy(const Session& session, const Now& now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The open sessions of `user`, oldest open first.
  std::vector<const Session*> OpenSessions(const User& user,
                                           const Now& now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  PresenceRecord RecordOf(const User& user, View view, const Now& now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  PresenceRecord UnknownRecord(absl::string_view user) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // As of their last evaluation, which is now.
  UserView UserViewOf(const User& user, View view, const Now& now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // `veil`: what lies over the session for whoever asks; mostly null.
  double ConfidenceOf(const Session& session, const Veil* veil,
                      const Now& now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  SessionView ViewOf(const Session& session, const Veil* veil,
                     const Now& now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  SessionExplanation ExplanationOf(const Session& session, const Veil* veil,
                                   State user_state, const Now& now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The state that the highest of `sessions` falls to next if nothing more is
  // heard, and when. REQUIRES: it is `from` at `at`, and live.
  Fall NextFall(absl::Span<const Session* const> sessions, State from,
                PresenceTime at) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // REQUIRES: `user`, evaluated, has these open sessions.
  RoomExplanation ExplainRoom(absl::string_view room, const User& user,
                              absl::Span<const Session* const> open, View view,
                              const Now& now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_SESSION_READABLE_STATE_H_
