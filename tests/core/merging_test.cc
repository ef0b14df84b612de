// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 5: signals beyond 10 a second a session (burst 20) are
// merged into the newest, never refused.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/presence_story.h"

namespace lifesign {
namespace {

using ::testing::ElementsAreArray;
using ::testing::SizeIs;

class MergingTest : public PresenceStory {
 protected:
  MergingTest() { Login("u1/tab"); }
  // Takes every token there is.
  void UseUp() {
    for (int i = 0; i < 20; ++i) Active("u1/tab");
  }
};

TEST_F(MergingTest, ABurstOfTwentyIsAppliedAndTheNextOneWaits) {
  for (int i = 0; i < 19; ++i) Active("u1/tab");
  EXPECT_TRUE(Send("u1/tab", SignalKind::kBackground).is_news) << "the 20th";
  const SignalOutcome merged = Send("u1/tab", SignalKind::kActive);
  EXPECT_TRUE(merged.ok());
  EXPECT_FALSE(merged.is_news);
  EXPECT_EQ(Session("u1/tab").lifecycle, Lifecycle::kBackground);
}

TEST_F(MergingTest, WhatWaitsIsAppliedWhenTheNextTokenComes) {
  UseUp();
  Send("u1/tab", SignalKind::kBackground);
  JumpTo(0.099999);
  Tick();
  EXPECT_EQ(Session("u1/tab").lifecycle, Lifecycle::kActive);
  JumpTo(0.1);
  Tick();
  EXPECT_EQ(Session("u1/tab").lifecycle, Lifecycle::kBackground);
  EXPECT_EQ(Session("u1/tab").next_interval, seconds(60));
}

TEST_F(MergingTest, TheNewestWins) {
  UseUp();
  Send("u1/tab", SignalKind::kBackground);
  Send("u1/tab", SignalKind::kIdle);
  JumpTo(0.1);
  Tick();
  EXPECT_EQ(Session("u1/tab").lifecycle, Lifecycle::kIdle);
  JumpTo(2.1);
  EXPECT_EQ(StateOf("u1"), State::kIdle);
}

TEST_F(MergingTest, AMergedSignalMovesTheAgesAtOnce) {
  UseUp();
  JumpTo(0.05);
  Active("u1/tab");
  EXPECT_DOUBLE_EQ(OnTheWall(Session("u1/tab").last_seen), 0.05);
  EXPECT_DOUBLE_EQ(OnTheWall(Session("u1/tab").last_active), 0.05);
}

// A user is evaluated at every tick, so also when only ages were moved.
TEST_F(MergingTest, ARiseByAMergedSignalShowsAtTheNextTick) {
  At(20);
  for (int i = 0; i < 20; ++i) {
    Send("u1/tab", SignalKind::kActive, seconds(30));
  }
  EXPECT_EQ(EventsOf("u1").back().change.after.state, State::kIdle);
  Active("u1/tab");
  EXPECT_EQ(EventsOf("u1").back().change.after.state, State::kIdle);
  JumpTo(20.05);
  Tick();
  EXPECT_THAT(EventsOf("u1"),
              ElementsAreArray(
                  Tells({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→IDLE DECAY @15",
                         "IDLE→ACTIVE SIGNAL @20.05"})));
}

TEST_F(MergingTest, TokensComeBackTenASecond) {
  UseUp();
  JumpTo(0.3);
  EXPECT_TRUE(Send("u1/tab", SignalKind::kIdle).is_news);
  EXPECT_TRUE(Send("u1/tab", SignalKind::kActive).is_news);
  EXPECT_TRUE(Send("u1/tab", SignalKind::kIdle).is_news);
  EXPECT_FALSE(Send("u1/tab", SignalKind::kActive).is_news);
}

TEST_F(MergingTest, ALeaveIsNeverMergedAndNeverWaits) {
  UseUp();
  Active("u1/tab");
  EXPECT_FALSE(Leave("u1/tab").bound);
  EXPECT_THAT(EventsOf("u1"),
              ElementsAreArray(Tells(
                  {"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→OFFLINE LEAVE @0"})));
}

TEST_F(MergingTest, ADetachFlushesWhatWaits) {
  UseUp();
  Send("u1/tab", SignalKind::kBackground);
  Send("u1/tab", SignalKind::kDetach);
  EXPECT_EQ(Session("u1/tab").lifecycle, Lifecycle::kBackground);
  JumpTo(2);
  EXPECT_EQ(StateOf("u1"), State::kAway);
}

TEST_F(MergingTest, OpensTakeNoTokenAndOweNone) {
  for (int i = 0; i < 100; ++i) {
    UseUp();
    Send("u1/tab", SignalKind::kIdle);
    EXPECT_TRUE(Open("u1/tab").opened.ok());
  }
  Send("u1/tab", SignalKind::kBackground);
  JumpTo(0.1);
  Tick();
  EXPECT_EQ(Session("u1/tab").lifecycle, Lifecycle::kBackground);
}

TEST_F(MergingTest, ANeighboursSignalsAreAppliedWithoutDelay) {
  Login("u1/other");
  Login("u2/other");
  UseUp();
  Active("u1/tab");
  EXPECT_TRUE(Send("u1/other", SignalKind::kBackground).is_news);
  EXPECT_TRUE(Send("u2/other", SignalKind::kBackground).is_news);
}

TEST_F(MergingTest, AFloodIsSilent) {
  for (int i = 1; i <= 500; ++i) {
    At(i * 0.02);
    EXPECT_TRUE(Active("u1/tab").ok());
  }
  EXPECT_THAT(EventsOf("u1"), SizeIs(1));
}

}  // namespace
}  // namespace lifesign
