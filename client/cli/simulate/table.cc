// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/simulate/table.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/cli/text/words.h"
#include "server/base/utf8.h"

namespace lifesign::simulate {
namespace {

using cli::Padded;

constexpr std::size_t kPersonWidth = 10;
constexpr std::size_t kStateWidth = 7;
constexpr std::size_t kSinceWidth = 10;
constexpr std::size_t kDevicesWidth = 19;
constexpr std::size_t kCauseWidth = 15;

// The first `width` code points.
absl::string_view Cut(absl::string_view text, std::size_t width) {
  absl::string_view rest = text;
  for (std::size_t i = 0; i < width && !rest.empty(); ++i) TakeCodePoint(rest);
  return text.substr(0, text.size() - rest.size());
}

std::string Cell(absl::string_view text, std::size_t width) {
  return Padded(Cut(text, width), width) + " ";
}

std::string Totals(const Picture& picture) {
  const Figures& figures = picture.figures;
  const double share = figures.signals == 0
                           ? 0
                           : 100.0 * static_cast<double>(figures.suppressed()) /
                                 static_cast<double>(figures.signals);
  return absl::StrFormat(
      "signals sent %d (%.0f/s)  changes received %d (%.1f/s)  suppressed %d "
      "(%.0f %%)",
      figures.signals, picture.signals_per_second, figures.changes,
      picture.changes_per_second, figures.suppressed(), share);
}

// A row that never gets wider than the screen, whatever is added.
class Row {
 public:
  explicit Row(std::size_t width) : left_(width) {}

  // `paint` colours what is left of the text; colours have no width.
  template <typename Paint>
  void Add(absl::string_view text, Paint paint) {
    const absl::string_view cut = Cut(text, left_);
    left_ -= cli::WidthOf(cut);
    row_ += paint(cut);
  }
  void Add(absl::string_view text) {
    Add(text, [](absl::string_view cut) { return std::string(cut); });
  }
  const std::string& text() const { return row_; }

 private:
  std::size_t left_;
  std::string row_;
};

std::string Watched(const Figures& figures, std::size_t width,
                    const cli::Palette& palette) {
  Row row(width);
  row.Add(absl::StrCat("watchers ", figures.watchers, "  "));
  row.Add(absl::StrCat("false offline ", figures.false_offline),
          [&](absl::string_view cut) {
            return figures.false_offline == 0 ? std::string(cut)
                                              : palette.Bad(cut);
          });
  return row.text();
}

// Of a name that does not move when the numbers do.
std::string Named(absl::string_view name, absl::string_view text,
                  std::size_t width) {
  return std::string(
      Cut(absl::StrCat(Padded(name, kPersonWidth), " ", text), width));
}

std::string Group(const GroupRow& group, const cli::Palette& palette) {
  std::string line = Padded(group.name, kPersonWidth);
  for (int state = v1::PRESENCE_STATE_ACTIVE;
       state <= v1::PRESENCE_STATE_OFFLINE; ++state) {
    const auto named = static_cast<v1::PresenceState>(state);
    absl::StrAppend(
        &line, " ",
        palette.State(named, absl::StrFormat("%5d %s", group.users[state],
                                             cli::StateWord(named))));
  }
  return line;
}

std::string Person(const PersonRow& person, std::size_t width,
                   const cli::Palette& palette) {
  Row row(width);
  row.Add(Cell(person.name, kPersonWidth));
  row.Add(
      Cell(cli::StateWord(person.state), kStateWidth),
      [&](absl::string_view cut) { return palette.State(person.state, cut); });
  row.Add(Cell(cli::Span(absl::Floor(person.since, absl::Milliseconds(100))),
               kSinceWidth));
  row.Add(Cell(person.devices, kDevicesWidth));
  row.Add(Cell(cli::CauseWords(person.cause), kCauseWidth));
  row.Add(person.doing);
  return row.text();
}

// The places of those who are shown, in their order.
std::vector<std::size_t> Shown(const std::vector<PersonRow>& people,
                               std::size_t rows) {
  std::vector<std::size_t> places(people.size());
  std::iota(places.begin(), places.end(), 0);
  if (places.size() <= rows) return places;
  std::stable_sort(places.begin(), places.end(),
                   [&people](std::size_t a, std::size_t b) {
                     return people[a].since < people[b].since;
                   });
  places.resize(rows);
  std::sort(places.begin(), places.end());
  return places;
}

}  // namespace

std::string RoomsText(const std::vector<RoomRow>& rooms) {
  return absl::StrJoin(rooms, "  ", [](std::string* out, const RoomRow& room) {
    absl::StrAppend(out, room.name, " ", room.users, " (", room.active,
                    " active)");
  });
}

std::string SlowText(const Picture& picture) {
  const absl::Duration p99 =
      absl::Ceil(picture.delay_p99, absl::Milliseconds(1));
  return absl::StrCat("a watcher that hardly reads took ",
                      picture.slow_messages, " messages, ",
                      picture.slow_records, " records; others are told within ",
                      absl::ToInt64Milliseconds(p99), " ms");
}

std::string Table(const Picture& picture, cli::ScreenSize size,
                  const cli::Palette& palette) {
  const auto width = static_cast<std::size_t>(std::max(size.columns, 20));
  const auto height = static_cast<std::size_t>(std::max(size.rows, 4));
  std::vector<std::string> lines;
  lines.push_back(palette.Bold(Cut(picture.title, width)));
  lines.emplace_back(Cut(Totals(picture), width));
  lines.push_back(Watched(picture.figures, width, palette));
  for (const GroupRow& group : picture.groups) {
    // Narrower than any screen that shows a table at all.
    if (width >= 75) lines.push_back(Group(group, palette));
  }
  lines.push_back(Named("rooms", RoomsText(picture.rooms), width));
  lines.push_back(Named("slow", SlowText(picture), width));
  const std::string head =
      absl::StrCat(Cell("person", kPersonWidth), Cell("state", kStateWidth),
                   Cell("for", kSinceWidth), Cell("sessions", kDevicesWidth),
                   Cell("because", kCauseWidth), "is really");
  lines.push_back(palette.Dim(Cut(head, width)));
  const std::size_t rows = height > lines.size() ? height - lines.size() : 0;
  for (const std::size_t place : Shown(picture.people, rows)) {
    lines.push_back(Person(picture.people[place], width, palette));
  }
  std::string table;
  for (std::size_t i = 0; i < std::min(lines.size(), height); ++i) {
    absl::StrAppend(&table, lines[i], "\n");
  }
  return table;
}

}  // namespace lifesign::simulate
