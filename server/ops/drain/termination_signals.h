// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// SIGTERM and SIGINT as a wish to end.
#ifndef LIFESIGN_SERVER_OPS_DRAIN_TERMINATION_SIGNALS_H_
#define LIFESIGN_SERVER_OPS_DRAIN_TERMINATION_SIGNALS_H_

#include <functional>
#include <thread>

#include "server/base/unique_fd.h"

namespace lifesign {

// Waits for the signals on a thread of its own, where anything may be done, and
// not in a handler, where next to nothing may.
//
// To be made in main() before any other thread: those that come later inherit
// that the signals are blocked. From then on SIGPIPE is ignored, too: a peer
// that hangs up is an error of a write, not the end of the process.
class TerminationSignals {
 public:
  // Calls `on_first(number)` once, at the first SIGTERM or SIGINT; it must not
  // block, or the next is not heard. At the second the process ends at once,
  // with exit code kExitSignalBase + number, without destructors: whoever sends
  // it does not want to wait.
  explicit TerminationSignals(std::function<void(int number)> on_first);

  // Stops listening; waits for `on_first` if it runs. The signals stay blocked.
  ~TerminationSignals();

 private:
  void Run();

  const std::function<void(int number)> on_first_;
  UniqueFd signals_;  // a signalfd
  UniqueFd stop_;     // an eventfd
  // Last: it runs as soon as it is made.
  std::thread thread_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_OPS_DRAIN_TERMINATION_SIGNALS_H_
