// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A program as its user sees it: what it prints, what it is told, how it ends.
#ifndef LIFESIGN_TESTS_CLI_TESTING_PROGRAM_H_
#define LIFESIGN_TESTS_CLI_TESTING_PROGRAM_H_

#include <sys/types.h>
#include <termios.h>

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/base/time.h"
#include "server/base/unique_fd.h"

namespace lifesign::testing {

// For one thread.
class Program {
 public:
  enum class Input { kNothing, kPipe, kTerminal };

  // Starts `arguments`, the first of which is its path. On a terminal, input
  // and output are one of 100 by 30; errors are apart. `environment` is all it
  // has beside PATH, TERM and TZ=UTC.
  Program(const std::vector<std::string>& arguments, Input input,
          const std::vector<std::string>& environment = {});
  // Kills it if it still runs.
  ~Program();

  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Waits until it has printed `text` after what was waited for last. False:
  // it ended, or `patience` ran out, without.
  bool AwaitOutput(absl::string_view text, Duration patience = seconds(20));

  // Types, or writes to its standard input.
  void Say(absl::string_view text);
  void CloseInput();
  void Signal(int signal);
  // The modes of its terminal.
  termios Modes() const;
  // Those that it found. REQUIRES: Input::kTerminal.
  const termios& ModesAtStart() const { return modes_at_start_; }

  // Waits until it ends; its exit code, or 128 and the signal that killed it.
  int Wait();

  // All it has printed so far.
  const std::string& out() const { return out_; }
  const std::string& errors() const { return errors_; }

 private:
  // Waits at most `patience` for output. False: both ends are closed.
  bool ReadSome(Duration patience);

  pid_t pid_ = -1;
  UniqueFd input_;
  UniqueFd output_;
  UniqueFd error_output_;
  // Keeps the terminal when the program ends.
  UniqueFd terminal_;
  termios modes_at_start_ = {};
  std::string out_;
  std::string errors_;
  std::size_t waited_for_ = 0;
};

struct Ended {
  int code;
  std::string out;
  std::string errors;
};
// Runs `arguments` to its end with empty input.
Ended RunToEnd(const std::vector<std::string>& arguments,
               const std::vector<std::string>& environment = {});

}  // namespace lifesign::testing

#endif  // LIFESIGN_TESTS_CLI_TESTING_PROGRAM_H_
