// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 2: ages run on a clock that stops while nobody listens.
#include "server/core/presence_clock.h"

#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "server/base/limits.h"

namespace lifesign {
namespace {

const RealTime kStart(seconds(100));

std::int64_t Micros(PresenceTime time) {
  return time.time_since_epoch().count();
}

TEST(PresenceClockTest, AdvancesWithRealTimeWhileTicksCome) {
  PresenceClock clock(kStart);
  const PresenceTime start = clock.At(kStart);
  for (int i = 1; i <= 100; ++i) {
    const RealTime real = kStart + i * milliseconds(100);
    EXPECT_TRUE(clock.Tick(real));
    EXPECT_EQ(clock.At(real) - start, real - kStart);
  }
}

TEST(PresenceClockTest, BetweenTwoTicksItAdvancesByAtMostTwoSeconds) {
  PresenceClock clock(kStart);
  const PresenceTime start = clock.At(kStart);
  EXPECT_EQ(clock.At(kStart + seconds(2)) - start, seconds(2));
  EXPECT_EQ(clock.At(kStart + seconds(2) + Duration(1)) - start, seconds(2));
  EXPECT_EQ(clock.At(kStart + hours(1)) - start, seconds(2));
}

TEST(PresenceClockTest, TheFirstTickAfterALongerGapOnlyMovesTheClock) {
  PresenceClock clock(kStart);
  const PresenceTime start = clock.At(kStart);
  EXPECT_TRUE(clock.Tick(kStart + seconds(2)));
  const RealTime late = kStart + seconds(2) + seconds(2) + Duration(1);
  EXPECT_FALSE(clock.Tick(late));
  EXPECT_EQ(clock.At(late) - start, seconds(4));
  EXPECT_TRUE(clock.Tick(late + milliseconds(100)));
  EXPECT_EQ(clock.At(late + milliseconds(100)) - start,
            seconds(4) + milliseconds(100));
}

TEST(PresenceClockTest, WhatAFrozenProcessMissedCountsIntoNobodysAge) {
  PresenceClock clock(kStart);
  const PresenceTime start = clock.At(kStart);
  RealTime real = kStart;
  for (int i = 0; i < 5; ++i) {
    real += seconds(300);
    EXPECT_FALSE(clock.Tick(real));
  }
  EXPECT_EQ(clock.At(real) - start, 5 * seconds(2));
}

// A reader that races with the tick after a pause may read a slightly earlier
// time, never a later one.
TEST(PresenceClockTest, AReaderNeverSeesALaterTimeThanThereIs) {
  constexpr int kTicks = 20'000;
  // What the time is at each tick, with a pause before every third.
  std::vector<RealTime> reals;
  std::vector<PresenceTime> truths;
  RealTime real = kStart;
  PresenceTime truth(kStart.time_since_epoch());
  for (int i = 0; i < kTicks; ++i) {
    const Duration gap = i % 3 == 0 ? seconds(7) : milliseconds(100);
    real += gap;
    truth += std::min<Duration>(gap, limits::kMaxPresenceAdvance);
    reals.push_back(real);
    truths.push_back(truth);
  }
  PresenceClock clock(kStart);
  std::atomic<int> reached{0};
  std::atomic<int> later{0};
  std::thread reader([&] {
    int i = 0;
    while ((i = reached.load(std::memory_order_acquire)) < kTicks - 1) {
      const auto at = static_cast<std::size_t>(i);
      if (Micros(clock.At(reals[at])) > Micros(truths[at])) ++later;
    }
  });
  for (int i = 0; i < kTicks; ++i) {
    reached.store(i, std::memory_order_release);
    clock.Tick(reals[static_cast<std::size_t>(i)]);
  }
  reader.join();
  EXPECT_EQ(later.load(), 0);
  EXPECT_EQ(clock.At(reals.back()), truths.back());
}

}  // namespace
}  // namespace lifesign
