// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The live view of a simulation: what a watcher was told, beside what people
// are really doing. Pure.
#ifndef LIFESIGN_CLIENT_CLI_SIMULATE_TABLE_H_
#define LIFESIGN_CLIENT_CLI_SIMULATE_TABLE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/cli/simulate/figures.h"
#include "client/cli/terminal/terminal.h"
#include "client/cli/text/palette.h"
#include "lifesign/v1/presence.pb.h"

namespace lifesign::simulate {

struct PersonRow {
  std::string name;
  v1::PresenceState state = v1::PRESENCE_STATE_UNSPECIFIED;
  absl::Duration since;  // ago
  std::string devices;   // that hold a session now
  v1::Cause cause = v1::CAUSE_UNSPECIFIED;
  std::string doing;
};

// How many users of a group are in each state.
struct GroupRow {
  std::string name;
  // By the number of the state.
  int users[v1::PresenceState_ARRAYSIZE] = {};
};

// How many are in a room.
struct RoomRow {
  std::string name;
  int users = 0;
  int active = 0;
};

struct Picture {
  std::string title;
  Figures figures;
  double signals_per_second = 0;
  double changes_per_second = 0;
  std::vector<RoomRow> rooms;
  // What the watcher that hardly reads has read, and how soon the others were
  // told meanwhile.
  std::uint64_t slow_messages = 0;
  std::uint64_t slow_records = 0;
  absl::Duration delay_p99;
  std::vector<GroupRow> groups;
  std::vector<PersonRow> people;
};

// "standup 12 (3 active)  design 9 (1 active)"
std::string RoomsText(const std::vector<RoomRow>& rooms);
// "a watcher that hardly reads took 4 messages, 310 records; others are told
// within 3 ms"
std::string SlowText(const Picture& picture);

// Fills `size` at most: of the people as many as fit, those first whose change
// is the most recent, in the order in which they were given. Lines ended by \n,
// none wider than the screen.
std::string Table(const Picture& picture, cli::ScreenSize size,
                  const cli::Palette& palette);

}  // namespace lifesign::simulate

#endif  // LIFESIGN_CLIENT_CLI_SIMULATE_TABLE_H_
