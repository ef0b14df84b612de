// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What standard output and input are, and two ways to use a terminal that are
// undone when the object goes.
#ifndef LIFESIGN_CLIENT_CLI_TERMINAL_TERMINAL_H_
#define LIFESIGN_CLIENT_CLI_TERMINAL_TERMINAL_H_

#include <termios.h>

#include <string>

#include "absl/strings/string_view.h"

namespace lifesign::cli {

bool StdoutIsTerminal();
bool StdinIsTerminal();

// On a terminal, unless the environment says NO_COLOR or TERM=dumb.
bool ColoursWanted();

struct ScreenSize {
  int columns;
  int rows;
};
// 80 by 24 where it cannot be known.
ScreenSize SizeOfScreen();

// Writes all of `text` to standard output at once, or nothing more if nobody
// takes it. Returns whether somebody did.
bool WriteOut(absl::string_view text);

// The alternate screen, with the cursor hidden. What the terminal showed before
// is back when the object goes.
class AlternateScreen {
 public:
  AlternateScreen();
  ~AlternateScreen();

  AlternateScreen(const AlternateScreen&) = delete;
  AlternateScreen& operator=(const AlternateScreen&) = delete;

  // Shows `lines`, each ended by \n, instead of what it showed.
  void Show(absl::string_view lines);
};

// Keys arrive one by one, without Enter and unseen. Ctrl-C still interrupts.
// Does nothing if standard input is no terminal.
class SingleKeys {
 public:
  SingleKeys();
  ~SingleKeys();

  SingleKeys(const SingleKeys&) = delete;
  SingleKeys& operator=(const SingleKeys&) = delete;

 private:
  bool changed_ = false;
  termios before_ = {};
};

}  // namespace lifesign::cli

#endif  // LIFESIGN_CLIENT_CLI_TERMINAL_TERMINAL_H_
