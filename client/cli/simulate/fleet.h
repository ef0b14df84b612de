// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// All players of a simulation, and whose turn it is.
#ifndef LIFESIGN_CLIENT_CLI_SIMULATE_FLEET_H_
#define LIFESIGN_CLIENT_CLI_SIMULATE_FLEET_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/settings.h"
#include "client/cli/simulate/gateway.h"
#include "client/cli/simulate/ledger.h"
#include "client/cli/simulate/stopwatch.h"
#include "client/cli/simulate/stream_player.h"

namespace lifesign::simulate {

// One person and their sessions.
struct Person {
  std::string name;
  std::vector<StreamPlayer*> players;
};

// For one thread.
class Fleet {
 public:
  // Nobody is there yet. `unit` is the pace, see Life. The first session of the
  // first person may be open already, under FirstInstance(seed, 0). `ledger`
  // outlives the fleet.
  Fleet(const cli::Settings& settings, const cli::SimulateSettings& simulate,
        Duration unit, Ledger& ledger, Stopwatch stopwatch);

  // Everybody who will take part, gateways' clients included.
  std::vector<std::string> Users() const;
  const std::vector<Person>& people() const { return people_; }

  // When the next action is due.
  Duration due() const;
  // Does what is due by now.
  void Play();

  struct Totals {
    int users = 0;
    int sessions = 0;
    std::uint64_t signals = 0;
  };
  // Users and sessions that were ever there; signals written to streams.
  Totals totals() const;

  // All say goodbye; waits until the server knows, at most `timeout`.
  void Leave(Duration timeout);

 private:
  // The next turn: when, and whose.
  using Turn = std::pair<Duration, std::size_t>;

  void HirePeople(const cli::Settings& settings,
                  const cli::SimulateSettings& simulate, Duration unit);
  void HireGateways(const cli::Settings& settings,
                    const cli::SimulateSettings& simulate, Duration unit);
  Player::Part PartOf(Role role, std::uint64_t seed, Duration unit);

  Ledger& ledger_;
  const Stopwatch stopwatch_;
  Random births_;
  Ledger::SessionNumber next_number_ = 0;

  // Gateways after their clients: they go first, and tell nobody any more.
  std::vector<std::unique_ptr<GatewayClient>> clients_;
  std::vector<std::unique_ptr<Gateway>> gateways_;
  std::vector<std::unique_ptr<StreamPlayer>> streams_;
  std::vector<Person> people_;
  std::vector<Player*> players_;
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns_;
};

}  // namespace lifesign::simulate

#endif  // LIFESIGN_CLIENT_CLI_SIMULATE_FLEET_H_
