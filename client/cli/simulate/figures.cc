// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/simulate/figures.h"

#include "absl/strings/str_cat.h"
#include "client/cli/text/json_line.h"

namespace lifesign::simulate {

std::string Figures::Line() const {
  return absl::StrCat("run: users=", users, " sessions=", sessions,
                      " signals=", signals, " changes=", changes,
                      " watchers=", watchers, " suppressed=", suppressed(),
                      " false_offline=", false_offline);
}

std::string Figures::Json(const char* event) const {
  const auto number = [](std::uint64_t value) {
    return static_cast<std::int64_t>(value);
  };
  return cli::JsonLine()
      .Text("event", event)
      .Number("users", users)
      .Number("sessions", sessions)
      .Number("signals", number(signals))
      .Number("changes", number(changes))
      .Number("watchers", watchers)
      .Number("suppressed", number(suppressed()))
      .Number("false_offline", number(false_offline))
      .Done();
}

}  // namespace lifesign::simulate
