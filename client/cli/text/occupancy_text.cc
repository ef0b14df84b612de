// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/text/occupancy_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/text/words.h"

namespace lifesign::cli {

std::string OccupancyText(const v1::Occupancy& occupancy,
                          const Palette& palette) {
  const std::string name = Printable(occupancy.room_id());
  std::string text =
      absl::StrCat(name, "  ", CountOf(occupancy.users(), "user"), ", ",
                   CountOf(occupancy.sessions(), "session"));
  const char* separator = ": ";
  for (const v1::UserCount& count : occupancy.user_counts()) {
    absl::StrAppend(&text, separator, count.users(), " ",
                    palette.State(count.state(), StateWord(count.state())));
    separator = ", ";
  }
  text += "\n";
  for (const v1::OccupancyWindow& window : occupancy.windows()) {
    absl::StrAppend(&text, Padded("", WidthOf(name)), "  last ",
                    Span(DurationOf(window.window())), ": at most ",
                    window.peak_users(), ", on average ",
                    absl::StrFormat("%.1f", window.mean_users()), "\n");
  }
  return text;
}

}  // namespace lifesign::cli
