// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/terminal/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace lifesign::cli {
namespace {

constexpr char kEnterScreen[] = "\x1b[?1049h\x1b[?25l";
constexpr char kLeaveScreen[] = "\x1b[?25h\x1b[?1049l";
constexpr char kHome[] = "\x1b[H";
constexpr char kClearRestOfLine[] = "\x1b[K";
constexpr char kClearBelow[] = "\x1b[J";

}  // namespace

bool StdoutIsTerminal() { return isatty(STDOUT_FILENO) == 1; }
bool StdinIsTerminal() { return isatty(STDIN_FILENO) == 1; }

bool ColoursWanted() {
  // https://no-color.org: present and not empty, whatever it says.
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') return false;
  const char* term = std::getenv("TERM");
  if (term == nullptr || absl::string_view(term) == "dumb") return false;
  return StdoutIsTerminal();
}

ScreenSize SizeOfScreen() {
  winsize size = {};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 ||
      size.ws_row == 0) {
    return {80, 24};
  }
  return {size.ws_col, size.ws_row};
}

bool WriteOut(absl::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

AlternateScreen::AlternateScreen() { WriteOut(kEnterScreen); }
AlternateScreen::~AlternateScreen() { WriteOut(kLeaveScreen); }

void AlternateScreen::Show(absl::string_view lines) {
  // In one write and line by line over the old, so that nothing flickers.
  std::string frame = kHome;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    absl::StrAppend(&frame, lines.substr(0, end), kClearRestOfLine);
    if (end == absl::string_view::npos) break;
    lines.remove_prefix(end + 1);
    // None after the last: it would scroll a full screen.
    if (!lines.empty()) frame += "\r\n";
  }
  frame += kClearBelow;
  WriteOut(frame);
}

SingleKeys::SingleKeys() {
  if (!StdinIsTerminal() || tcgetattr(STDIN_FILENO, &before_) != 0) return;
  termios single = before_;
  single.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  single.c_cc[VMIN] = 1;
  single.c_cc[VTIME] = 0;
  changed_ = tcsetattr(STDIN_FILENO, TCSANOW, &single) == 0;
}

SingleKeys::~SingleKeys() {
  if (changed_) tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

}  // namespace lifesign::cli
