// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 12: what an SDK says, and when.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "tests/client/heartbeat_fixture.h"

namespace lifesign::client::internal {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Each;
using testing::SizeIs;

constexpr auto kActive = v1::SIGNAL_KIND_ACTIVE;
constexpr auto kIdle = v1::SIGNAL_KIND_IDLE;
constexpr auto kBackground = v1::SIGNAL_KIND_BACKGROUND;

TEST_F(HeartbeatTest, LoginIsOneMessageWhoseOpenCarriesTheFirstSignal) {
  world_.Open("ann", "laptop");
  ASSERT_THAT(world_.said, SizeIs(1));
  ASSERT_EQ(world_.last().opens_size(), 1);
  const v1::Open& open = world_.last().opens(0);
  EXPECT_EQ(open.handle(), 1u);
  EXPECT_EQ(open.user_id(), "ann");
  EXPECT_EQ(open.session_id(), "laptop");
  EXPECT_EQ(open.kind(), kActive);
  EXPECT_FALSE(open.has_idle_for());
  EXPECT_NE(open.options().instance(), 0u);
  EXPECT_EQ(world_.begun, std::vector<RealTime>{HeartbeatWorld::kStart});
  EXPECT_EQ(world_.Status().link, Link::kConnected);
  EXPECT_EQ(world_.Status().state, v1::PRESENCE_STATE_ACTIVE);
}

TEST_F(HeartbeatTest, WithoutALifecycleTheOpenSaysNothingAndBeatsSayIdle) {
  world_.Open("ann", "laptop", absl::nullopt);
  EXPECT_EQ(world_.last().opens(0).kind(), v1::SIGNAL_KIND_UNSPECIFIED);
  UntilSaid();
  EXPECT_EQ(LastSignal().kind(), kIdle);
  EXPECT_FALSE(LastSignal().has_idle_for());
}

// "beats at the interval the server names, with a jitter of 10 % either way
// drawn anew each time"
TEST_F(HeartbeatTest, BeatsAtThePromisedIntervalWithUniformJitterOfTenPercent) {
  world_.Open();
  world_.Advance(std::chrono::hours(30));
  std::vector<double> waits;
  for (size_t i = 1; i < world_.said.size(); ++i) {
    waits.push_back(static_cast<double>(
                        (world_.said[i].at - world_.said[i - 1].at).count()) /
                    1e6);
  }
  ASSERT_GT(waits.size(), 10'000u);
  EXPECT_GE(*std::min_element(waits.begin(), waits.end()), 9.0);
  EXPECT_LE(*std::max_element(waits.begin(), waits.end()), 11.0);
  std::array<int, 10> tenths{};
  for (const double wait : waits) {
    ++tenths.at(std::min(9, static_cast<int>((wait - 9.0) * 5)));
  }
  // 1,000 of 10,000 each, five standard deviations apart at most.
  const double expected = static_cast<double>(waits.size()) / 10;
  EXPECT_THAT(tenths, Each(testing::AllOf(testing::Gt(expected - 150),
                                          testing::Lt(expected + 150))));
}

TEST_F(HeartbeatTest, PromiseIsTakenFromTheServerForEachLifecycle) {
  world_.Open();
  Become(Lifecycle::kBackground);
  EXPECT_EQ(world_.Status().next_interval, seconds(60));
  const Duration wait = UntilSaid();
  EXPECT_GE(wait, seconds(54));
  EXPECT_LE(wait, seconds(66));
}

TEST_F(HeartbeatTest, BeatIsNoInteractionAndTellsHowOldTheLastOneIs) {
  world_.Open();
  const Duration wait = UntilSaid();
  EXPECT_EQ(LastSignal().kind(), kActive);
  EXPECT_EQ(IdleForOfLast(), wait);
}

TEST_F(HeartbeatTest, SignalWithoutAnAgeHasAtMostSixBytes) {
  world_.Open();
  Become(Lifecycle::kBackground);
  EXPECT_LE(world_.last().ByteSizeLong(), 6u);
  world_.Advance(seconds(70));
  EXPECT_EQ(LastSignal().kind(), kBackground);
  EXPECT_LE(world_.last().ByteSizeLong(), 6u);
  Interact();
  EXPECT_EQ(LastSignal().kind(), kActive);
  EXPECT_LE(world_.last().ByteSizeLong(), 6u);
}

// "reports an interaction at once when the last one it reported is older than
// a third of active_window"
TEST_F(HeartbeatTest, InteractionIsToldAtOnceWhenTheLastOneToldIsOlder) {
  world_.Open();
  world_.Advance(seconds(5));
  Interact();
  EXPECT_THAT(world_.said, SizeIs(1)) << "exactly a third is not older";
  world_.Advance(kSmallest);
  Interact();
  ASSERT_THAT(world_.said, SizeIs(2));
  EXPECT_EQ(LastSignal().kind(), kActive);
  EXPECT_FALSE(LastSignal().has_idle_for());
}

TEST_F(HeartbeatTest, WhatTheServerTellsDecidesWhatIsReportedAtOnce) {
  world_.report_after = seconds(2);
  world_.Open();
  EXPECT_EQ(world_.Status().report_after, seconds(2));
  world_.Advance(seconds(2));
  Interact();
  EXPECT_THAT(world_.said, SizeIs(1)) << "not older";
  world_.Advance(kSmallest);
  Interact();
  EXPECT_THAT(world_.said, SizeIs(2));
}

TEST_F(HeartbeatTest, WhatTheServerToldHoldsUntilItTellsAnotherWithAnOpen) {
  world_.report_after = seconds(2);
  world_.Open();
  world_.report_after = seconds(1);
  world_.EndStream(grpc::StatusCode::UNAVAILABLE);
  world_.answers = false;
  UntilSaid();
  EXPECT_EQ(world_.Status().report_after, seconds(2));
  world_.answers = true;
  UntilSaid();
  EXPECT_EQ(world_.Status().report_after, seconds(1));
}

TEST(ReportInteractionTest, WhatTheHolderSetWinsOverWhatTheServerTells) {
  HeartbeatLogic::Options options = HeartbeatWorld::ForSession();
  options.report_interaction_after = seconds(3);
  HeartbeatWorld world(options);
  world.report_after = seconds(1);
  const Handle handle = world.Open();
  const auto interact = [handle](auto& logic, RealTime now) {
    logic.Interacted(handle, now);
  };
  world.Advance(seconds(3));
  world.Do(interact);
  EXPECT_THAT(world.said, SizeIs(1));
  world.Advance(kSmallest);
  world.Do(interact);
  EXPECT_THAT(world.said, SizeIs(2));
}

TEST_F(HeartbeatTest, InteractionNotToldAtOnceIsToldWithTheNextBeat) {
  world_.Open();
  world_.Advance(seconds(4));
  Interact();
  EXPECT_THAT(world_.said, SizeIs(1));
  const Duration wait = UntilSaid();
  EXPECT_EQ(IdleForOfLast(), wait);
}

TEST_F(HeartbeatTest, EachReportRestartsTheInterval) {
  world_.Open();
  world_.Advance(seconds(8));
  Interact();
  ASSERT_THAT(world_.said, SizeIs(2));
  EXPECT_GE(UntilSaid(), seconds(9));
}

TEST_F(HeartbeatTest, ChangeOfLifecycleIsAlwaysToldAtOnce) {
  world_.Open();
  Become(Lifecycle::kIdle);
  EXPECT_EQ(LastSignal().kind(), kIdle);
  Become(Lifecycle::kBackground);
  EXPECT_EQ(LastSignal().kind(), kBackground);
  Become(Lifecycle::kActive);
  EXPECT_EQ(LastSignal().kind(), kActive);
  EXPECT_THAT(world_.said, SizeIs(4));
  Become(Lifecycle::kActive);
  EXPECT_THAT(world_.said, SizeIs(4)) << "nothing changed";
}

TEST_F(HeartbeatTest, ChangeOfLifecycleTellsAnInteractionNotToldYet) {
  world_.Open();
  world_.Advance(seconds(3));
  Interact();
  world_.Advance(seconds(1));
  Become(Lifecycle::kIdle);
  EXPECT_EQ(LastSignal().kind(), kIdle);
  EXPECT_EQ(IdleForOfLast(), seconds(1));
  UntilSaid();
  EXPECT_FALSE(LastSignal().has_idle_for()) << "told already";
}

// "SDKs never queue heartbeats: only the newest is sent."
TEST_F(HeartbeatTest, OfAThousandWordsBehindASlowWriteOnlyTheNewestIsSent) {
  world_.Open();
  world_.takes_writes = false;
  Become(Lifecycle::kBackground);
  for (int i = 0; i < 1'000; ++i) {
    Become(i % 2 == 0 ? Lifecycle::kActive : Lifecycle::kBackground);
  }
  Become(Lifecycle::kIdle);
  EXPECT_THAT(world_.said, SizeIs(2)) << "one write in flight";
  world_.takes_writes = true;
  world_.Settle();
  ASSERT_THAT(world_.said, SizeIs(3));
  EXPECT_EQ(world_.last().signals_size(), 1);
  EXPECT_EQ(LastSignal().kind(), kIdle);
}

// --- Asking

// "SDKs ask after a network change or sleep, and treat 10 s without the answer
// as a broken link."
TEST_F(HeartbeatTest, AsksAfterANetworkChangeAndBreaksTheLinkAfterTenSeconds) {
  world_.Open();
  world_.answers = false;
  ChangeNetwork();
  EXPECT_TRUE(world_.last().answer_now());
  world_.Advance(seconds(10) - kSmallest);
  EXPECT_THAT(world_.begun, SizeIs(1));
  EXPECT_TRUE(world_.streaming);
  world_.Advance(kSmallest);
  EXPECT_FALSE(world_.streaming);
  EXPECT_EQ(world_.Status().link, Link::kWaiting);
  EXPECT_EQ(world_.Status().last_error.code,
            grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST_F(HeartbeatTest, AnAnswerInTimeKeepsTheLink) {
  world_.Open();
  world_.answers = false;
  ChangeNetwork();
  world_.Advance(seconds(9));
  world_.Acknowledge();
  world_.Advance(seconds(80));
  EXPECT_THAT(world_.begun, SizeIs(1));
}

TEST_F(HeartbeatTest, AStuckWriteDoesNotHideThatNobodyAnswers) {
  world_.Open();
  world_.takes_writes = false;
  ChangeNetwork();
  ChangeNetwork();
  world_.Advance(seconds(10));
  EXPECT_EQ(world_.Status().link, Link::kWaiting);
}

TEST_F(HeartbeatTest, AsksAfterSleep) {
  world_.Open();
  world_.Sleep(minutes(30));
  ASSERT_THAT(world_.said, SizeIs(2)) << "one beat, however many were missed";
  EXPECT_TRUE(world_.last().answer_now());
  EXPECT_EQ(IdleForOfLast(), minutes(30));
  EXPECT_TRUE(world_.streaming);
}

TEST_F(HeartbeatTest, OpenIsAskedForAndSilenceAfterItIsABrokenLink) {
  world_.answers = false;
  world_.Open();
  EXPECT_TRUE(world_.last().answer_now());
  EXPECT_EQ(world_.Status().link, Link::kConnecting);
  world_.Advance(seconds(10));
  EXPECT_EQ(world_.Status().link, Link::kWaiting);
}

TEST_F(HeartbeatTest, AsksOfItselfWhenNothingWasAnsweredForLong) {
  world_.Open();
  const size_t opened = world_.said.size();
  world_.Advance(seconds(99));
  for (size_t i = opened; i < world_.said.size(); ++i) {
    EXPECT_FALSE(world_.said[i].message.answer_now());
  }
  world_.answers = false;
  world_.Advance(seconds(30));
  EXPECT_EQ(world_.Status().last_error.code,
            grpc::StatusCode::DEADLINE_EXCEEDED);
}

}  // namespace
}  // namespace lifesign::client::internal
