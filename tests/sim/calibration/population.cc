// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/calibration/population.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace lifesign::sim {
namespace {

using simulate::Action;
using simulate::Habit;
using simulate::Life;
using simulate::Network;

constexpr Duration kTick = seconds(1);
// No divisor of any interval.
constexpr Duration kLookEvery = milliseconds(4'700);
constexpr std::array kHabits = {Habit::kWorks, Habit::kTab, Habit::kPhone,
                                Habit::kVisits};

PresenceEngine::Options Options(std::uint64_t seed) {
  PresenceEngine::Options options;
  options.epoch = 1;
  options.hash_seed = seed;
  return options;
}

SignalKind KindOf(simulate::Lifecycle lifecycle) {
  switch (lifecycle) {
    case simulate::Lifecycle::kActive:
      return SignalKind::kActive;
    case simulate::Lifecycle::kIdle:
      return SignalKind::kIdle;
    case simulate::Lifecycle::kBackground:
      break;
  }
  return SignalKind::kBackground;
}

Signal SignalOf(const Action& action) {
  Signal signal;
  signal.kind = KindOf(action.lifecycle);
  if (signal.kind == SignalKind::kActive) signal.idle_for = action.idle_for;
  return signal;
}

}  // namespace

Population::Population(const std::vector<Network>& networks, int each,
                       std::uint64_t seed)
    : start_(schedule_.now()),
      windows_(Policy().defaults),
      engine_(Options(seed), now()),
      next_look_(start_),
      next_tick_(start_) {
  for (const Network network : networks) {
    for (int i = 0; i < each; ++i) {
      const auto number = clients_.size();
      clients_.emplace_back(
          absl::StrCat("u", number), network,
          Life(kHabits[number % kHabits.size()], network,
               windows_.active_interval, simulate::Random(seed, number)));
      clients_.back().promise = {windows_.active_interval,
                                 windows_.idle_interval,
                                 windows_.background_interval};
    }
  }
  for (Client& client : clients_) Expect(client);
}

// Everything runs at once from the start; no process is ever frozen here.
Now Population::now() const {
  const Clock::Reading reading = schedule_.clock().Read();
  return {PresenceTime(reading.real.time_since_epoch()), reading.real,
          reading.wall};
}

void Population::Expect(Client& client) {
  const Action action = client.life.Next(client.promise);
  schedule_.At(start_ + action.at, [this, &client, action] {
    Act(client, action);
    Expect(client);
  });
}

void Population::Act(Client& client, const Action& action) {
  switch (action.kind) {
    case Action::Kind::kOpen:
    case Action::Kind::kReconnect: {
      OpenRequest request;
      request.name = {client.name, "s"};
      request.binding = {1, 1};
      request.instance = 1;
      request.signal = SignalOf(action);
      const OpenOutcome outcome = engine_.Open(request, now());
      client.ref = outcome.ref;
      return Heard(client, outcome.next_interval);
    }
    case Action::Kind::kBeat:
    case Action::Kind::kInteract:
    case Action::Kind::kTurn: {
      const SignalOutcome outcome =
          engine_.Apply(client.ref, SignalOf(action), now());
      if (outcome.ok()) Heard(client, outcome.next_interval);
      return;
    }
    case Action::Kind::kLeave: {
      Signal leave;
      leave.kind = SignalKind::kLeave;
      engine_.Apply(client.ref, leave, now());
      return End(client, false);
    }
    case Action::Kind::kLoseNetwork:
    case Action::Kind::kDie:
    case Action::Kind::kQuiet:
      return;
  }
}

void Population::Heard(Client& client, Duration promised) {
  if (client.open) End(client, true);
  client.open = true;
  client.heard = now().presence;
  client.promised = promised;
}

void Population::End(Client& client, bool returned) {
  client.open = false;
  const bool in_time = now().presence - client.heard < windows_.ttl;
  Bins& bins = bins_[static_cast<std::size_t>(client.on)];
  for (const Sample& sample : client.samples) {
    const auto place = std::min(
        static_cast<std::size_t>(sample.predicted * static_cast<double>(kBins)),
        kBins - 1);
    Bin& bin = bins[place];
    ++bin.samples;
    if (sample.first_of_bin) ++bin.silences;
    bin.predicted += sample.predicted;
    bin.observed += returned && in_time ? 1 : 0;
  }
  client.samples.clear();
}

void Population::Look() {
  const PresenceTime presence = now().presence;
  for (Client& client : clients_) {
    const Duration silence = presence - client.heard;
    if (!client.open || silence <= client.promised * 1.155) continue;
    if (silence >= windows_.ttl) {
      End(client, false);
      continue;
    }
    if (!measured_) continue;
    const double predicted =
        engine_.ListSessions(client.name, now()).at(0).confidence;
    const auto bin_of = [](double value) {
      return static_cast<std::size_t>(value * static_cast<double>(kBins));
    };
    const bool first =
        client.samples.empty() ||
        bin_of(client.samples.back().predicted) != bin_of(predicted);
    client.samples.push_back({predicted, first});
  }
}

void Population::Tick() {
  engine_.Tick(now());
  engine_.Publish(now(), [](const Change&, Detail) { return nullptr; });
}

void Population::Live(Duration length, bool measured) {
  measured_ = measured;
  const RealTime end = schedule_.now() + length;
  while (schedule_.now() < end) {
    const RealTime next = std::min({next_tick_, next_look_, end});
    while (schedule_.RunNext(next)) {
    }
    if (next == next_tick_) {
      Tick();
      next_tick_ += kTick;
    }
    if (next == next_look_) {
      Look();
      next_look_ += kLookEvery;
    }
  }
}

}  // namespace lifesign::sim
