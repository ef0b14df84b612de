// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/ticker.h"

#include <algorithm>
#include <utility>

namespace lifesign {

Ticker::Ticker(const Clock& clock, Duration period,
               std::function<void()> on_tick)
    : clock_(clock),
      period_(period),
      on_tick_(std::move(on_tick)),
      thread_([this] { Run(); }) {}

Ticker::~Ticker() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    stopped_.NotifyAll();
  }
  thread_.join();
}

void Ticker::Run() {
  RealTime next = clock_.RealNow() + period_;
  while (true) {
    RealTime woke;
    {
      MutexLock lock(mutex_);
      while (!stopping_) {
        woke = clock_.RealNow();
        if (woke >= next) break;
        stopped_.WaitFor(mutex_, next - woke);
      }
      if (stopping_) return;
    }
    on_tick_();
    const RealTime now = clock_.RealNow();
    const bool overslept = woke - next >= period_;
    next = overslept ? now + period_ : std::max(next + period_, now);
  }
}

}  // namespace lifesign
