// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// One thing that happens to engine and model alike, and its line of a script.
#ifndef LIFESIGN_TESTS_PROPERTY_STEP_H_
#define LIFESIGN_TESTS_PROPERTY_STEP_H_

#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "server/core/policy/policy.h"
#include "server/core/presence_state.h"
#include "server/core/query/views.h"
#include "server/core/session/outcome.h"
#include "server/core/signal/signal.h"
#include "server/core/time.h"
#include "server/core/watch/change.h"

namespace lifesign::property {

// Carries the instant at which it happens, so that a script stays what it is
// when steps are taken out of it.
struct Step {
  enum class Kind {
    // user, session, binding, instance, device, metadata, signal, availability
    kOpen,
    kApply,       // user, session, back, signal, availability: by its stream
    kUnary,       // user, session, back, signal, availability
    kDisconnect,  // user, session, back
    kRead,        // user: presence, sessions and explanation
    kCopy,        // user: a watcher copies and watches them
    kUnwatch,     // user
    kTakeMail,    // most
    kTick,
    kSetPolicy,  // policy
    kDeclare,    // user, availability
  };
  // Its text is of static storage.
  using Availability = AvailabilityDeclaration;

  Kind kind = Kind::kTick;
  Now now{};
  int user = 0;
  int session = 0;
  // Which attachment of the session speaks: 0 the newest, 1 the one before …;
  // kNobody: none is named.
  int back = 0;
  bool unary = false;
  Instance instance = kNoInstance;
  absl::optional<DeviceClass> device;
  absl::optional<int> metadata;
  absl::optional<Signal> signal;
  absl::optional<Availability> availability;
  bool replaces_availability = false;
  int policy = 0;
  int most = 0;
};
inline constexpr int kNobody = -1;

std::string UserName(int user);
std::string SessionId(int session);

// The line of `step` in a script; times are seconds since `start`.
std::string Line(const Step& step, const Now& start);

// For the texts of failures.
const char* Word(State state);
const char* Word(Cause cause);
const char* Word(Refusal refusal);
std::string Seconds(Duration duration);
std::string Words(const Signal& signal);
// Empty if there is none.
std::string Words(const absl::optional<AvailabilityDeclaration>& said);
std::string Words(const DeviceStates& devices);
std::string Words(const OpenOutcome& outcome);
std::string Words(const SignalOutcome& outcome);
std::string Words(const PresenceRecord& record, const Now& start);
std::string Words(const Change& change, const Now& start);
std::string Words(const SessionView& view, const Now& start);
std::string Words(const SessionExplanation& explanation, const Now& start);
std::string Words(const absl::optional<NextChangeView>& change,
                  const Now& start);

}  // namespace lifesign::property

#endif  // LIFESIGN_TESTS_PROPERTY_STEP_H_
