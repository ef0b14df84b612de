// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// How many there are, in words for people.
#ifndef LIFESIGN_CLIENT_CLI_TEXT_COUNTS_H_
#define LIFESIGN_CLIENT_CLI_TEXT_COUNTS_H_

#include <string>

#include "lifesign/v1/presence_service.pb.h"

namespace lifesign::cli {

// "2 users online: 1 active, 1 idle; 5 remembered", the same for sessions, then
// a line for each device class that has any.
std::string CountsText(const v1::CountPresencesResponse& counts);

// "2 users in lobby: 1 active, 1 idle", and the number of their sessions there.
std::string RoomCountsText(const std::string& room,
                           const v1::CountPresencesResponse& counts);

}  // namespace lifesign::cli

#endif  // LIFESIGN_CLIENT_CLI_TEXT_COUNTS_H_
