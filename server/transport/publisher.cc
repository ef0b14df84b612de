// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/publisher.h"

#include "server/transport/codec/encode.h"

namespace lifesign {
namespace {

// That of this thread.
thread_local PublishAfter* publish_after = nullptr;

}  // namespace

PublishAfter::PublishAfter() { publish_after = this; }

PublishAfter::~PublishAfter() {
  publish_after = nullptr;
  if (poked_ != nullptr) poked_->PublishOrPoke();
}

Publisher::Publisher(PresenceEngine& engine, const TimeSource& time)
    : engine_(engine), time_(time) {}

Publisher::~Publisher() { Stop(); }

void Publisher::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Publisher::Stop() {
  if (!thread_.joinable()) return;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    poked_.NotifyOne();
  }
  thread_.join();
}

void Publisher::Poke() {
  if (publish_after != nullptr) {
    publish_after->poked_ = this;
    return;
  }
  MutexLock lock(mutex_);
  poke_ = true;
  poked_.NotifyOne();
}

void Publisher::PublishNow() {
  MutexLock lock(round_);
  engine_.Publish(time_.Read(), EncodeChange);
}

void Publisher::PublishOrPoke() {
  if (!round_.TryLock()) {
    Poke();
    return;
  }
  engine_.Publish(time_.Read(), EncodeChange);
  round_.Unlock();
}

void Publisher::Run() {
  while (true) {
    {
      MutexLock lock(mutex_);
      while (!poke_ && !stopping_) poked_.Wait(mutex_);
      if (stopping_) return;
      poke_ = false;
    }
    PublishNow();
  }
}

}  // namespace lifesign
