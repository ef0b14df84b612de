// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Clients of whom a server says how sure it is, and what became of them.
// docs/concepts.md § 6.
#ifndef LIFESIGN_TESTS_SIM_CALIBRATION_POPULATION_H_
#define LIFESIGN_TESTS_SIM_CALIBRATION_POPULATION_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/simulate/behaviour.h"
#include "server/core/presence_engine.h"
#include "tests/sim/schedule.h"

namespace lifesign::sim {

inline constexpr std::size_t kBins = 10;

// What was said in one tenth of [0, 1], and how often it came true.
struct Bin {
  std::uint64_t samples = 0;
  // Of as many silences: samples of one share their outcome.
  std::uint64_t silences = 0;
  double predicted = 0;  // their sum
  double observed = 0;
};
using Bins = std::array<Bin, kBins>;

// One engine, and clients that live by simulate::Life. Confidence is looked at
// every few seconds, of every session that has been silent for longer than it
// promised; each time is a sample, and comes true if the session is heard of
// again before its ttl.
class Population {
 public:
  // `each` clients on each of `networks`.
  Population(const std::vector<simulate::Network>& networks, int each,
             std::uint64_t seed);

  // Lets `length` go by. Samples are taken if `measured`.
  void Live(Duration length, bool measured);

  // By network, in the order of the enum.
  const std::array<Bins, simulate::kNetworks.size()>& bins() const {
    return bins_;
  }

 private:
  struct Sample {
    double predicted;
    bool first_of_bin;
  };
  struct Client {
    Client(std::string user, simulate::Network network,
           const simulate::Life& its_life)
        : name(std::move(user)), on(network), life(its_life) {}

    const std::string name;
    const simulate::Network on;
    simulate::Life life;
    simulate::Promise promise;
    SessionRef ref;
    bool open = false;
    PresenceTime heard{};
    Duration promised{0};
    std::vector<Sample> samples;
  };

  void Expect(Client& client);
  void Act(Client& client, const simulate::Action& action);
  void Heard(Client& client, Duration promised);
  // The silence that runs has ended.
  void End(Client& client, bool returned);
  void Look();
  void Tick();
  Now now() const;

  Schedule schedule_;
  RealTime start_;
  PolicyRow windows_;
  PresenceEngine engine_;
  // Not moved: work points at them.
  std::deque<Client> clients_;
  std::array<Bins, simulate::kNetworks.size()> bins_{};
  bool measured_ = false;
  RealTime next_look_;
  RealTime next_tick_;
};

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_CALIBRATION_POPULATION_H_
