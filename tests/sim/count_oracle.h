// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// How many there are: what docs/concepts.md § 10 says, by a recount.
#ifndef LIFESIGN_TESTS_SIM_COUNT_ORACLE_H_
#define LIFESIGN_TESTS_SIM_COUNT_ORACLE_H_

#include <array>

#include "server/transport/unary/unary_calls.h"
#include "tests/sim/journal.h"
#include "tests/sim/truth.h"
#include "tests/sim/verdict.h"

namespace lifesign::sim {

class CountOracle {
 public:
  // All outlive it.
  CountOracle(const UnaryCalls& calls, const PresenceEngine& engine,
              Truth& truth, const Now& now, Journal& journal, Verdict& verdict)
      : calls_(calls),
        engine_(engine),
        truth_(truth),
        now_(now),
        journal_(journal),
        verdict_(verdict),
        as_of_(now) {}

  // After a tick on which deadlines fired, and whom it forgot is known:
  // recounts.
  void Ticked();
  // CountPresences answers as of the last tick, whatever happened since.
  void Read(View view);

 private:
  const UnaryCalls& calls_;
  const PresenceEngine& engine_;
  Truth& truth_;
  const Now& now_;  // moves
  Journal& journal_;
  Verdict& verdict_;
  // Of the last tick, by View.
  std::array<property::ModelCounts, 2> counts_;
  Now as_of_;
};

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_COUNT_ORACLE_H_
