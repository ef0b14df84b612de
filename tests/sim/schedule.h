// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Simulated time, and what is to happen in it.
#ifndef LIFESIGN_TESTS_SIM_SCHEDULE_H_
#define LIFESIGN_TESTS_SIM_SCHEDULE_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "server/base/clock.h"

namespace lifesign::sim {

// One thing at a time: what is due first, of what is due at the same instant
// what was filed first. Not thread-safe.
class Schedule {
 public:
  using Work = std::function<void()>;

  const Clock& clock() const { return clock_; }
  RealTime now() const { return clock_.RealNow(); }

  // Not before now.
  void At(RealTime at, Work work) {
    due_.push_back({std::max(at, now()), next_++, std::move(work)});
    std::push_heap(due_.begin(), due_.end());
  }
  void After(Duration by, Work work) { At(now() + by, std::move(work)); }

  // Moves to the next work that is due by `until` and does it. False, with the
  // clock at `until`, if there is none.
  bool RunNext(RealTime until) {
    if (due_.empty() || due_.front().at > until) {
      clock_.Advance(std::max(until - now(), Duration(0)));
      return false;
    }
    std::pop_heap(due_.begin(), due_.end());
    const Entry next = std::move(due_.back());
    due_.pop_back();
    clock_.Advance(next.at - now());
    next.work();
    return true;
  }

  // Somebody sets the clock on the wall.
  void JumpWall(Duration by) { clock_.JumpWall(by); }

 private:
  struct Entry {
    RealTime at;
    std::uint64_t number;
    Work work;

    // The heap keeps the greatest in front: the one that is due first.
    friend bool operator<(const Entry& a, const Entry& b) {
      return a.at != b.at ? a.at > b.at : a.number > b.number;
    }
  };

  SimulatedClock clock_;
  std::vector<Entry> due_;
  std::uint64_t next_ = 0;
};

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_SCHEDULE_H_
