// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/text/occupancy_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/text/json_line.h"
#include "client/cli/text/words.h"

namespace lifesign::cli {

std::string OccupancyLine(const v1::Occupancy& occupancy,
                          const Palette& palette) {
  std::string line = absl::StrCat(Printable(occupancy.room_id()), "  ",
                                  CountOf(occupancy.users(), "user"), ", ",
                                  CountOf(occupancy.sessions(), "session"));
  const char* separator = ": ";
  for (const v1::UserCount& count : occupancy.user_counts()) {
    absl::StrAppend(&line, separator, count.users(), " ",
                    palette.State(count.state(), StateWord(count.state())));
    separator = ", ";
  }
  return line + "\n";
}

std::string OccupancyText(const v1::Occupancy& occupancy,
                          const Palette& palette) {
  const std::size_t width = WidthOf(Printable(occupancy.room_id()));
  std::string text = OccupancyLine(occupancy, palette);
  for (const v1::OccupancyWindow& window : occupancy.windows()) {
    absl::StrAppend(&text, Padded("", width), "  last ",
                    Span(DurationOf(window.window())), ": at most ",
                    window.peak_users(), ", on average ",
                    absl::StrFormat("%.1f", window.mean_users()), "\n");
  }
  return text;
}

std::string OccupancyJson(const v1::Occupancy& occupancy) {
  return JsonLine()
             .Text("event", "occupancy")
             .Message("occupancy", occupancy)
             .Done() +
         "\n";
}

}  // namespace lifesign::cli
