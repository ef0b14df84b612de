// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// How many are in a room: what docs/concepts.md § 11 says, by a recount.
#ifndef LIFESIGN_TESTS_SIM_ROOM_ORACLE_H_
#define LIFESIGN_TESTS_SIM_ROOM_ORACLE_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/core/signal/signal.h"
#include "server/transport/unary/unary_calls.h"
#include "tests/sim/journal.h"
#include "tests/sim/truth.h"
#include "tests/sim/verdict.h"

namespace lifesign::sim {

// Knows in which rooms each session is, from what it said; counts by the model.
class RoomOracle {
 public:
  // All outlive it.
  RoomOracle(const UnaryCalls& calls, Truth& truth, const Now& now,
             Journal& journal, Verdict& verdict)
      : calls_(calls),
        truth_(truth),
        now_(now),
        journal_(journal),
        verdict_(verdict) {}

  // A session was opened. Null rooms: none were given.
  void OnOpened(const std::string& user, const std::string& session,
                bool resumed, const std::vector<absl::string_view>* rooms);
  void OnChange(const std::string& user, const std::string& session,
                const RoomChange& change);

  // As far as they are known to be open.
  std::set<std::string> RoomsOf(const std::string& user,
                                const std::string& session) const;

  // As `view` shows them. REQUIRES: everyone was evaluated now, and all of it
  // is published.
  void Recount(View view);

 private:
  void Recount(const std::string& room, View view);

  const UnaryCalls& calls_;
  Truth& truth_;
  const Now& now_;  // moves
  Journal& journal_;
  Verdict& verdict_;
  // By user and session.
  std::map<std::string, std::map<std::string, std::set<std::string>>> rooms_;
  std::set<std::string> names_;  // of rooms that anybody was in
};

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_ROOM_ORACLE_H_
