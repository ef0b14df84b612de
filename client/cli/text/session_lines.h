// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What `lifesign beat` prints of the session that it holds.
#ifndef LIFESIGN_CLIENT_CLI_TEXT_SESSION_LINES_H_
#define LIFESIGN_CLIENT_CLI_TEXT_SESSION_LINES_H_

#include <string>

#include "absl/strings/string_view.h"
#include "client/cli/text/palette.h"
#include "lifesign/client/session_status.h"

namespace lifesign::cli {

// Lines come with their end, and only when they say something new.
class SessionLines {
 public:
  SessionLines(absl::string_view user, absl::string_view session);

  // "ann/laptop is active; a beat every 10 s", "connection lost (…); again in
  // 2.1 s", "left", …; empty if it is what was said last.
  std::string Text(const client::SessionStatus& status, const Palette& palette);

  // {"event":"status","link":"connected","state":"PRESENCE_STATE_ACTIVE",…}.
  std::string Json(const client::SessionStatus& status);

 private:
  std::string IfNew(const std::string& line);

  const std::string name_;
  std::string last_;
};

}  // namespace lifesign::cli

#endif  // LIFESIGN_CLIENT_CLI_TEXT_SESSION_LINES_H_
