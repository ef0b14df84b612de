// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The text of `lifesignd --help`, made from the comments of config.proto.
#ifndef LIFESIGN_SERVER_OPS_CONFIG_FLAG_HELP_H_
#define LIFESIGN_SERVER_OPS_CONFIG_FLAG_HELP_H_

#include <string>

#include "absl/strings/string_view.h"

namespace lifesign {

// The one setting that has a second, shorter flag, because an error asks for
// it by that name.
inline constexpr absl::string_view kInsecurePath = "server.insecure";
inline constexpr absl::string_view kInsecureFlag = "insecure";

// At most 80 columns wide; ends with a line end.
std::string FlagHelp();

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_OPS_CONFIG_FLAG_HELP_H_
