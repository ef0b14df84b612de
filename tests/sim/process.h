// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The server's process, as seen by what happens in it.
#ifndef LIFESIGN_TESTS_SIM_PROCESS_H_
#define LIFESIGN_TESTS_SIM_PROCESS_H_

#include <functional>

#include "server/base/time.h"

namespace lifesign::sim {

class Call;

class Process {
 public:
  // Whether it runs; perhaps frozen.
  virtual bool up() const = 0;

  // Does `work` in the process that runs now: at `at`, or, if it is frozen
  // then, once it is not any more; never if it is gone. REQUIRES: up().
  virtual void At(RealTime at, std::function<void()> work) = 0;

  // A call has arrived. In the process.
  virtual void Accept(Call& call) = 0;

 protected:
  ~Process() = default;
};

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_PROCESS_H_
