// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// One thing that happens in a world by somebody's doing, and its line of a
// script.
#ifndef LIFESIGN_TESTS_SIM_STEP_H_
#define LIFESIGN_TESTS_SIM_STEP_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "server/core/signal/signal.h"

namespace lifesign::sim {

struct OpenStep {
  std::uint32_t handle = 1;
  int user = 0;
  int session = 0;
  Instance instance = kNoInstance;
  absl::optional<DeviceClass> device;
  absl::optional<int> metadata;
  absl::optional<std::vector<int>> rooms;
  absl::optional<Signal> signal;
  // Its text is of static storage.
  absl::optional<AvailabilityDeclaration> availability;
  bool replaces_availability = false;
};

struct SignalStep {
  std::uint32_t handle = 1;
  Signal signal;
  std::vector<int> leave;  // rooms
  std::vector<int> join;
  // Likewise.
  absl::optional<AvailabilityDeclaration> availability;
  // Sent so many times.
  int times = 1;
};

struct PredicateStep {
  std::vector<int> users;  // numbers of names
  State at_least = State::kActive;
  int needed = 1;
};

// Carries its instant, so that a script stays what it is when steps are taken
// out of it.
struct Step {
  enum class Kind {
    kWait,  // time goes by
    // Peers: clients that keep to no rule.
    kConnect,     // who
    kSay,         // who, back, opens, signals, flag (an answer is asked for)
    kBabble,      // who, back: bytes that are no message
    kHalfClose,   // who, back
    kSendSignal,  // opens[0], or back and signals[0]; flag (sent twice), length
                  // (on its way)
    kDeclare,     // who (a user), signals[0] (its availability), length (on its
                  // way): the word of a user for whom no session speaks
    // Members: sessions held by the client library.
    kJoin,           // who, lifecycle
    kInteract,       // who
    kTurn,           // who, lifecycle
    kLeave,          // who, length (linger)
    kNetworkChange,  // who
    kDie,            // who
    // Watchers, of the client library.
    kWatch,    // who, users, length (batching), other (progress)
    kUnwatch,  // who
    // Observers: watches of any kind, of clients that keep to the receiver's
    // rule and resume with tokens new, old or foreign.
    kObserve,  // who, users or flag (all), back (states of interest, as bits),
               // devices, length (batching), other (progress), see_through
    kIgnore,   // who stops
    // Awaiters: one call after the other.
    kAwait,  // who, predicates, flag (length is the wait), other (the call's
             // deadline; 0: none), see_through
    // The network: of the calls that are open, the `back`-th newest.
    kBreak,  // back, length (until the server learns), other (the client)
    kStall,  // back, flag (towards the server too), length
    // The server.
    kTick,
    kFreeze,      // length
    kJumpWall,    // length
    kHoldRounds,  // length
    kDrain,       // length (its budget), other (until another is there)
    kRestart,     // length (until another is there), other (clients learn)
    kSetPolicy,   // back
    kRead,        // who
    kList,        // who (of two listings), back (states, as bits), length (seen
                  // within; 0: ever), size, flag (the token of another filter),
                  // see_through
    kRecount,
  };

  Kind kind = Kind::kWait;
  Duration at{0};  // since the start
  int who = 0;
  int back = 0;
  int size = 0;  // of a page
  bool flag = false;
  bool devices = false;
  bool see_through = false;
  Duration length{0};
  Duration other{0};
  Lifecycle lifecycle = Lifecycle::kActive;
  std::vector<int> users;  // numbers of names
  std::vector<PredicateStep> predicates;
  std::vector<OpenStep> opens;
  std::vector<SignalStep> signals;
  // From which everything is drawn that follows from this step.
  std::uint64_t seed = 0;
};

std::string Line(const Step& step);

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_STEP_H_
