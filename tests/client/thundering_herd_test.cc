// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// C61: how clients that were cut off together come back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include "lifesign/client/internal/backoff.h"
#include "tests/client/heartbeat_world.h"

namespace lifesign::client::internal {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::Each;
using testing::Ge;
using testing::Le;

constexpr int kClients = 100'000;

// C61 (mattermost/mattermost-webapp#10960, django/channels#568): 100,000
// clients are cut off at once, without a Drain.
TEST(ThunderingHerdTest, C61FirstAttemptsAreUniformOverFiveSeconds) {
  std::array<int, 50> in_each_100_ms{};
  for (int client = 0; client < kClients; ++client) {
    HeartbeatWorld world(HeartbeatWorld::ForSession(), client + 1);
    world.Open();
    world.Advance(seconds(10));
    world.EndStream(grpc::StatusCode::UNAVAILABLE);
    const RealTime cut = world.now;
    world.Advance(seconds(5));
    ASSERT_EQ(world.begun.size(), 2u);
    const auto waited = world.begun[1] - cut;
    ++in_each_100_ms.at(static_cast<size_t>(waited / milliseconds(100)));
  }
  // 2,000 expected; five standard deviations are 221.
  EXPECT_THAT(in_each_100_ms, Each(AllOf(Ge(1'750), Le(2'300))));
}

TEST(ThunderingHerdTest, C61LaterAttemptsHaveFullJitterUpToSixtySeconds) {
  constexpr std::array<int, 8> kBounds = {5, 2, 4, 8, 16, 32, 60, 60};
  std::array<std::array<int, 10>, kBounds.size()> tenths{};
  std::mt19937_64 random(1);
  for (int client = 0; client < kClients; ++client) {
    Backoff backoff;
    for (size_t attempt = 0; attempt < kBounds.size(); ++attempt) {
      const Duration wait = backoff.NextWait(random);
      const Duration bound = seconds(kBounds.at(attempt));
      ASSERT_LT(wait, bound);
      ++tenths.at(attempt).at(static_cast<size_t>(wait * 10 / bound));
    }
  }
  for (const auto& attempt : tenths) {
    EXPECT_THAT(attempt, Each(AllOf(Ge(9'500), Le(10'500))));
  }
}

TEST(ThunderingHerdTest, AttemptsThatFailGrowRarerAndOneThatWorksBeginsAnew) {
  HeartbeatWorld world;
  world.Open();
  world.answers = false;
  world.EndStream(grpc::StatusCode::UNAVAILABLE);
  // Each attempt is given up after 10 s without an answer.
  world.Advance(std::chrono::hours(2));
  const size_t attempts = world.begun.size();
  EXPECT_GT(attempts, 7'200u / 70);
  EXPECT_LT(attempts, 7'200u / 25);
  for (size_t i = 1; i < attempts; ++i) {
    ASSERT_LE(world.begun[i] - world.begun[i - 1], seconds(70));
  }
  world.answers = true;
  world.Advance(seconds(70) + seconds(60));
  ASSERT_EQ(world.Status().link, Link::kConnected);
  world.EndStream(grpc::StatusCode::UNAVAILABLE);
  const RealTime cut = world.now;
  const size_t before = world.begun.size();
  world.Advance(seconds(5));
  ASSERT_GT(world.begun.size(), before);
  EXPECT_LE(world.begun[before] - cut, seconds(5));
}

// A server that answers and falls over is not met with a first wait for ever.
TEST(ThunderingHerdTest, StreamsThatDieYoungCountAsFailures) {
  HeartbeatWorld world;
  world.Open();
  Duration longest = Duration::zero();
  for (int i = 0; i < 40; ++i) {
    world.Advance(seconds(1));
    world.EndStream(grpc::StatusCode::UNAVAILABLE);
    longest = std::max(longest, *world.Status().reconnect_in);
    world.Advance(*world.Status().reconnect_in);
  }
  EXPECT_GT(longest, seconds(30));
  EXPECT_LT(longest, seconds(60));
}

TEST(ThunderingHerdTest, DrainedClientsComeBackWhenEachIsTold) {
  for (int client = 0; client < 100; ++client) {
    HeartbeatWorld world(HeartbeatWorld::ForSession(), client + 1);
    world.Open();
    const RealTime told = world.now;
    world.SendDrain(milliseconds(100 * client + 101));
    world.Advance(seconds(11));
    ASSERT_EQ(world.begun.size(), 2u);
    EXPECT_EQ(world.begun[1] - told, milliseconds(100 * client + 101));
  }
}

}  // namespace
}  // namespace lifesign::client::internal
