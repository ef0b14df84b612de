// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The live view of a simulation: what a watcher was told, beside what people
// are really doing. Pure.
#ifndef LIFESIGN_CLIENT_CLI_SIMULATE_TABLE_H_
#define LIFESIGN_CLIENT_CLI_SIMULATE_TABLE_H_

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

struct Picture {
  std::string title;
  Figures figures;
  double signals_per_second = 0;
  double changes_per_second = 0;
  std::vector<GroupRow> groups;
  std::vector<PersonRow> people;
};

// Fills `size` at most: of the people as many as fit, those first whose change
// is the most recent, in the order in which they were given. Lines ended by \n,
// none wider than the screen.
std::string Table(const Picture& picture, cli::ScreenSize size,
                  const cli::Palette& palette);

}  // namespace lifesign::simulate

#endif  // LIFESIGN_CLIENT_CLI_SIMULATE_TABLE_H_
