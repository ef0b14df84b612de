// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Runs a seed, and makes of one that fails a short script.
#ifndef LIFESIGN_TESTS_SIM_RUN_H_
#define LIFESIGN_TESTS_SIM_RUN_H_

#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "tests/sim/journal.h"
#include "tests/sim/step.h"
#include "tests/sim/world_options.h"

namespace lifesign::sim {

inline constexpr int kStepsPerSeed = 300;

struct Outcome {
  absl::optional<std::string> fault;
  std::vector<Step> script;  // up to the fault
  // Two runs of the same are equal.
  std::uint64_t digest = 0;
  Tally tally;
};

// A world of its own, with steps drawn from `seed`. `follower`: to whom all of
// it is printed; null: to nobody.
Outcome RunSeed(std::uint64_t seed, int steps, std::ostream* follower);

// The world of `seed`, with the steps of `script`.
Outcome RunScript(std::uint64_t seed, const std::vector<Step>& script,
                  std::ostream* follower);

// What failed, in the fewest steps that could be found. REQUIRES: `outcome` is
// that of `seed`, and failed.
std::string Report(std::uint64_t seed, const Outcome& outcome);

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_RUN_H_
