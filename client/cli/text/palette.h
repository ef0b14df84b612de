// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Colours for people at a terminal.
#ifndef LIFESIGN_CLIENT_CLI_TEXT_PALETTE_H_
#define LIFESIGN_CLIENT_CLI_TEXT_PALETTE_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "lifesign/v1/presence.pb.h"

namespace lifesign::cli {

// Where colours are off, every text comes back as it is.
class Palette {
 public:
  explicit Palette(bool on) : on_(on) {}

  // Green for who is there, ever paler for who is less.
  std::string State(v1::PresenceState state, absl::string_view text) const {
    switch (state) {
      case v1::PRESENCE_STATE_ACTIVE:
        return Paint("1;32", text);
      case v1::PRESENCE_STATE_IDLE:
        return Paint("33", text);
      case v1::PRESENCE_STATE_AWAY:
        return Paint("36", text);
      case v1::PRESENCE_STATE_STALE:
        return Paint("35", text);
      default:
        return Paint("2", text);
    }
  }
  std::string Bold(absl::string_view text) const { return Paint("1", text); }
  std::string Dim(absl::string_view text) const { return Paint("2", text); }
  std::string Bad(absl::string_view text) const { return Paint("1;31", text); }

 private:
  std::string Paint(absl::string_view code, absl::string_view text) const {
    if (!on_) return std::string(text);
    return absl::StrCat("\x1b[", code, "m", text, "\x1b[0m");
  }

  bool on_;
};

}  // namespace lifesign::cli

#endif  // LIFESIGN_CLIENT_CLI_TEXT_PALETTE_H_
