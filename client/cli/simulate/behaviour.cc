// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/simulate/behaviour.h"

#include <algorithm>
#include <utility>

namespace lifesign::simulate {
namespace {

// How clients vary the interval they were promised, either way.
constexpr double kJitter = 0.1;

// A busy machine: so many beats come late, by up to so many intervals.
constexpr double kLateBeats = 0.01;
constexpr double kLatest = 1.0;

// Beats lost one by one on a bad link, beside the bursts.
constexpr double kSingleLosses = 0.02;

// In units, on average: between two outages, how long each lasts.
constexpr double kMobileGap = 30;
constexpr double kTunnelShare = 0.25;
constexpr double kShortestHandOver = 0.2;
constexpr double kLongestHandOver = 1.5;
constexpr double kShortestTunnel = 1.5;
constexpr double kTunnelMean = 6;
constexpr double kBurstGap = 25;
constexpr double kShortestBurst = 0.3;
constexpr double kBurstMean = 2.5;
constexpr double kLifeMean = 120;
// Longer than any ttl: who comes back after that begins anew.
constexpr double kShortestDeath = 30;
constexpr double kLongestDeath = 60;

// A stretch lasts around its mean, neither a blink nor for ever.
constexpr double kShortestPhase = 0.3;
constexpr double kLongestPhase = 3;

}  // namespace

const char* DoingText(Doing doing) {
  switch (doing) {
    case Doing::kBeating:
      return "beating";
    case Doing::kTyping:
      return "typing";
    case Doing::kReading:
      return "reading";
    case Doing::kScreenLocked:
      return "screen locked";
    case Doing::kBrowsing:
      return "browsing";
    case Doing::kTabHidden:
      return "tab hidden";
    case Doing::kTabAsleep:
      return "tab asleep";
    case Doing::kOnThePhone:
      return "on the phone";
    case Doing::kPhoneInPocket:
      return "phone in a pocket";
    case Doing::kVisiting:
      return "visiting";
    case Doing::kGone:
      return "gone";
    case Doing::kHandingOver:
      return "changing networks";
    case Doing::kInTunnel:
      return "phone in a tunnel";
    case Doing::kLosingBeats:
      return "losing beats";
    case Doing::kDied:
      return "died without a word";
  }
  return "";
}

Life::Life(Habit habit, Network network, Duration unit, Random random)
    : habit_(habit),
      network_(network),
      unit_(unit),
      random_(std::move(random)),
      phase_(FirstPhase()) {}

Duration Life::Units(double units) const {
  return Duration(
      static_cast<Duration::rep>(units * static_cast<double>(unit_.count())));
}

Life::Phase Life::FirstPhase() const {
  switch (habit_) {
    case Habit::kOnlyActive:
      return {Doing::kBeating, Lifecycle::kActive, 0, 0};
    case Habit::kOnlyIdle:
      return {Doing::kBeating, Lifecycle::kIdle, 0, 0};
    case Habit::kOnlyBackground:
      return {Doing::kBeating, Lifecycle::kBackground, 0, 0};
    case Habit::kWorks:
      return {Doing::kTyping, Lifecycle::kActive, 0.2, 25};
    case Habit::kTab:
      return {Doing::kBrowsing, Lifecycle::kActive, 0.3, 20};
    case Habit::kPhone:
      return {Doing::kOnThePhone, Lifecycle::kActive, 0.3, 8};
    case Habit::kVisits:
      break;
  }
  return {Doing::kVisiting, Lifecycle::kActive, 0.3, 20};
}

Life::Phase Life::NextPhase() {
  switch (phase_.doing) {
    case Doing::kTyping:
      if (random_.Chance(0.7)) {
        return {Doing::kReading, Lifecycle::kActive, 0, 4};
      }
      return {Doing::kScreenLocked, Lifecycle::kIdle, 0, 10};
    case Doing::kBrowsing:
      return {Doing::kTabHidden, Lifecycle::kBackground, 0, 15};
    case Doing::kTabHidden:
      if (random_.Chance(0.4)) {
        return {Doing::kTabAsleep, Lifecycle::kBackground, 0, 12};
      }
      return FirstPhase();
    case Doing::kOnThePhone:
      return {Doing::kPhoneInPocket, Lifecycle::kBackground, 0, 20};
    case Doing::kVisiting:
      return {Doing::kGone, Lifecycle::kActive, 0, 12};
    default:
      return FirstPhase();
  }
}

void Life::Enter(const Phase& phase) {
  phase_ = phase;
  asleep_ = phase.doing == Doing::kTabAsleep;
  if (phase.length_mean == 0) {
    phase_ends_ = Duration::max();
  } else {
    const double length =
        std::clamp(random_.Exponential(1), kShortestPhase, kLongestPhase);
    phase_ends_ = now_ + Units(phase.length_mean * length);
  }
  if (phase.interaction_mean > 0) last_interaction_ = now_;
  PlanInteraction();
}

void Life::PlanInteraction() {
  interacts_ = phase_.interaction_mean > 0
                   ? now_ + Units(random_.Exponential(phase_.interaction_mean))
                   : Duration::max();
}

void Life::PlanOutage() {
  double gap = 0;
  double length = 0;
  switch (network_) {
    case Network::kSteady:
      network_turns_ = Duration::max();
      return;
    case Network::kMobile:
      gap = kMobileGap;
      if (random_.Chance(kTunnelShare)) {
        outage_ = Doing::kInTunnel;
        length = kShortestTunnel + random_.Exponential(kTunnelMean);
      } else {
        outage_ = Doing::kHandingOver;
        length = random_.Uniform(kShortestHandOver, kLongestHandOver);
      }
      break;
    case Network::kBurstyLoss:
      gap = kBurstGap;
      outage_ = Doing::kLosingBeats;
      length = kShortestBurst + random_.Exponential(kBurstMean);
      break;
    case Network::kSuddenDeath:
      gap = kLifeMean;
      outage_ = Doing::kDied;
      length = random_.Uniform(kShortestDeath, kLongestDeath);
      break;
  }
  network_turns_ = now_ + Units(random_.Exponential(gap));
  outage_length_ = Units(length);
}

void Life::Said() {
  last_signal_ = now_;
  beat_factor_ = 1 + random_.Uniform(-kJitter, kJitter);
  if (network_ == Network::kSteady && random_.Chance(kLateBeats)) {
    beat_factor_ += random_.Uniform(0, kLatest);
  }
}

Doing Life::doing() const {
  if (presence_ == Presence::kDead) return Doing::kDied;
  if (presence_ == Presence::kHere && !up_) return outage_;
  return phase_.doing;
}

Action Life::Make(Action::Kind kind) const {
  return {kind, now_, phase_.lifecycle, doing(),
          phase_.doing == Doing::kBeating ? Duration::zero()
                                          : now_ - last_interaction_};
}

Action Life::Open() {
  presence_ = Presence::kHere;
  up_ = true;
  PlanOutage();
  Enter(FirstPhase());
  Said();
  return Make(Action::Kind::kOpen);
}

Action Life::TurnPhase() {
  if (presence_ != Presence::kHere) return Open();
  const bool slept = asleep_;
  const Lifecycle stood = phase_.lifecycle;
  Enter(NextPhase());
  if (phase_.doing == Doing::kGone) {
    presence_ = Presence::kLeft;
    network_turns_ = Duration::max();
    // Without a network nobody hears the goodbye.
    return Make(up_ ? Action::Kind::kLeave : Action::Kind::kDie);
  }
  if (!up_) return Make(Action::Kind::kQuiet);
  if (asleep_) return Make(Action::Kind::kLoseNetwork);
  if (slept) {
    Said();
    return Make(Action::Kind::kReconnect);
  }
  if (phase_.lifecycle != stood) {
    Said();
    return Make(Action::Kind::kTurn);
  }
  if (phase_.interaction_mean == 0) return Make(Action::Kind::kQuiet);
  Said();
  return Make(Action::Kind::kInteract);
}

Action Life::TurnNetwork() {
  if (!up_) {
    up_ = true;
    PlanOutage();
    if (asleep_) return Make(Action::Kind::kQuiet);
    Said();
    return Make(Action::Kind::kReconnect);
  }
  if (network_ == Network::kSuddenDeath) {
    presence_ = Presence::kDead;
    phase_ends_ = now_ + outage_length_;
    network_turns_ = Duration::max();
    return Make(Action::Kind::kDie);
  }
  up_ = false;
  network_turns_ = now_ + outage_length_;
  return Make(asleep_ ? Action::Kind::kQuiet : Action::Kind::kLoseNetwork);
}

Action Life::Next(const Promise& promise) {
  if (presence_ == Presence::kNotYet) return Open();
  while (true) {
    Duration beats = Duration::max();
    Duration interacts = Duration::max();
    if (presence_ == Presence::kHere && connected()) {
      const auto interval =
          static_cast<double>(promise.Of(phase_.lifecycle).count());
      beats = last_signal_ +
              Duration(static_cast<Duration::rep>(interval * beat_factor_));
      interacts = interacts_;
    }
    const Duration next =
        std::min({phase_ends_, network_turns_, interacts, beats});
    // A promise that was shortened meanwhile may be due already.
    now_ = std::max(now_, next);
    if (next == phase_ends_) return TurnPhase();
    if (next == network_turns_) return TurnNetwork();
    Said();
    if (next == interacts) {
      last_interaction_ = now_;
      PlanInteraction();
      return Make(Action::Kind::kInteract);
    }
    const bool lost =
        network_ == Network::kBurstyLoss && random_.Chance(kSingleLosses);
    if (!lost) return Make(Action::Kind::kBeat);
  }
}

}  // namespace lifesign::simulate
