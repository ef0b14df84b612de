// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/simulate/fleet.h"

#include <algorithm>
#include <set>
#include <utility>

#include "lifesign/client/channel.h"

namespace lifesign::simulate {
namespace {

// Streams that share a connection; a server takes 1,000.
constexpr std::size_t kStreamsPerChannel = 500;

// Everybody comes within so many units.
constexpr double kArrival = 2;

}  // namespace

Fleet::Fleet(const cli::Settings& settings,
             const cli::SimulateSettings& simulate, Duration unit,
             Ledger& ledger, Stopwatch stopwatch)
    : ledger_(ledger),
      stopwatch_(stopwatch),
      births_(simulate.seed, ~std::uint64_t{0}) {
  HirePeople(settings, simulate, unit);
  HireGateways(settings, simulate, unit);
  for (std::size_t i = 0; i < players_.size(); ++i) {
    turns_.emplace(players_[i]->due(), i);
  }
}

Player::Part Fleet::PartOf(Role role, std::uint64_t seed, Duration unit) {
  const double born =
      births_.Uniform(0, kArrival) * static_cast<double>(unit.count());
  return {std::move(role), next_number_++,
          Duration(static_cast<Duration::rep>(born)), unit, seed};
}

void Fleet::HirePeople(const cli::Settings& settings,
                       const cli::SimulateSettings& simulate, Duration unit) {
  std::shared_ptr<grpc::Channel> channel;
  for (Role& role : CastPeople(simulate.people, simulate.seed)) {
    if (streams_.size() % kStreamsPerChannel == 0) {
      channel = client::MakeChannel(settings.target);
    }
    if (people_.empty() || people_.back().name != role.user) {
      people_.push_back({role.user, {}});
    }
    streams_.push_back(std::make_unique<StreamPlayer>(
        PartOf(std::move(role), simulate.seed, unit), ledger_, stopwatch_,
        channel, settings.tenant));
    people_.back().players.push_back(streams_.back().get());
    players_.push_back(streams_.back().get());
  }
}

void Fleet::HireGateways(const cli::Settings& settings,
                         const cli::SimulateSettings& simulate, Duration unit) {
  for (int number = 1; number <= simulate.gateways; ++number) {
    gateways_.push_back(std::make_unique<Gateway>(
        client::MakeChannel(settings.target), settings.tenant));
    for (Role& role :
         CastGateway(number, simulate.clients_per_gateway, simulate.seed)) {
      clients_.push_back(std::make_unique<GatewayClient>(
          PartOf(std::move(role), simulate.seed, unit), ledger_, stopwatch_,
          *gateways_.back()));
      players_.push_back(clients_.back().get());
    }
  }
}

std::vector<std::string> Fleet::Users() const {
  std::vector<std::string> users;
  for (const Person& person : people_) users.push_back(person.name);
  for (const auto& client : clients_) users.push_back(client->role().user);
  return users;
}

Duration Fleet::due() const { return turns_.top().first; }

void Fleet::Play() {
  const Duration now = stopwatch_.Elapsed();
  // One turn each, so that nobody who is late keeps all others waiting.
  for (std::size_t i = 0; i < players_.size(); ++i) {
    const auto [due, whose] = turns_.top();
    if (due > now) return;
    turns_.pop();
    players_[whose]->Play();
    turns_.emplace(players_[whose]->due(), whose);
  }
}

Fleet::Totals Fleet::totals() const {
  Totals totals;
  std::set<absl::string_view> users;
  for (const Player* player : players_) {
    if (!player->ever_present()) continue;
    ++totals.sessions;
    users.insert(player->role().user);
  }
  totals.users = static_cast<int>(users.size());
  for (const auto& stream : streams_) {
    totals.signals += stream->signals_sent();
  }
  for (const auto& gateway : gateways_) {
    totals.signals += gateway->stream().counters().signals_sent;
  }
  return totals;
}

void Fleet::Leave(Duration timeout) {
  const Duration until = stopwatch_.Elapsed() + timeout;
  const auto left = [&] {
    return std::max(until - stopwatch_.Elapsed(), Duration::zero());
  };
  for (const auto& stream : streams_) stream->Leave();
  for (const auto& client : clients_) client->Leave();
  for (const auto& stream : streams_) stream->AwaitLeft(left());
  for (const auto& gateway : gateways_) {
    gateway->stream().AwaitSettled(left());
  }
}

}  // namespace lifesign::simulate
