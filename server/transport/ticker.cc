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
    {
      MutexLock lock(mutex_);
      while (!stopping_) {
        const Duration left = next - clock_.RealNow();
        if (left.count() <= 0) break;
        stopped_.WaitFor(mutex_, left);
      }
      if (stopping_) return;
    }
    on_tick_();
    next = std::max(next + period_, clock_.RealNow());
  }
}

}  // namespace lifesign
