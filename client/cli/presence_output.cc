// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/presence_output.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "client/cli/terminal/terminal.h"

namespace lifesign::cli {
namespace {

constexpr std::size_t kStateWidth = 7;

}  // namespace

bool PrintLine(const std::string& line) {
  return WriteOut(absl::StrCat(line, "\n"));
}

bool PrintPresences(const Presences& presences, absl::Time read_time,
                    std::size_t name_width, const Palette& palette) {
  for (const v1::Presence& presence : presences) {
    const std::string state = Padded(StateWord(presence.state()), kStateWidth);
    const std::string name = Padded(Printable(presence.user_id()), name_width);
    if (!PrintLine(absl::StrCat(name, "  ",
                                palette.State(presence.state(), state), "  ",
                                PresenceText(presence, read_time)))) {
      return false;
    }
  }
  return true;
}

std::size_t NameWidth(const Presences& presences) {
  std::size_t width = 0;
  for (const v1::Presence& presence : presences) {
    width = std::max(width, WidthOf(Printable(presence.user_id())));
  }
  return width;
}

void NoteReconvergence(absl::Duration left) {
  std::fputs(
      absl::StrCat("lifesign: the server has just started; for another ",
                   Span(left), " people may be missing who will come back\n")
          .c_str(),
      stderr);
}

}  // namespace lifesign::cli
