// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 11: how many were in a room lately.
#include "server/core/room/occupancy.h"

#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace lifesign {
namespace {

RealTime Second(double second) {
  return RealTime(Duration(static_cast<Duration::rep>(second * 1e6)));
}

TEST(OccupancyHistory, PeakAndMeanAreWeightedByTime) {
  OccupancyHistory history;
  history.Set(4, Second(100.25));
  history.Set(1, Second(130.25));
  OccupancyFigures minute = history.Over(seconds(60), Second(160));
  EXPECT_EQ(minute.peak, 4);
  EXPECT_NEAR(minute.mean, (30 * 4 + 29.75) / 60, 1e-9);
  minute = history.Over(seconds(60), Second(200));
  EXPECT_EQ(minute.peak, 1);
  EXPECT_NEAR(minute.mean, 1, 1e-9);
  EXPECT_NEAR(history.Over(seconds(300), Second(200)).mean,
              (30 * 4 + 69.75) / 300, 1e-9);
}

TEST(OccupancyHistory, WhatLastsLessThanASecondCounts) {
  OccupancyHistory history;
  history.Set(1, Second(10.0));
  history.Set(3, Second(10.2));
  history.Set(0, Second(10.4));
  const OccupancyFigures minute = history.Over(seconds(60), Second(10.5));
  EXPECT_EQ(minute.peak, 3);
  EXPECT_NEAR(minute.mean, (0.2 + 0.6) / 60, 1e-9);
}

TEST(OccupancyHistory, ItForgetsWhatIsOlderThanAQuarterOfAnHour) {
  OccupancyHistory history;
  EXPECT_TRUE(history.IsForgotten(Second(0)));
  history.Set(7, Second(10));
  history.Set(0, Second(20));
  EXPECT_FALSE(history.IsForgotten(Second(20)));
  EXPECT_EQ(history.Over(seconds(900), Second(915)).peak, 7);
  EXPECT_FALSE(history.IsForgotten(Second(919)));
  EXPECT_TRUE(history.IsForgotten(Second(920)));
  EXPECT_EQ(history.Over(seconds(900), Second(922)).peak, 0);
  EXPECT_EQ(history.Over(seconds(900), Second(922)).mean, 0);
}

TEST(OccupancyHistory, TimeThatRunsBackwardsStandsStill) {
  OccupancyHistory history;
  history.Set(5, Second(50));
  history.Set(2, Second(40));
  EXPECT_EQ(history.Over(seconds(60), Second(45)).peak, 5);
  EXPECT_NEAR(history.Over(seconds(60), Second(80)).mean, 1, 1e-9);
}

// What a list of every change says, but for the second at the far end.
TEST(OccupancyHistory, AgreesWithEveryChangeWrittenDown) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 20; ++round) {
    OccupancyHistory history;
    std::vector<std::pair<double, int>> changes = {{0, 0}};
    double at = 5;
    const double pace = round % 2 == 0 ? 0.2 : 20;
    while (at < 2'000) {
      const int users = static_cast<int>(random() % 10);
      history.Set(users, Second(at));
      changes.emplace_back(at, users);
      at += pace * static_cast<double>(random() % 1'000) / 1'000;
      if (random() % 20 != 0) continue;
      for (const Duration window : kOccupancyWindows) {
        // Seconds that begin with the window are told exactly.
        const double now = static_cast<double>(static_cast<int>(at));
        if (now <= changes.back().first) continue;
        const double since =
            std::max(now - static_cast<double>(window.count()) / 1e6, 0.0);
        double area = 0;
        int peak = 0;
        for (std::size_t i = 0; i < changes.size(); ++i) {
          const double begin = std::max(changes[i].first, since);
          const double end = i + 1 < changes.size()
                                 ? std::min(changes[i + 1].first, now)
                                 : now;
          if (end <= begin) continue;
          area += changes[i].second * (end - begin);
          peak = std::max(peak, changes[i].second);
        }
        const OccupancyFigures figures = history.Over(window, Second(now));
        EXPECT_EQ(figures.peak, peak) << "at " << now;
        EXPECT_NEAR(figures.mean,
                    area / (static_cast<double>(window.count()) / 1e6), 1e-4)
            << "at " << now;
      }
    }
  }
}

}  // namespace
}  // namespace lifesign
