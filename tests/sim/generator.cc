// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/generator.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "tests/property/policies.h"
#include "tests/property/step.h"

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
    {Step::Kind::kRecount, 0, 6},
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
  constexpr Duration kDelays[] = {Duration(0), milliseconds(2),
                                  milliseconds(80), milliseconds(1'500),
                                  milliseconds(2'500)};
  options_.most_delay = kDelays[Number(std::size(kDelays))];
  options_.least_delay = options_.most_delay / Between(1, 10);
  options_.window = Chance(50) ? 16 : static_cast<int>(Between(1, 3));
}

void Generator::DrawWeights() {
  weights_.resize(std::size(kWeights));
  for (const Weight& weight : kWeights) {
    weights_[static_cast<std::size_t>(weight.kind)] =
        static_cast<int>(Between(weight.least, weight.most));
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

void Generator::Fill(Step& step) {
  switch (step.kind) {
    case Step::Kind::kConnect:
    case Step::Kind::kSay:
    case Step::Kind::kBabble:
    case Step::Kind::kHalfClose:
    case Step::Kind::kSendSignal:
      return FillPeer(step);
    case Step::Kind::kJoin:
    case Step::Kind::kTurn:
      step.lifecycle = static_cast<Lifecycle>(Number(3));
      [[fallthrough]];
    case Step::Kind::kInteract:
    case Step::Kind::kNetworkChange:
      step.who = Number(options_.members);
      return;
    case Step::Kind::kLeave:
      step.who = Number(options_.members);
      if (Chance(50)) step.length = Uniform(Duration(0), seconds(10));
      return;
    case Step::Kind::kDie:
      step.who = Number(options_.members);
      step.length = Skewed(seconds(95));
      return;
    case Step::Kind::kWatch:
      step.who = Number(options_.watchers);
      return FillWatch(step);
    case Step::Kind::kUnwatch:
      step.who = Number(options_.watchers);
      return;
    case Step::Kind::kObserve:
      step.who = Number(options_.observers);
      FillWatch(step);
      step.flag = Chance(50);
      step.back = Chance(60) ? 0 : static_cast<int>(Between(1, 31));
      step.devices = Chance(35);
      return;
    case Step::Kind::kIgnore:
      step.who = Number(options_.observers);
      return;
    case Step::Kind::kBreak:
      step.back = Number(5);
      step.length = Skewed(seconds(95));
      step.other = Skewed(seconds(40));
      return;
    case Step::Kind::kStall:
      step.back = Number(5);
      step.flag = Chance(40);
      step.length = Chance(15) ? Uniform(seconds(250), seconds(400))
                               : Skewed(seconds(120));
      return;
    default:
      return FillServer(step);
  }
}

void Generator::FillServer(Step& step) {
  switch (step.kind) {
    case Step::Kind::kFreeze:
      step.length = Skewed(seconds(600));
      return;
    case Step::Kind::kJumpWall:
      step.length = seconds(Between(-7'200, 7'200));
      return;
    case Step::Kind::kHoldRounds:
      step.length = Skewed(seconds(60));
      return;
    case Step::Kind::kDrain:
      step.length = Uniform(seconds(1), seconds(30));
      step.other = Skewed(seconds(30));
      return;
    case Step::Kind::kRestart:
      step.length = Skewed(seconds(120));
      step.other = Skewed(seconds(20));
      return;
    case Step::Kind::kSetPolicy:
      step.back = Number(static_cast<int>(property::Policies().size()));
      return;
    case Step::Kind::kRead:
      step.who = Number(options_.users + options_.members);
      return;
    default:
      return;
  }
}

void Generator::FillWatch(Step& step) {
  const int everyone = options_.users + options_.members;
  for (int user = 0; user < everyone; ++user) {
    if (Chance(75)) step.users.push_back(user);
  }
  if (Chance(25)) step.length = Uniform(Duration(0), seconds(1));
  step.other = Chance(50) ? seconds(25) : Uniform(seconds(10), seconds(90));
}

int Generator::PickBack() {
  return Chance(85) ? 0 : static_cast<int>(Between(0, 2));
}

void Generator::FillPeer(Step& step) {
  step.who = Number(options_.peers);
  step.back = PickBack();
  if (step.kind == Step::Kind::kSay) {
    const int opens = Chance(45) ? static_cast<int>(Between(1, 3)) : 0;
    for (int i = 0; i < opens; ++i) step.opens.push_back(PickOpen());
    const int signals = Chance(75) ? static_cast<int>(Between(1, 4)) : 0;
    for (int i = 0; i < signals; ++i) {
      SignalStep signal;
      signal.handle = PickOpen().handle;
      signal.signal = PickSignal();
      MaybeMove(signal);
      if (Chance(4)) signal.times = static_cast<int>(Between(2, 40));
      step.signals.push_back(signal);
    }
    step.flag = Chance(20);
  } else if (step.kind == Step::Kind::kSendSignal) {
    step.length = Skewed(options_.most_delay * 4 + milliseconds(1));
    step.flag = Chance(15);
    step.other = Skewed(seconds(30));
    if (Chance(40)) {
      step.opens.push_back(PickOpen());
      return;
    }
    step.users.push_back(Number(options_.users));
    step.who = Number(options_.sessions);
    if (Chance(10)) step.back = property::kNobody;
    SignalStep signal;
    signal.signal = PickSignal();
    MaybeMove(signal);
    step.signals.push_back(signal);
  }
}

OpenStep Generator::PickOpen() {
  OpenStep open;
  // Mostly the same handle for the same session, as clients do.
  open.user = Number(options_.users);
  open.session = Number(options_.sessions);
  open.handle = static_cast<std::uint32_t>(
      Chance(80) ? open.user * options_.sessions + open.session + 1
                 : Number(options_.users * options_.sessions) + 1);
  if (Chance(70)) open.instance = static_cast<Instance>(Between(1, 3));
  if (Chance(60)) {
    open.device =
        static_cast<DeviceClass>(Chance(80) ? open.session % 6 : Number(6));
  }
  if (Chance(20)) open.metadata = Number(3);
  if (Chance(20)) open.rooms = PickRooms();
  if (Chance(60)) {
    Signal signal;
    signal.kind = PickLiveKind();
    if (Chance(15)) signal.idle_for = PickIdleFor();
    open.signal = signal;
  }
  return open;
}

std::vector<int> Generator::PickRooms() {
  std::vector<int> rooms;
  for (int room = 0; room < options_.rooms; ++room) {
    if (Chance(50)) rooms.push_back(room);
  }
  return rooms;
}

void Generator::MaybeMove(SignalStep& step) {
  // Refused with DETACH and LEAVE, now and then.
  if (!Chance(step.signal.kind > SignalKind::kBackground ? 2 : 20)) return;
  if (Chance(70)) step.join = PickRooms();
  if (Chance(50)) step.leave = PickRooms();
}

Duration Generator::PickIdleFor() {
  switch (Number(4)) {
    case 0:
      return Duration(0);
    case 1:
      return Uniform(Duration(0), seconds(90));
    case 2:
      return seconds(Between(0, 61));
    default:
      return seconds(limits::kMaxDurationSeconds);
  }
}

SignalKind Generator::PickLiveKind() {
  return static_cast<SignalKind>(Number(3));
}

Signal Generator::PickSignal() {
  Signal signal;
  if (Chance(88)) {
    signal.kind = Chance(40) ? SignalKind::kActive : PickLiveKind();
    if (Chance(12)) signal.idle_for = PickIdleFor();
  } else if (Chance(40)) {
    signal.kind = SignalKind::kDetach;
  } else {
    signal.kind = SignalKind::kLeave;
    if (Chance(60)) signal.linger = Uniform(Duration(1), seconds(10));
  }
  return signal;
}

}  // namespace lifesign::sim
