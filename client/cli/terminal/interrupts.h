// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Ctrl-C as something that a loop can wait for.
#ifndef LIFESIGN_CLIENT_CLI_TERMINAL_INTERRUPTS_H_
#define LIFESIGN_CLIENT_CLI_TERMINAL_INTERRUPTS_H_

#include "server/base/unique_fd.h"

namespace lifesign::cli {

// While it lives, SIGINT, SIGTERM and SIGHUP end nothing by themselves: `fd`
// becomes readable instead, and stays so. A second one ends the process at
// once, as without this: whoever presses Ctrl-C twice means it.
//
// Make it before any thread is started: threads inherit which signals are held
// back. Not thread-safe.
class Interrupts {
 public:
  Interrupts();
  ~Interrupts();

  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  // To be waited for with poll.
  int fd() const { return fd_.get(); }

  // Takes note of the first one, lets the next one through. Call it when `fd`
  // is readable. Returns which signal it was; 0 if there was none.
  int Take();

 private:
  UniqueFd fd_;
};

}  // namespace lifesign::cli

#endif  // LIFESIGN_CLIENT_CLI_TERMINAL_INTERRUPTS_H_
