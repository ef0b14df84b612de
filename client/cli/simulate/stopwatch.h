// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The time of a simulation.
#ifndef LIFESIGN_CLIENT_CLI_SIMULATE_STOPWATCH_H_
#define LIFESIGN_CLIENT_CLI_SIMULATE_STOPWATCH_H_

#include <chrono>

#include "client/cli/simulate/behaviour.h"

namespace lifesign::simulate {

// Runs from when it was made; copies agree. Thread-safe.
class Stopwatch {
 public:
  Duration Elapsed() const {
    return std::chrono::duration_cast<Duration>(
        std::chrono::steady_clock::now() - begun_);
  }

 private:
  std::chrono::steady_clock::time_point begun_ =
      std::chrono::steady_clock::now();
};

}  // namespace lifesign::simulate

#endif  // LIFESIGN_CLIENT_CLI_SIMULATE_STOPWATCH_H_
