// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/chores.h"

#include <utility>

namespace lifesign {

Chores::Chores(bool has_thread) {
  if (has_thread) thread_ = std::thread([this] { Run(); });
}

Chores::~Chores() {
  if (!thread_.joinable()) {
    Drain();
    return;
  }
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

bool Chores::idle() {
  MutexLock lock(mutex_);
  return !busy_ && waiting_.empty();
}

bool Chores::DoOne() {
  std::function<void()> chore;
  {
    MutexLock lock(mutex_);
    if (waiting_.empty()) return false;
    chore = std::move(waiting_.front());
    waiting_.pop_front();
  }
  chore();
  return true;
}

void Chores::Drain() {
  if (!thread_.joinable()) {
    while (DoOne()) {
    }
    return;
  }
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
