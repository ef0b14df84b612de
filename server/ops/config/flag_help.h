// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The text of `lifesignd --help`, made from the comments of config.proto.
#ifndef LIFESIGN_SERVER_OPS_CONFIG_FLAG_HELP_H_
#define LIFESIGN_SERVER_OPS_CONFIG_FLAG_HELP_H_

#include <string>

#include "absl/strings/string_view.h"

namespace lifesign {

// The settings that have a second, shorter flag: those that allow what is
// otherwise refused, and are asked for by that name.
struct ShortFlag {
  absl::string_view path;
  absl::string_view flag;
};
inline constexpr ShortFlag kShortFlags[] = {
    {"server.insecure", "insecure"},
    {"server.see_through", "see-through"},
};

// At most 80 columns wide; ends with a line end.
std::string FlagHelp();

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_OPS_CONFIG_FLAG_HELP_H_
