// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What the command line of lifesignd asks for.
#ifndef LIFESIGN_SERVER_OPS_CONFIG_COMMAND_LINE_H_
#define LIFESIGN_SERVER_OPS_CONFIG_COMMAND_LINE_H_

#include <ostream>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "lifesign/config/v1/config.pb.h"
#include "server/ops/exit_codes.h"

namespace lifesign {

struct ServerCommand {
  // With it, serve; without, end with `exit_code`: everything was said.
  absl::optional<config::v1::Config> config;
  ExitCode exit_code = kExitOk;
};

// Reads flags and the file they name, checks all of it, and answers --help,
// --version, --check-config and --print-config on `out`. Every error goes to
// `err`, one a line, each with where it is; the exit code is then kExitUsage.
// The configuration handed out is effective: every setting has a value.
ServerCommand ReadCommandLine(int argc, const char* const* argv,
                              absl::string_view version, std::ostream& out,
                              std::ostream& err);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_OPS_CONFIG_COMMAND_LINE_H_
