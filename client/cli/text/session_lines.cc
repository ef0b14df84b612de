// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/text/session_lines.h"

#include "absl/strings/str_cat.h"
#include "client/cli/text/json_line.h"
#include "client/cli/text/words.h"

namespace lifesign::cli {
namespace {

using client::Link;
using client::SessionEnd;
using client::SessionStatus;

const char* LinkWord(Link link) {
  switch (link) {
    case Link::kIdle:
      return "idle";
    case Link::kConnecting:
      return "connecting";
    case Link::kConnected:
      return "connected";
    case Link::kWaiting:
      return "waiting";
    case Link::kEnded:
      break;
  }
  return "ended";
}

// As in JSON.
const char* EndWord(SessionEnd end) {
  switch (end) {
    case SessionEnd::kNotEnded:
      return "";
    case SessionEnd::kLeft:
      return "left";
    case SessionEnd::kDetached:
      return "detached";
    case SessionEnd::kTakenOver:
      return "taken_over";
    case SessionEnd::kRefused:
      break;
  }
  return "refused";
}

std::string SpanOf(client::Duration duration) {
  return Span(absl::FromChrono(duration));
}

std::string Ended(const std::string& name, SessionEnd end) {
  switch (end) {
    case SessionEnd::kLeft:
      return absl::StrCat(name, " has left");
    case SessionEnd::kTakenOver:
      return absl::StrCat(name, " was taken over by another instance");
    default:
      return absl::StrCat(name, " is no longer held");
  }
}

}  // namespace

SessionLines::SessionLines(absl::string_view user, absl::string_view session)
    : name_(absl::StrCat(Printable(user), "/", Printable(session))) {}

std::string SessionLines::IfNew(const std::string& line) {
  if (line == last_) return "";
  last_ = line;
  return line + "\n";
}

std::string SessionLines::Text(const SessionStatus& status,
                               const Palette& palette) {
  if (status.end != SessionEnd::kNotEnded) {
    return IfNew(Ended(name_, status.end));
  }
  if (status.link == Link::kWaiting) {
    std::string line =
        absl::StrCat("connection lost (",
                     Printable(client::ToString(status.last_error)), ")");
    if (status.reconnect_in.has_value()) {
      absl::StrAppend(&line, "; again in ", SpanOf(*status.reconnect_in));
    }
    return IfNew(line);
  }
  if (status.link != Link::kConnected) return "";
  return IfNew(absl::StrCat(
      name_, " is ", palette.State(status.state, StateWord(status.state)),
      status.resumed ? ", resumed" : "", "; a beat every ",
      SpanOf(status.next_interval)));
}

std::string SessionLines::Json(const SessionStatus& status) {
  JsonLine line;
  line.Text("event", "status")
      .Text("link", LinkWord(status.link))
      .Text("state", v1::PresenceState_Name(status.state))
      .Fraction("next_interval_seconds",
                std::chrono::duration<double>(status.next_interval).count())
      .Bool("resumed", status.resumed)
      .Text("attachment", absl::StrCat(status.attachment))
      .Text("end", EndWord(status.end))
      .Text("error",
            status.last_error.ok() ? "" : client::ToString(status.last_error));
  return IfNew(line.Done());
}

}  // namespace lifesign::cli
