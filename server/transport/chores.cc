// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/chores.h"

#include <utility>

namespace lifesign {

Chores::Chores() : thread_([this] { Run(); }) {}

Chores::~Chores() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  thread_.join();
}

void Chores::Add(std::function<void()> chore) {
  MutexLock lock(mutex_);
  waiting_.push_back(std::move(chore));
  changed_.NotifyAll();
}

void Chores::Drain() {
  MutexLock lock(mutex_);
  while (busy_ || !waiting_.empty()) changed_.Wait(mutex_);
}

void Chores::Run() {
  while (true) {
    std::function<void()> chore;
    {
      MutexLock lock(mutex_);
      busy_ = false;
      changed_.NotifyAll();
      while (waiting_.empty()) {
        if (stopping_) return;
        changed_.Wait(mutex_);
      }
      chore = std::move(waiting_.front());
      waiting_.pop_front();
      busy_ = true;
    }
    chore();
  }
}

}  // namespace lifesign
