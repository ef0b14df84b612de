// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// How many are in a room, in words for people.
#ifndef LIFESIGN_CLIENT_CLI_TEXT_OCCUPANCY_TEXT_H_
#define LIFESIGN_CLIENT_CLI_TEXT_OCCUPANCY_TEXT_H_

#include <string>

#include "client/cli/text/palette.h"
#include "lifesign/v1/presence.pb.h"

namespace lifesign::cli {

// With its end: "lobby  3 users, 4 sessions: 2 active, 1 away".
std::string OccupancyLine(const v1::Occupancy& occupancy,
                          const Palette& palette);

// The same, and lines of what was lately:
//          last 1 min: at most 5, on average 3.2
std::string OccupancyText(const v1::Occupancy& occupancy,
                          const Palette& palette);

// {"event":"occupancy","occupancy":…}, with its end.
std::string OccupancyJson(const v1::Occupancy& occupancy);

}  // namespace lifesign::cli

#endif  // LIFESIGN_CLIENT_CLI_TEXT_OCCUPANCY_TEXT_H_
