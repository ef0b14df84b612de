// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/simulate/player.h"

namespace lifesign::simulate {

client::Lifecycle ClientLifecycle(Lifecycle lifecycle) {
  switch (lifecycle) {
    case Lifecycle::kActive:
      return client::Lifecycle::kActive;
    case Lifecycle::kIdle:
      return client::Lifecycle::kIdle;
    case Lifecycle::kBackground:
      break;
  }
  return client::Lifecycle::kBackground;
}

std::uint64_t FirstInstance(std::uint64_t seed, Ledger::SessionNumber number) {
  return Random(~seed, number).Bits() | 1;
}

Player::Player(const Part& part, Ledger& ledger, Stopwatch stopwatch)
    : part_(part),
      stopwatch_(stopwatch),
      ledger_(ledger),
      life_(part.role.habit, part.role.network, part.unit,
            Random(part.seed, part.number)),
      // Until the server has promised more, the shortest interval holds.
      next_(life_.Next({part.unit, part.unit, part.unit})),
      doing_(Doing::kGone),
      instance_(FirstInstance(part.seed, part.number)),
      instances_(part.seed ^ instance_),
      promise_{part.unit, part.unit, part.unit} {}

void Player::Play() {
  const Action action = next_;
  doing_ = action.doing;
  {
    MutexLock lock(mutex_);
    lifecycle_ = action.lifecycle;
  }
  switch (action.kind) {
    case Action::Kind::kOpen:
      if (ever_present_) instance_ = instances_.Bits() | 1;
      present_ = ever_present_ = true;
      break;
    case Action::Kind::kReconnect:
      present_ = true;
      break;
    case Action::Kind::kLoseNetwork:
    case Action::Kind::kDie:
    case Action::Kind::kLeave:
      present_ = false;
      break;
    default:
      break;
  }
  Perform(action);
  next_ = life_.Next(promise());
}

client::SessionSpec Player::Spec(const Action& action) const {
  client::SessionSpec spec;
  spec.user_id = part_.role.user;
  spec.session_id = part_.role.session;
  spec.device_class = part_.role.device;
  spec.lifecycle = ClientLifecycle(action.lifecycle);
  spec.instance = instance_;
  if (!part_.role.room.empty()) spec.rooms = {{part_.role.room}};
  return spec;
}

Promise Player::promise() const {
  MutexLock lock(mutex_);
  return promise_;
}

void Player::Told(const client::SessionStatus& status) {
  MutexLock lock(mutex_);
  if (status.next_interval > Duration::zero()) {
    switch (lifecycle_) {
      case Lifecycle::kActive:
        promise_.active = status.next_interval;
        break;
      case Lifecycle::kIdle:
        promise_.idle = status.next_interval;
        break;
      case Lifecycle::kBackground:
        promise_.background = status.next_interval;
        break;
    }
  }
  // What was told of an earlier hold, and is heard only now, says nothing.
  if (!held_) return;
  const bool beating = status.link == client::Link::kConnected &&
                       status.attachment != 0 &&
                       status.end == client::SessionEnd::kNotEnded;
  const Duration now = stopwatch_.Elapsed();
  if (beating) {
    ledger_.Answered(part_.role.user, part_.number, now);
  } else {
    TellSilence(now + promise_.Of(lifecycle_));
  }
}

void Player::LinkLost() {
  MutexLock lock(mutex_);
  if (held_) TellSilence(stopwatch_.Elapsed() + promise_.Of(lifecycle_));
}

void Player::Begin() {
  MutexLock lock(mutex_);
  held_ = true;
}

void Player::Finish(End end) {
  MutexLock lock(mutex_);
  if (!held_) return;
  held_ = false;
  const Duration now = stopwatch_.Elapsed();
  TellSilence(end == End::kLeft ? now : now + promise_.Of(lifecycle_));
}

void Player::Vouch(Duration from) {
  ledger_.Answered(part_.role.user, part_.number, from);
}

void Player::TellSilence(Duration until) {
  ledger_.SilentFrom(part_.role.user, part_.number, until);
}

}  // namespace lifesign::simulate
