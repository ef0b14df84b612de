// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/property/generator.h"

#include <algorithm>

#include "server/base/limits.h"
#include "tests/property/policies.h"

namespace lifesign::property {
namespace {

constexpr Duration kTick = milliseconds(100);
// Boundaries farther away are left to chance.
constexpr Duration kInSight = seconds(700);
constexpr Duration kInSightOfAFlood = milliseconds(2'100);
constexpr std::size_t kNearestBoundaries = 8;

}  // namespace

Generator::Generator(std::uint64_t seed) : random_(seed) {
  start_.presence = PresenceTime(seconds(1'000));
  start_.real = RealTime(seconds(5'000));
  start_.wall = WallTime(seconds(1'700'000'000));
  now_ = start_;
  pace_ = static_cast<Pace>(Between(0, 2));
  options_.shards = Chance(50) ? 1 : static_cast<int>(Between(2, 5));
  options_.users = static_cast<int>(Between(1, 4));
  options_.sessions = static_cast<int>(Between(1, 5));
  options_.max_sessions_per_user = Chance(40) ? static_cast<int>(Between(1, 3))
                                              : limits::kMaxSessionsPerUser;
  options_.policy =
      static_cast<int>(Between(0, static_cast<int>(Policies().size()) - 1));
  options_.hash_seed = random_();
  options_.watcher = Chance(50) ? View::kPublic : View::kTrue;
  // In the order of Step::Kind.
  weights_ = {
      static_cast<int>(Between(2, 30)), static_cast<int>(Between(10, 60)),
      static_cast<int>(Between(2, 20)), static_cast<int>(Between(0, 6)),
      static_cast<int>(Between(0, 15)), static_cast<int>(Between(0, 3)),
      static_cast<int>(Between(0, 1)),  static_cast<int>(Between(0, 3)),
      static_cast<int>(Between(0, 40)), Chance(40) ? 2 : 0,
      static_cast<int>(Between(0, 3))};
  declares_ = Chance(60) ? static_cast<int>(Between(1, 15)) : 0;
  if (declares_ == 0) weights_.back() = 0;
  if (pace_ == Pace::kFlood) {
    options_.users = 1;
    options_.sessions = static_cast<int>(Between(1, 2));
    weights_[0] = static_cast<int>(Between(0, 4));
    weights_[1] = 150;
  }
}

bool Generator::Chance(int percent) { return Between(1, 100) <= percent; }

std::int64_t Generator::Between(std::int64_t least, std::int64_t most) {
  const auto span = static_cast<std::uint64_t>(most - least) + 1;
  return least + static_cast<std::int64_t>(random_() % span);
}

Duration Generator::Gap() {
  const std::int64_t kind = Between(0, 99);
  switch (pace_) {
    case Pace::kFlood:
      if (kind < 80) return Duration(Between(0, 20'000));
      if (kind < 99) return Duration(Between(0, 120'000));
      return Duration(Between(0, 3'000'000));
    case Pace::kLively:
      if (kind < 20) return Duration(Between(0, 1));
      if (kind < 60) return Duration(Between(0, 500'000));
      if (kind < 95) return Duration(Between(0, 8'000'000));
      return Duration(Between(0, 90'000'000));
    case Pace::kSlow:
      break;
  }
  if (kind < 60) return Duration(Between(0, 8'000'000));
  return Duration(Between(0, 200'000'000));
}

void Generator::MoveClock(const World& world) {
  Duration gap = Gap();
  const bool flood = pace_ == Pace::kFlood;
  const Duration in_sight = flood ? kInSightOfAFlood : kInSight;
  if (Chance(flood ? 8 : 30)) {
    std::vector<PresenceTime> boundaries = world.model().Boundaries(now_);
    std::erase_if(boundaries, [&](PresenceTime at) {
      return at - now_.presence > in_sight;
    });
    std::sort(boundaries.begin(), boundaries.end());
    boundaries.erase(std::unique(boundaries.begin(), boundaries.end()),
                     boundaries.end());
    if (!boundaries.empty()) {
      const auto last = std::min(boundaries.size(), kNearestBoundaries) - 1;
      const auto pick =
          static_cast<std::size_t>(Between(0, static_cast<std::int64_t>(last)));
      gap =
          std::max(boundaries[pick] - now_.presence + Duration(Between(-1, 1)),
                   Duration(0));
    }
  }
  MoveBy(gap);
  if (Chance(1)) {
    // The process was frozen: real time went by, presence time did not.
    const Duration frozen(Between(0, 30'000'000));
    now_.real += frozen;
    now_.wall += frozen;
  }
  if (Chance(1)) now_.wall += seconds(Between(-7'200, 7'200));
}

// To the next whole tick.
void Generator::MoveToTick() {
  const Duration phase = now_.presence.time_since_epoch() % kTick;
  MoveBy(kTick - phase);
}

void Generator::MoveBy(Duration gap) {
  now_.presence += gap;
  now_.real += gap;
  now_.wall += gap;
}

void Generator::BeginPassage() {
  passage_ = Chance(75) ? Passage::kBurst : Passage::kFight;
  left_of_passage_ = passage_ == Passage::kBurst
                         ? static_cast<int>(Between(21, 35))
                         : static_cast<int>(Between(7, 9));
  user_of_passage_ = static_cast<int>(Between(0, options_.users - 1));
  session_of_passage_ = static_cast<int>(Between(0, options_.sessions - 1));
  signal_of_burst_.kind = Chance(70) ? SignalKind::kActive : PickLiveKind();
  signal_of_burst_.idle_for.reset();
  if (Chance(60)) signal_of_burst_.idle_for = PickIdleFor();
  fight_began_ = now_.presence;
  opens_of_fight_ = 0;
}

Step Generator::NextOfBurst() {
  MoveBy(Duration(Between(0, 4'000)));
  Step step;
  step.kind = Step::Kind::kApply;
  // Mostly the same one, so that there is something for another to change.
  step.signal = signal_of_burst_;
  if (Chance(5)) {
    step.signal->kind = PickLiveKind();
    step.signal->idle_for.reset();
  }
  if (Chance(declares_)) step.availability = PickAvailability();
  return step;
}

Step Generator::NextOfFight() {
  if (left_of_passage_ > 0) {
    MoveBy(Duration(Between(0, 1'000'000)));
  } else {
    const PresenceTime a_minute_later = fight_began_ + seconds(60);
    MoveBy(std::max(a_minute_later - now_.presence + Duration(Between(-1, 1)),
                    Duration(0)));
  }
  Step step;
  step.kind = Step::Kind::kOpen;
  step.instance = static_cast<Instance>(Between(1, 3));
  if (left_of_passage_ % 2 == 0) step.instance += 3;
  // The minute counts from the first take-over: the second open, at the latest.
  if (++opens_of_fight_ == 2) fight_began_ = now_.presence;
  if (Chance(50)) step.signal = Signal();
  return step;
}

Step::Kind Generator::PickKind() {
  int sum = 0;
  for (const int weight : weights_) sum += weight;
  auto left = Between(0, sum - 1);
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    if (left < weights_[i]) return static_cast<Step::Kind>(i);
    left -= weights_[i];
  }
  return Step::Kind::kTick;
}

Duration Generator::PickIdleFor() {
  switch (Between(0, 4)) {
    case 0:
      return Duration(0);
    case 1:
      return Duration(Between(0, 90'000'000));
    case 2:
      return seconds(Between(0, 61));
    case 3:
      return Duration(seconds(Between(0, 61))) - Duration(Between(0, 1)) +
             Duration(1);
    default:
      return seconds(limits::kMaxDurationSeconds);
  }
}

SignalKind Generator::PickLiveKind() {
  return static_cast<SignalKind>(Between(0, 2));
}

Signal Generator::PickSignal() {
  Signal signal;
  if (Chance(pace_ == Pace::kFlood ? 98 : 88)) {
    signal.kind = Chance(40) ? SignalKind::kActive : PickLiveKind();
    if (Chance(12)) signal.idle_for = PickIdleFor();
  } else if (Chance(40)) {
    signal.kind = SignalKind::kDetach;
  } else {
    signal.kind = SignalKind::kLeave;
    if (Chance(60)) signal.linger = Duration(Between(1, 10'000'000));
  }
  return signal;
}

AvailabilityDeclaration Generator::PickAvailability() {
  AvailabilityDeclaration said;
  said.kind = static_cast<AvailabilityKind>(Between(0, 3));
  if (Chance(30)) said.kind = AvailabilityKind::kInvisible;
  if (Chance(30)) said.text = Chance(50) ? "at lunch" : "in a meeting";
  if (Chance(50)) {
    said.expires_in = Chance(90) ? Duration(Between(1, 90'000'000))
                                 : seconds(limits::kMaxDurationSeconds);
  }
  return said;
}

void Generator::FillOpen(Step& step) {
  if (Chance(2 * declares_)) {
    step.availability = PickAvailability();
    step.replaces_availability = Chance(30);
  }

  step.unary = Chance(30);
  if (Chance(70)) step.instance = static_cast<Instance>(Between(1, 3));
  if (Chance(60)) {
    // Mostly the same class for the same name, as clients do.
    step.device = static_cast<DeviceClass>(
        Chance(80) ? step.session % 6 : static_cast<int>(Between(0, 5)));
  }
  if (Chance(20)) step.metadata = static_cast<int>(Between(0, 2));
  if (Chance(60)) {
    Signal signal;
    signal.kind = PickLiveKind();
    if (Chance(15)) signal.idle_for = PickIdleFor();
    step.signal = signal;
  }
}

Step Generator::Next(const World& world) {
  if (left_of_passage_ == 0 && Chance(2)) BeginPassage();
  if (left_of_passage_ > 0 && Chance(88)) {
    --left_of_passage_;
    Step step = passage_ == Passage::kBurst ? NextOfBurst() : NextOfFight();
    step.now = now_;
    step.user = user_of_passage_;
    step.session = session_of_passage_;
    return step;
  }
  Step step;
  step.kind = PickKind();
  if (step.kind == Step::Kind::kTick && Chance(60)) {
    MoveToTick();
  } else {
    MoveClock(world);
  }
  step.now = now_;
  // A caller that was overtaken on its way brings an older time.
  if (Chance(2)) step.now.presence -= Duration(Between(0, 3'000));
  step.user = static_cast<int>(Between(0, options_.users - 1));
  step.session = static_cast<int>(Between(0, options_.sessions - 1));
  const bool speaks =
      step.kind == Step::Kind::kApply || step.kind == Step::Kind::kUnary;
  // Who is not there is mostly heard of by an open.
  if (speaks && Chance(70) &&
      !world.model().IsOpen(UserName(step.user), SessionId(step.session),
                            now_)) {
    step.kind = Step::Kind::kOpen;
  }
  step.back = Chance(pace_ == Pace::kFlood ? 98 : 85)
                  ? 0
                  : static_cast<int>(Between(0, 2));
  switch (step.kind) {
    case Step::Kind::kOpen:
      FillOpen(step);
      break;
    case Step::Kind::kUnary:
      if (Chance(10)) step.back = kNobody;
      step.signal = PickSignal();
      break;
    case Step::Kind::kApply:
      step.signal = PickSignal();
      break;
    case Step::Kind::kDeclare:
      step.availability = PickAvailability();
      break;
    case Step::Kind::kTakeMail:
      step.most = static_cast<int>(Between(1, 4));
      break;
    case Step::Kind::kSetPolicy:
      step.policy =
          static_cast<int>(Between(0, static_cast<int>(Policies().size()) - 1));
      break;
    default:
      break;
  }
  const bool tells_of_client = speaks && step.signal.has_value() &&
                               step.signal->kind <= SignalKind::kBackground;
  if (tells_of_client && Chance(declares_)) {
    step.availability = PickAvailability();
  }
  return step;
}

}  // namespace lifesign::property
