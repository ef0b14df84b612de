// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Who does what, once it is drawn what is done.
#include <algorithm>
#include <utility>

#include "tests/property/policies.h"
#include "tests/property/step.h"
#include "tests/sim/generator.h"

namespace lifesign::sim {

void Generator::Fill(Step& step) {
  switch (step.kind) {
    case Step::Kind::kConnect:
    case Step::Kind::kSay:
    case Step::Kind::kBabble:
    case Step::Kind::kHalfClose:
    case Step::Kind::kSendSignal:
      return FillPeer(step);
    case Step::Kind::kDeclare: {
      step.who = Number(options_.users);
      step.length = Skewed(options_.most_delay * 4 + milliseconds(1));
      SignalStep& said = step.signals.emplace_back();
      said.availability = PickAvailability();
      return;
    }
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
      step.see_through = options_.may_see_through && Chance(40);
      return;
    case Step::Kind::kAwait:
      return FillAwait(step);
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
    case Step::Kind::kList:
      return FillList(step);
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

void Generator::FillAwait(Step& step) {
  const int everyone = options_.users + options_.members;
  step.who = Number(options_.awaiters);
  const int predicates = Chance(60) ? 1 : static_cast<int>(Between(2, 4));
  for (int i = 0; i < predicates; ++i) {
    PredicateStep predicate;
    for (int user = 0; user < everyone; ++user) {
      if (Chance(40)) predicate.users.push_back(user);
    }
    if (predicate.users.empty()) predicate.users.push_back(Number(everyone));
    // Mostly what they are not in now.
    predicate.at_least =
        Chance(60) ? State::kActive : static_cast<State>(Number(kStates - 1));
    // 0 stands for one.
    predicate.needed =
        Chance(60) ? Number(2)
                   : 1 + Number(static_cast<int>(predicate.users.size()));
    step.predicates.push_back(std::move(predicate));
  }
  step.flag = Chance(80);
  step.length = Skewed(seconds(300));
  if (Chance(25)) step.other = Skewed(seconds(60));
  step.see_through = options_.may_see_through && Chance(40);
}

void Generator::FillList(Step& step) {
  step.who = Number(2);
  step.size = Chance(70) ? 1 : static_cast<int>(Between(2, 100));
  step.back = Chance(40) ? 0 : static_cast<int>(Between(1, 31));
  if (Chance(25)) step.length = Skewed(seconds(120));
  step.flag = Chance(10);
  step.see_through = options_.may_see_through && Chance(40);
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
      MaybeDeclare(signal);
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
    MaybeDeclare(signal);
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
  if (Chance(2 * declares_)) {
    open.availability = PickAvailability();
    open.replaces_availability = Chance(30);
  }
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

AvailabilityDeclaration Generator::PickAvailability() {
  AvailabilityDeclaration said;
  said.kind = static_cast<AvailabilityKind>(Number(4));
  if (Chance(35)) said.kind = AvailabilityKind::kInvisible;
  if (Chance(30)) said.text = Chance(50) ? "at lunch" : "in a meeting";
  if (Chance(50)) {
    said.expires_in = Chance(90) ? Uniform(Duration(1), seconds(90))
                                 : seconds(limits::kMaxDurationSeconds);
  }
  return said;
}

void Generator::MaybeDeclare(SignalStep& step) {
  // Refused with DETACH and LEAVE, now and then.
  const bool tells = step.signal.kind <= SignalKind::kBackground;
  if (Chance(tells ? declares_ : declares_ / 15)) {
    step.availability = PickAvailability();
  }
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
