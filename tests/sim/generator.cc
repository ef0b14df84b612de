// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/generator.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "tests/property/policies.h"

namespace lifesign::sim {
namespace {

// Boundaries farther away are left to chance.
constexpr Duration kInSight = seconds(300);
constexpr std::size_t kNearestBoundaries = 8;

struct Weight {
  Step::Kind kind;
  int least;
  int most;
};
// How often what happens: in each world anything between.
constexpr Weight kWeights[] = {
    {Step::Kind::kWait, 1, 10},         {Step::Kind::kConnect, 2, 12},
    {Step::Kind::kSay, 20, 120},        {Step::Kind::kBabble, 0, 1},
    {Step::Kind::kHalfClose, 0, 3},     {Step::Kind::kSendSignal, 0, 40},
    {Step::Kind::kJoin, 0, 6},          {Step::Kind::kInteract, 0, 12},
    {Step::Kind::kTurn, 0, 8},          {Step::Kind::kLeave, 0, 3},
    {Step::Kind::kNetworkChange, 0, 2}, {Step::Kind::kDie, 0, 2},
    {Step::Kind::kWatch, 0, 4},         {Step::Kind::kUnwatch, 0, 1},
    {Step::Kind::kObserve, 0, 4},       {Step::Kind::kIgnore, 0, 1},
    {Step::Kind::kBreak, 0, 12},        {Step::Kind::kStall, 0, 8},
    {Step::Kind::kTick, 0, 25},         {Step::Kind::kFreeze, 0, 2},
    {Step::Kind::kJumpWall, 0, 2},      {Step::Kind::kHoldRounds, 0, 2},
    {Step::Kind::kDrain, 0, 1},         {Step::Kind::kRestart, 0, 2},
    {Step::Kind::kSetPolicy, 0, 1},     {Step::Kind::kRead, 0, 15},
    {Step::Kind::kRecount, 0, 6},       {Step::Kind::kAwait, 0, 12},
    {Step::Kind::kList, 0, 20},         {Step::Kind::kDeclare, 0, 6},
};

}  // namespace

Generator::Generator(std::uint64_t seed) : random_(seed) {
  DrawOptions();
  DrawWeights();
}

bool Generator::Chance(int percent) { return Between(1, 100) <= percent; }

std::int64_t Generator::Between(std::int64_t least, std::int64_t most) {
  const auto span = static_cast<std::uint64_t>(most - least) + 1;
  return least + static_cast<std::int64_t>(random_() % span);
}

int Generator::Number(int below) {
  return static_cast<int>(Between(0, std::max(below, 1) - 1));
}

Duration Generator::Uniform(Duration least, Duration most) {
  return Duration(Between(least.count(), most.count()));
}

Duration Generator::Skewed(Duration most) {
  Duration bound = most;
  for (int i = Number(4); i > 0; --i) bound = std::max(bound / 8, Duration(1));
  return Uniform(Duration(0), bound);
}

void Generator::DrawOptions() {
  lively_ = Chance(60);
  options_.shards = Chance(50) ? 1 : static_cast<int>(Between(2, 4));
  options_.policy =
      Chance(45) ? 0 : Number(static_cast<int>(property::Policies().size()));
  if (Chance(40)) {
    options_.max_sessions_per_user = static_cast<int>(Between(1, 3));
  }
  if (Chance(30)) {
    options_.max_sessions_per_stream = static_cast<int>(Between(1, 3));
  }
  // A change takes some hundred bytes of it.
  if (Chance(30)) {
    options_.max_mailbox_bytes = static_cast<std::size_t>(Between(100, 1'500));
  }
  constexpr Duration kTicks[] = {milliseconds(100), milliseconds(100),
                                 milliseconds(300), milliseconds(1'000),
                                 milliseconds(1'900)};
  options_.tick = kTicks[Number(std::size(kTicks))];
  constexpr Duration kRounds[] = {Duration(0), Duration(0), milliseconds(5),
                                  milliseconds(500), seconds(3)};
  options_.round_within = kRounds[Number(std::size(kRounds))];
  options_.seed = random_() >> 16;
  options_.peers = static_cast<int>(Between(1, 3));
  options_.users = static_cast<int>(Between(1, 3));
  options_.sessions = static_cast<int>(Between(1, 4));
  options_.rooms = Number(3);
  options_.members = Number(3);
  options_.watchers = Number(3);
  options_.observers = Number(3);
  options_.awaiters = Number(3);
  constexpr Duration kDelays[] = {Duration(0), milliseconds(2),
                                  milliseconds(80), milliseconds(1'500),
                                  milliseconds(2'500)};
  options_.most_delay = kDelays[Number(std::size(kDelays))];
  options_.least_delay = options_.most_delay / Between(1, 10);
  options_.window = Chance(50) ? 16 : static_cast<int>(Between(1, 3));
  options_.may_see_through = Chance(70);
  declares_ = Chance(30) ? 0 : static_cast<int>(Between(2, 30));
}

void Generator::DrawWeights() {
  weights_.resize(std::size(kWeights));
  for (const Weight& weight : kWeights) {
    weights_[static_cast<std::size_t>(weight.kind)] =
        static_cast<int>(Between(weight.least, weight.most));
  }
  if (declares_ == 0) {
    weights_[static_cast<std::size_t>(Step::Kind::kDeclare)] = 0;
  }
}

Step::Kind Generator::PickKind() {
  int sum = 0;
  for (const int weight : weights_) sum += weight;
  auto left = Between(0, sum - 1);
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    if (left < weights_[i]) return static_cast<Step::Kind>(i);
    left -= weights_[i];
  }
  return Step::Kind::kWait;
}

void Generator::MoveClock(const World& world) {
  const int kind = Number(100);
  Duration gap = Uniform(Duration(0), seconds(8));
  if (lively_) {
    if (kind < 25) gap = Uniform(Duration(0), Duration(2));
    if (kind >= 25 && kind < 70) gap = Uniform(Duration(0), milliseconds(500));
    if (kind >= 97) gap = Uniform(Duration(0), seconds(90));
  } else if (kind >= 92) {
    gap = Uniform(Duration(0), seconds(120));
  }
  if (Chance(25)) {
    std::vector<Duration> boundaries = world.Boundaries();
    std::erase_if(boundaries, [&](Duration at) {
      return at <= now_ || at - now_ > kInSight;
    });
    std::sort(boundaries.begin(), boundaries.end());
    boundaries.erase(std::unique(boundaries.begin(), boundaries.end()),
                     boundaries.end());
    if (!boundaries.empty()) {
      // Mostly one of the nearest.
      const auto nearest =
          static_cast<int>(std::min(boundaries.size(), kNearestBoundaries));
      const auto pick =
          static_cast<std::size_t>(std::min(Number(nearest), Number(nearest)));
      gap = std::max(boundaries[pick] - now_ + Duration(Between(-1, 1)),
                     Duration(0));
    }
  }
  now_ += gap;
}

bool Generator::Introduce(Step& step) {
  const std::pair<int, Step::Kind> groups[] = {
      {options_.peers, Step::Kind::kConnect},
      {options_.members, Step::Kind::kJoin},
      {options_.watchers, Step::Kind::kWatch},
      {options_.observers, Step::Kind::kObserve},
  };
  int number = introduced_;
  for (const auto& [size, kind] : groups) {
    if (number >= size) {
      number -= size;
      continue;
    }
    ++introduced_;
    step.kind = kind;
    now_ += Skewed(seconds(2));
    step.at = now_;
    Fill(step);
    step.who = number;
    return true;
  }
  return false;
}

Step Generator::Next(const World& world) {
  Step step;
  step.seed = random_();
  if (Introduce(step)) return step;
  step.kind = PickKind();
  MoveClock(world);
  step.at = now_;
  Fill(step);
  return step;
}

}  // namespace lifesign::sim
