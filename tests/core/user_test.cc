// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md §§ 7, 8: what a user is, and what is told of them.
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/presence_story.h"

namespace lifesign {
namespace {

using ::testing::ElementsAreArray;
using ::testing::SizeIs;

std::size_t Class(DeviceClass device) {
  return static_cast<std::size_t>(device);
}

class AggregationTest : public PresenceStory {};

TEST_F(AggregationTest, TheUsersStateIsTheHighestOfTheirSessions) {
  Open("u1/a",
       {.with = SignalKind::kBackground, .device = DeviceClass::kMobile});
  Open("u1/b", {.with = SignalKind::kIdle, .device = DeviceClass::kDesktop});
  UserView view = User("u1");
  EXPECT_EQ(view.record.state, State::kIdle);
  EXPECT_EQ(view.record.devices[Class(DeviceClass::kMobile)], State::kAway);
  EXPECT_EQ(view.record.devices[Class(DeviceClass::kDesktop)], State::kIdle);
  EXPECT_EQ(view.record.devices[Class(DeviceClass::kWeb)], State::kOffline);
  Login("u1/c", {.device = DeviceClass::kMobile});
  view = User("u1");
  EXPECT_EQ(view.record.state, State::kActive);
  EXPECT_EQ(view.record.devices[Class(DeviceClass::kMobile)], State::kActive);
  EXPECT_EQ(view.sessions_by_state[static_cast<std::size_t>(State::kActive)],
            1);
  EXPECT_EQ(view.sessions_by_state[static_cast<std::size_t>(State::kIdle)], 1);
  EXPECT_EQ(view.sessions_by_state[static_cast<std::size_t>(State::kAway)], 1);
}

TEST_F(AggregationTest, LastSeenAndLastActiveAreMaximaEndedSessionsIncluded) {
  Login("u1/a");
  At(10);
  Login("u1/b");
  At(12);
  Leave("u1/b");
  At(20);
  const PresenceRecord record = User("u1").record;
  EXPECT_EQ(OnTheWall(record.last_seen), 12);
  EXPECT_EQ(OnTheWall(record.last_active), 10);
}

TEST_F(AggregationTest, SinceIsWhenTheStateBegan) {
  Login("u1/a");
  At(5);
  Active("u1/a");
  EXPECT_EQ(OnTheWall(User("u1").record.since), 0);
  At(30);
  EXPECT_NEAR(OnTheWall(User("u1").record.since), 20, 0.1);
}

TEST_F(AggregationTest, AnUnknownUserIsOfflineAndReadsCreateNoRecord) {
  Login("u1/a");
  const UserView view = User("nobody");
  EXPECT_EQ(view.record.state, State::kOffline);
  EXPECT_FALSE(view.record.known);
  EXPECT_EQ(view.confidence, 0);
  EXPECT_FALSE(view.record.since.has_value());
  engine().ListSessions("nobody", now());
  engine().Explain("nobody", now());
  EXPECT_EQ(engine().users(), 1);
}

TEST_F(AggregationTest, AUsersConfidenceCombinesTheSessionsThatHoldTheState) {
  Login("u1/a");
  Login("u1/b");
  Open("u1/c", {.with = SignalKind::kBackground});
  At(14);
  const double a = Session("u1/a").confidence;
  const double b = Session("u1/b").confidence;
  EXPECT_LT(a, 1);
  EXPECT_NEAR(User("u1").confidence, 1 - (1 - a) * (1 - b), 1e-9);
}

class ChangeTest : public PresenceStory {};

TEST_F(ChangeTest, HeartbeatsSecondTabsReconnectsAndIdleSessionsAreSilent) {
  Login("u1/a");
  At(3);
  Active("u1/a");
  Login("u1/b");
  Open("u1/c", {.with = SignalKind::kIdle});
  CloseStream("u1/a");
  Login("u1/a");
  At(5);
  Send("u1/c", SignalKind::kIdle);
  EXPECT_THAT(EventsOf("u1"), SizeIs(1));
}

TEST_F(ChangeTest, ADipThatIsOverBeforeAnythingEvaluatesItIsSilent) {
  Login("u1/a");
  JumpTo(20);
  Active("u1/a");
  EXPECT_THAT(EventsOf("u1"), SizeIs(1));
}

TEST_F(ChangeTest, AReadFindsWhatTimeDidWithTheCauseOfTime) {
  Login("u1/a");
  JumpTo(15);
  EXPECT_EQ(StateOf("u1"), State::kIdle);
  JumpTo(240);
  EXPECT_EQ(StateOf("u1"), State::kOffline);
  EXPECT_THAT(EventsOf("u1"),
              ElementsAreArray(
                  Tells({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→IDLE DECAY @15",
                         "IDLE→OFFLINE EXPIRY @240"})));
}

TEST_F(ChangeTest, ALeaveThatTimeHadDoneAnywayIsTimes) {
  Login("u1/a");
  Login("u1/b");
  JumpTo(20);
  Active("u1/b");
  JumpTo(36);
  // Both have fallen to IDLE by themselves: a's going changes nothing.
  Leave("u1/a");
  EXPECT_THAT(EventsOf("u1"),
              ElementsAreArray(Tells(
                  {"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→IDLE DECAY @36"})));
}

TEST_F(ChangeTest, OneInWhichOnlyDevicesDifferExistsAndIsToldToNoStateWatcher) {
  Login("u1/a", {.device = DeviceClass::kWeb});
  const Revision first = User("u1").record.revision;
  At(1);
  Login("u1/b", {.device = DeviceClass::kMobile});
  PresenceRecord record = User("u1").record;
  EXPECT_GT(record.revision, first);
  EXPECT_EQ(record.cause, Cause::kSignal);
  EXPECT_EQ(OnTheWall(record.since), 0);
  At(2);
  Active("u1/a");
  Leave("u1/b");
  record = User("u1").record;
  EXPECT_EQ(record.cause, Cause::kLeave);
  EXPECT_EQ(record.devices[Class(DeviceClass::kMobile)], State::kOffline);
  EXPECT_THAT(EventsOf("u1"), SizeIs(1));
}

TEST_F(ChangeTest, ReadsAndWatchesShowTheSame) {
  Login("u1/a");
  At(16);
  const PresenceRecord read = User("u1").record;
  const PresenceRecord told = EventsOf("u1").back().change.after;
  EXPECT_EQ(read.revision, told.revision);
  EXPECT_EQ(read.state, told.state);
  EXPECT_EQ(read.since, told.since);
  EXPECT_EQ(read.cause, told.cause);
}

class RevisionTest : public PresenceStory {};

TEST_F(RevisionTest, RisesStrictlyAlsoWithinAMicrosecondAndLiesAboveTheEpoch) {
  PresenceEngine::Options options;
  options.shards = 1;
  Begin(options);
  const Revision epoch = engine().epoch();
  Revision last = epoch;
  for (int i = 0; i < 100; ++i) {
    Login(absl::StrCat("u", i, "/a"));
    const Revision revision = User(absl::StrCat("u", i)).record.revision;
    EXPECT_GT(revision, last);
    last = revision;
  }
}

TEST_F(RevisionTest, FollowsTheMonotonicClockNotTheWall) {
  Login("u1/a");
  const Revision before = User("u1").record.revision;
  JumpWall(-3'600);
  At(10);
  Leave("u1/a");
  EXPECT_NEAR(static_cast<double>(User("u1").record.revision - before), 10e6,
              1e4);
}

TEST_F(RevisionTest, AUserNotKnownCarriesTheNewestOfTheShard) {
  PresenceEngine::Options options;
  options.shards = 1;
  Begin(options);
  Login("u1/a");
  const Revision newest = User("u1").record.revision;
  EXPECT_GE(User("nobody").record.revision, newest);
}

TEST_F(RevisionTest, NothingIsPublishedBehindTheWatermark) {
  PresenceEngine::Options options;
  options.shards = 1;
  Begin(options);
  Login("u1/a");
  const Revision watermark = engine().published_up_to();
  EXPECT_GE(watermark, User("u1").record.revision);
  Leave("u1/a");
  EXPECT_GT(EventsOf("u1").back().change.after.revision, watermark);
}

class RetentionTest : public PresenceStory {};

TEST_F(RetentionTest, WhatIsKeptOfAUserWithoutSessionsIsKeptForTheRetention) {
  Policy policy;
  policy.offline_retention = seconds(100);
  BeginWith(policy);
  Login("u1/a");
  At(10);
  Leave("u1/a");
  At(109.9);
  EXPECT_TRUE(User("u1").record.known);
  EXPECT_EQ(OnTheWall(User("u1").record.last_seen), 10);
  At(110.2);
  EXPECT_FALSE(User("u1").record.known);
  EXPECT_EQ(engine().users(), 0);
}

TEST_F(RetentionTest, WhoComesBackInTimeIsRemembered) {
  Policy policy;
  policy.offline_retention = seconds(100);
  BeginWith(policy);
  Login("u1/a");
  Leave("u1/a");
  At(50);
  Open("u1/a");
  At(200);
  EXPECT_EQ(OnTheWall(User("u1").record.last_active), 0);
}

TEST_F(RetentionTest, WithinANamedMaximumTheOldestIsDroppedFirst) {
  PresenceEngine::Options options;
  options.shards = 1;
  options.max_retained_users = 3;
  Begin(options);
  for (int i = 0; i < 5; ++i) {
    const std::string name = absl::StrCat("u", i, "/a");
    At(i);
    Login(name);
    Leave(name);
  }
  EXPECT_EQ(engine().users(), 3);
  EXPECT_FALSE(User("u0").record.known);
  EXPECT_FALSE(User("u1").record.known);
  EXPECT_TRUE(User("u2").record.known);
  EXPECT_TRUE(User("u4").record.known);
}

TEST_F(RetentionTest, WhoHasASessionIsNoneOfTheRetained) {
  PresenceEngine::Options options;
  options.shards = 1;
  options.max_retained_users = 1;
  Begin(options);
  Login("u1/a");
  Leave("u1/a");
  Login("u1/a");
  Login("u2/a");
  Leave("u2/a");
  Login("u3/a");
  Leave("u3/a");
  EXPECT_TRUE(User("u1").record.known);
  EXPECT_FALSE(User("u2").record.known);
}

}  // namespace
}  // namespace lifesign
