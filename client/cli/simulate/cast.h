// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Who takes part in a simulation: people with their devices, gateways with
// their clients. Pure, and the same for the same seed.
#ifndef LIFESIGN_CLIENT_CLI_SIMULATE_CAST_H_
#define LIFESIGN_CLIENT_CLI_SIMULATE_CAST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "client/cli/simulate/behaviour.h"
#include "lifesign/v1/presence.pb.h"

namespace lifesign::simulate {

// One session, and how it behaves.
struct Role {
  std::string user;
  std::string session;
  v1::DeviceClass device;
  Habit habit;
  Network network;
  // The room that the session is in while it is open. Empty: none.
  std::string room = {};
};

// The rooms of people.
std::vector<std::string> Rooms();

// One to three roles a person, two on average. Names are unique. The roles of
// a person are all in the same room.
std::vector<Role> CastPeople(int people, std::uint64_t seed);

// The clients of the `gateway`-th gateway, counted from 1: one role each, in no
// room.
std::vector<Role> CastGateway(int gateway, int clients, std::uint64_t seed);

}  // namespace lifesign::simulate

#endif  // LIFESIGN_CLIENT_CLI_SIMULATE_CAST_H_
