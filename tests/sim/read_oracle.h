// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What reads must answer. docs/concepts.md §§ 6, 10.
#ifndef LIFESIGN_TESTS_SIM_READ_ORACLE_H_
#define LIFESIGN_TESTS_SIM_READ_ORACLE_H_

#include <string>

#include "server/transport/unary/unary_calls.h"
#include "tests/sim/room_oracle.h"
#include "tests/sim/stream_oracle.h"
#include "tests/sim/truth.h"
#include "tests/sim/verdict.h"

namespace lifesign::sim {

UserView UserViewOf(const property::ModelUserView& model, double confidence);

// Reads by the unary calls, and compares to the byte. Of confidence, which the
// model does not learn, only what does not depend on what was learned.
class ReadOracle {
 public:
  // All outlive it.
  ReadOracle(const UnaryCalls& calls, const PresenceEngine& engine,
             bool may_see_through, Truth& truth, const SignalOracle& signals,
             const RoomOracle& rooms, const Now& now, Verdict& verdict)
      : calls_(calls),
        engine_(engine),
        may_see_through_(may_see_through),
        truth_(truth),
        signals_(signals),
        rooms_(rooms),
        now_(now),
        verdict_(verdict) {}

  // Everything about `user`, as everybody is told it and, with the right to, as
  // those are told it who see through.
  void Read(const std::string& user);

 private:
  void Read(const std::string& user, View view);
  // Nobody sees through without the right to.
  void CheckDenied(const std::string& user);
  void Get(const std::string& user, View view,
           const property::ModelUserView& model);
  void ListSessions(const std::string& user, View view,
                    const property::ModelUserView& model);
  void Explain(const std::string& user, View view,
               const property::ModelUserView& model);
  // What the model cannot know is taken from `told`.
  void Adopt(const std::string& user, const v1::Session& told,
             const property::ModelSessionView& model, SessionView& expected);
  template <typename Message>
  void Compare(const Message& expected, const Message& told);

  const UnaryCalls& calls_;
  const PresenceEngine& engine_;
  const bool may_see_through_;
  Truth& truth_;
  const SignalOracle& signals_;
  const RoomOracle& rooms_;
  const Now& now_;  // moves
  Verdict& verdict_;
};

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_READ_ORACLE_H_
