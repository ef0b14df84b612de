// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What a watch prints: one line a change.
#ifndef LIFESIGN_CLIENT_CLI_TEXT_WATCH_LINES_H_
#define LIFESIGN_CLIENT_CLI_TEXT_WATCH_LINES_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/cli/text/palette.h"
#include "lifesign/client/watcher.h"

namespace lifesign::cli {

// Pure. Lines come with their end.
class WatchLines {
 public:
  // `users` are those who are watched: their names make the column's width.
  // None: it is everyone.
  explicit WatchLines(const std::vector<std::string>& users);

  // "10:02:31  ann  active   was away; heard of", or for the first word
  // "10:02:31  ann  active   for 3 min; active 4 s ago". `now` is the server's.
  std::string Text(const client::PresenceChange& change, absl::Time now,
                   absl::TimeZone zone, const Palette& palette) const;

  // {"event":"change","before":…,"after":…}; `before` is null for the first
  // word.
  std::string Json(const client::PresenceChange& change) const;

 private:
  const std::size_t name_width_;
};

}  // namespace lifesign::cli

#endif  // LIFESIGN_CLIENT_CLI_TEXT_WATCH_LINES_H_
