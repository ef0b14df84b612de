// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/base/timing_wheel.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include "gtest/gtest.h"

namespace lifesign {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr int kPlenty = 1'000'000;

TimingWheel::Timer* Pop(TimingWheel& wheel, std::int64_t now) {
  int budget = kPlenty;
  return wheel.PopDue(now, budget);
}

TEST(TimingWheelTest, ATimerIsDueFromItsDeadlineOn) {
  for (const std::int64_t deadline :
       {std::int64_t{1}, std::int64_t{1'023}, std::int64_t{1'024},
        std::int64_t{1'025}, std::int64_t{65'536}, 15 * kSecond,
        86'400 * kSecond}) {
    TimingWheel wheel(0);
    TimingWheel::Timer timer;
    wheel.File(timer, deadline);
    EXPECT_EQ(timer.deadline(), deadline);
    EXPECT_EQ(Pop(wheel, deadline - 1), nullptr) << deadline;
    EXPECT_TRUE(timer.filed());
    EXPECT_EQ(Pop(wheel, deadline), &timer) << deadline;
    EXPECT_FALSE(timer.filed());
    EXPECT_EQ(Pop(wheel, deadline), nullptr);
  }
}

TEST(TimingWheelTest, ADeadlineInThePastIsDueAtOnce) {
  TimingWheel wheel(100 * kSecond);
  TimingWheel::Timer timer;
  wheel.File(timer, -5);
  EXPECT_EQ(Pop(wheel, 100 * kSecond), &timer);
  wheel.File(timer, 1);
  EXPECT_EQ(Pop(wheel, 100 * kSecond), &timer);
}

TEST(TimingWheelTest, FilingAnewMovesATimer) {
  TimingWheel wheel(0);
  TimingWheel::Timer timer;
  wheel.File(timer, 10 * kSecond);
  wheel.File(timer, 20 * kSecond);
  EXPECT_EQ(Pop(wheel, 15 * kSecond), nullptr);
  wheel.File(timer, 16 * kSecond);
  EXPECT_EQ(Pop(wheel, 16 * kSecond), &timer);
  EXPECT_EQ(Pop(wheel, 30 * kSecond), nullptr);
}

TEST(TimingWheelTest, ACancelledTimerNeverComes) {
  TimingWheel wheel(0);
  TimingWheel::Timer timer;
  wheel.Cancel(timer);
  wheel.File(timer, kSecond);
  wheel.Cancel(timer);
  EXPECT_FALSE(timer.filed());
  EXPECT_EQ(Pop(wheel, 10 * kSecond), nullptr);
}

TEST(TimingWheelTest, ATimerThatIsDestroyedUnfilesItself) {
  TimingWheel wheel(0);
  TimingWheel::Timer stays;
  {
    TimingWheel::Timer goes;
    wheel.File(goes, kSecond);
    wheel.File(stays, kSecond);
  }
  EXPECT_EQ(Pop(wheel, kSecond), &stays);
  EXPECT_EQ(Pop(wheel, kSecond), nullptr);
}

TEST(TimingWheelTest, TheEndOfTimeIsADeadlineLikeAnother) {
  TimingWheel wheel(0);
  TimingWheel::Timer never;
  wheel.File(never, std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(Pop(wheel, std::numeric_limits<std::int64_t>::max() - 1), nullptr);
  EXPECT_EQ(Pop(wheel, std::numeric_limits<std::int64_t>::max()), &never);
}

TEST(TimingWheelTest, ABudgetBoundsTheWorkAndLosesNothing) {
  TimingWheel wheel(0);
  std::vector<std::unique_ptr<TimingWheel::Timer>> timers;
  for (int i = 0; i < 1'000; ++i) {
    timers.push_back(std::make_unique<TimingWheel::Timer>());
    wheel.File(*timers.back(), kSecond + i * 700);
  }
  std::set<TimingWheel::Timer*> popped;
  int turns = 0;
  while (popped.size() < timers.size()) {
    int budget = 64;
    while (TimingWheel::Timer* timer = wheel.PopDue(3 * kSecond, budget)) {
      EXPECT_TRUE(popped.insert(timer).second);
    }
    ASSERT_GE(budget, 0);
    ASSERT_LT(++turns, 1'000);
  }
  EXPECT_GE(turns, 1'000 / 64);
}

// Against the plainest model: an ordered set of deadlines.
TEST(TimingWheelTest, AgreesWithAnOrderedSet) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    std::mt19937_64 random(seed);
    const auto below = [&](std::int64_t most) {
      return static_cast<std::int64_t>(random() %
                                       static_cast<std::uint64_t>(most));
    };
    std::int64_t now = below(1'000 * kSecond);
    TimingWheel wheel(now);
    std::vector<std::unique_ptr<TimingWheel::Timer>> timers;
    for (int i = 0; i < 50; ++i) {
      timers.push_back(std::make_unique<TimingWheel::Timer>());
    }
    std::set<std::pair<std::int64_t, TimingWheel::Timer*>> model;
    const auto forget = [&](TimingWheel::Timer* timer) {
      if (timer->filed()) model.erase({timer->deadline(), timer});
    };
    static constexpr std::int64_t kSpans[] = {
        2, 3'000, 200'000, 5 * kSecond, 300 * kSecond, 100'000 * kSecond};
    for (int step = 0; step < 3'000; ++step) {
      TimingWheel::Timer* timer =
          timers[static_cast<std::size_t>(below(50))].get();
      switch (below(4)) {
        case 0:
        case 1: {
          forget(timer);
          const std::int64_t deadline = now - 5 + below(kSpans[below(6)]);
          wheel.File(*timer, deadline);
          model.insert({deadline, timer});
          break;
        }
        case 2:
          forget(timer);
          wheel.Cancel(*timer);
          break;
        default:
          now += below(kSpans[below(6)]);
          while (TimingWheel::Timer* due = Pop(wheel, now)) {
            ASSERT_EQ(model.erase({due->deadline(), due}), 1u)
                << "seed " << seed;
            ASSERT_LE(due->deadline(), now) << "seed " << seed;
          }
          ASSERT_TRUE(model.empty() || model.begin()->first > now)
              << "seed " << seed;
      }
    }
  }
}

}  // namespace
}  // namespace lifesign
