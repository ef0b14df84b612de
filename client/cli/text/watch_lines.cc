// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/text/watch_lines.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/cli/text/json_line.h"
#include "client/cli/text/words.h"

namespace lifesign::cli {
namespace {

constexpr std::size_t kStateWidth = 7;
// Of everyone, whose names are not known before.
constexpr std::size_t kUsualNameWidth = 16;

std::size_t WidestOf(const std::vector<std::string>& users) {
  if (users.empty()) return kUsualNameWidth;
  std::size_t width = 0;
  for (const std::string& user : users) {
    width = std::max(width, WidthOf(Printable(user)));
  }
  return width;
}

// Of a user of whom nothing was told before.
std::string FirstWord(const v1::PresenceRecord& record, absl::Time now) {
  if (record.state() == v1::PRESENCE_STATE_OFFLINE) {
    if (!record.has_last_seen()) return "never seen";
    return absl::StrCat("last seen ", Ago(now - TimeOf(record.last_seen())));
  }
  std::string text = "for ";
  absl::StrAppend(
      &text, Span(absl::Floor(now - TimeOf(record.since()), absl::Seconds(1))));
  if (record.has_last_active()) {
    absl::StrAppend(&text, "; active ",
                    Ago(now - TimeOf(record.last_active())));
  }
  return text;
}

// "; web active, mobile idle"; nothing unless that was asked for.
std::string OnEachDevice(const v1::PresenceRecord& record) {
  std::string text;
  for (const v1::DevicePresence& device : record.devices()) {
    absl::StrAppend(&text, text.empty() ? "; " : ", ",
                    DeviceWord(device.device_class()), " ",
                    StateWord(device.state()));
  }
  return text;
}

}  // namespace

WatchLines::WatchLines(const std::vector<std::string>& users)
    : name_width_(WidestOf(users)) {}

std::string WatchLines::Text(const client::PresenceChange& change,
                             absl::Time now, absl::TimeZone zone,
                             const Palette& palette) const {
  const v1::PresenceRecord& after = change.after;
  // `since` is of the state.
  const bool changes_state =
      change.before.has_value() && change.before->state() != after.state();
  const absl::Time at =
      changes_state && after.has_since() ? TimeOf(after.since()) : now;
  const std::string availability = AvailabilityText(after.availability(), now);
  std::string what;
  if (change.before.has_value() && !changes_state) {
    if (!availability.empty()) {
      what = availability;
    } else {
      const bool was_available =
          AvailabilityText(change.before->availability(), now).empty();
      what = was_available ? "as before" : "available again";
    }
  } else {
    what = change.before.has_value()
               ? absl::StrCat("was ", StateWord(change.before->state()), "; ",
                              CauseWords(after.cause()))
               : FirstWord(after, now);
    if (!availability.empty()) absl::StrAppend(&what, "; ", availability);
  }
  return absl::StrCat(
      Clock(at, now, zone), "  ",
      Padded(Printable(after.user_id()), name_width_), "  ",
      palette.State(after.state(),
                    Padded(StateWord(after.state()), kStateWidth)),
      "  ", what, OnEachDevice(after), "\n");
}

std::string WatchLines::Json(const client::PresenceChange& change) const {
  JsonLine line;
  line.Text("event", "change");
  if (change.before.has_value()) {
    line.Message("before", *change.before);
  } else {
    line.Null("before");
  }
  line.Message("after", change.after);
  return line.Done() + "\n";
}

}  // namespace lifesign::cli
