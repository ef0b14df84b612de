// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A program of our own that a test starts, freezes and kills.
#ifndef LIFESIGN_TESTS_REALTIME_TESTING_CHILD_PROCESS_H_
#define LIFESIGN_TESTS_REALTIME_TESTING_CHILD_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "server/base/unique_fd.h"

namespace lifesign::testing {

// Runs from construction to destruction at the longest: it is killed then, and
// also when the thread that made it ends in any other way. Only this process
// is ever signalled, by its id. Calls that wait give up when nothing comes for
// long. Not thread-safe.
class ChildProcess {
 public:
  // `command`: the path of the program, then its arguments. What it writes to
  // standard error goes to the file `error_log`.
  ChildProcess(const std::vector<std::string>& command,
               const std::string& error_log);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // False once its end was seen.
  bool IsRunning();
  pid_t pid() const { return pid_; }

  // Sends it a signal; nothing happens once it has ended.
  void Signal(int number);
  // SIGSTOP. Returns when it stands still; false if it does not.
  bool Freeze();
  // SIGCONT.
  void Thaw();
  // SIGKILL. Returns when it has ended.
  void Kill();

  // Waits for its end. The exit code, or -n if signal n ended it; none if it
  // goes on.
  absl::optional<int> AwaitExit();

  // Waits for the next line that it writes to standard output. None at the end
  // of it.
  absl::optional<std::string> ReadLine();

 private:
  // Learns what has become of it; `options` are those of waitpid.
  void Look(int options);

  pid_t pid_ = -1;
  UniqueFd output_;
  std::string unread_;
  bool stopped_ = false;
  absl::optional<int> exit_;
};

}  // namespace lifesign::testing

#endif  // LIFESIGN_TESTS_REALTIME_TESTING_CHILD_PROCESS_H_
