// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Events, activity, confidence, watches and time: the engine alone.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/limits.h"
#include "tests/cases/core_cases.h"

namespace lifesign {
namespace {

using ::testing::ElementsAreArray;
using ::testing::SizeIs;

TEST_F(CoreCases, C19_ClosingOneOfSeveralTabsIsNoDeparture) {
  for (const char* tab : {"u1/s1", "u1/s2", "u1/s3"}) Login(tab);
  At(1);
  Leave("u1/s1");
  At(2);
  Leave("u1/s2");
  At(3);
  Leave("u1/s3");
  At(10);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→OFFLINE LEAVE @3"});
}

TEST_F(CoreCases, C22_TwoDevicesThatDeclareDifferentStatesDoNotFlip) {
  Login("u1/s1");
  Open("u1/s2", {.with = SignalKind::kIdle});
  for (double at = 2.5; at < 300; at += 5) {
    At(at);
    Send("u1/s2", SignalKind::kIdle);
    EXPECT_EQ(Session("u1/s2").state, at < 45 ? State::kIdle : State::kAway);
    At(at + 2.5);
    Active("u1/s1");
    EXPECT_EQ(Session("u1/s1").state, State::kActive);
  }
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0"});
}

// (b) comes with the administration.
TEST_F(CoreCases, C24a_AfterALeaveTheSessionsThatAreLeftDecide) {
  Login("u1/s2");
  At(1);
  Login("u1/s1");
  Beat("u1/s1", 10, 191);
  At(200);
  Leave("u1/s1");
  At(250);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→STALE LEAVE @200",
               "STALE→OFFLINE EXPIRY @240"});
}

TEST_F(CoreCases, C25a_ASensorThatTogglesIsSilent) {
  Login("u1/s1");
  for (int second = 1; second <= 60; ++second) {
    At(second);
    Send("u1/s1", second % 2 == 1 ? SignalKind::kIdle : SignalKind::kActive);
  }
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0"});
}

TEST_F(CoreCases, C25b_ANetworkThatTogglesIsSilent) {
  Login("u1/s1");
  for (int second = 1; second <= 60; ++second) {
    At(second);
    if (second % 2 == 1) {
      CloseStream("u1/s1");
    } else {
      const OpenOutcome opened = Open("u1/s1").opened;
      EXPECT_TRUE(opened.resumed);
      EXPECT_FALSE(opened.taken_over.has_value());
    }
    if (second % 10 == 0) Active("u1/s1");
  }
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0"});
}

TEST_F(CoreCases, C26_LifecycleStepsInSequenceShowNothingBetween) {
  Login("u1/s1");
  At(2);
  Send("u1/s1", SignalKind::kIdle);
  At(10);
  Send("u1/s1", SignalKind::kBackground);
  At(11);
  EXPECT_EQ(StateOf("u1"), State::kIdle);
  At(14);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→IDLE DECAY @4",
               "IDLE→AWAY DECAY @12"});
}

TEST_F(CoreCases, C27_AFloodIsMergedAndALeaveIsNot) {
  Login("u1/s1");
  Login("u2/s1");
  for (int i = 1; i <= 500; ++i) {
    At(i * 0.02);
    const SignalOutcome outcome = Active("u1/s1");
    EXPECT_TRUE(outcome.ok());
    EXPECT_FALSE(outcome.is_news) << "answers stay sparse";
    if (i == 250) {
      EXPECT_TRUE(Send("u2/s1", SignalKind::kBackground).is_news);
    }
  }
  EXPECT_TRUE(Leave("u1/s1").ok());
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→OFFLINE LEAVE @10"});
}

TEST_F(CoreCases, C30_BackgroundSynchronisationIsNoActivity) {
  Login("u1/s1");
  for (int at = 30; at <= 300; at += 30) {
    At(at);
    Send("u1/s1", SignalKind::kIdle);
  }
  At(305);
  const PresenceRecord record = User("u1").record;
  EXPECT_EQ(record.state, State::kAway);
  EXPECT_EQ(OnTheWall(record.last_active), 0);
  EXPECT_EQ(OnTheWall(record.last_seen), 300);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→IDLE DECAY @15",
               "IDLE→AWAY DECAY @60"});
}

TEST_F(CoreCases, C32_InteractionBringsTheUserBackAtOnce) {
  Login("u1/s1");
  At(20);
  Send("u1/s1", SignalKind::kIdle);
  At(30);
  Send("u1/s1", SignalKind::kBackground);
  At(100);
  EXPECT_EQ(Active("u1/s1").state, State::kActive);
  At(110);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→IDLE DECAY @15",
               "IDLE→AWAY DECAY @32", "AWAY→ACTIVE SIGNAL @100"});
}

TEST_F(CoreCases, C33_AThrottledTimerOfAHiddenTabIsNotStale) {
  Login("u1/s1");
  At(9);
  EXPECT_EQ(User("u1").confidence, 1);
  At(40);
  EXPECT_LT(User("u1").confidence, 1);
  for (int at = 60; at <= 180; at += 60) {
    At(at);
    Send("u1/s1", SignalKind::kIdle, seconds(at));
    At(at + 1);
    EXPECT_EQ(User("u1").confidence, 1);
  }
  At(359);
  EXPECT_EQ(OnTheWall(User("u1").record.last_active), 0);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→IDLE DECAY @15",
               "IDLE→AWAY DECAY @60"});
}

TEST_F(CoreCases, C35_SilenceIsJudgedByThePromiseOfThisSession) {
  Login("u1/s1");
  At(10);
  EXPECT_EQ(Send("u1/s1", SignalKind::kBackground).next_interval, seconds(60));
  At(69);
  EXPECT_EQ(StateOf("u1"), State::kAway);
  EXPECT_EQ(User("u1").confidence, 1);
  At(130);
  EXPECT_EQ(StateOf("u1"), State::kAway);
  EXPECT_LT(User("u1").confidence, 1);
  At(260);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→AWAY DECAY @12",
               "AWAY→STALE DECAY @190", "STALE→OFFLINE EXPIRY @250"});
}

TEST_F(CoreCases, C36_DegenerateStatisticsDoNotSpoilConfidence) {
  // s1 beats exactly, s3 does with one pause, s2 signals once: then all fall
  // silent together.
  Login("u1/a");
  Login("u3/a");
  for (int at = 10; at <= 1'000; at += 10) {
    At(at);
    Active("u1/a");
    if (at <= 400 || at > 600) Active("u3/a");
  }
  Login("u2/a");
  Login("u3/a");
  Active("u1/a");
  double before = 1;
  for (const double age : {0.0, 10.0, 11.5, 12.0, 30.0, 239.999, 240.0}) {
    JumpTo(1'000 + age);
    const double confidence = User("u1").confidence;
    EXPECT_GE(confidence, 0);
    EXPECT_LE(confidence, before);
    if (age <= 11.5) {
      EXPECT_EQ(confidence, 1);
    }
    if (age >= 240) {
      EXPECT_EQ(confidence, 0);
    }
    EXPECT_EQ(User("u2").confidence, confidence);
    EXPECT_EQ(User("u3").confidence, confidence);
    before = confidence;
  }
}

// (a) is in tests/core/concurrency_test.cc: it takes threads.
TEST_F(CoreCases, C37b_AWatchEvaluatesWhoItCopies) {
  Login("u1/s1");
  JumpTo(15.1);
  const auto watch = std::make_shared<Watch>(std::weak_ptr<WatchListener>());
  const PresenceRecord copied =
      engine().CopyAndRegister(watch, std::vector<std::string>{"u1"}, now())[0];
  EXPECT_EQ(copied.state, State::kIdle);
  JumpTo(15.2);
  Active("u1/s1");
  Beat("u1/s1", 10, 100);
  const auto mail = watch->Take(10).mail;
  ASSERT_THAT(mail, SizeIs(1));
  EXPECT_EQ(mail[0]->change.before, State::kIdle);
  EXPECT_EQ(mail[0]->change.after.state, State::kActive);
  EXPECT_EQ(mail[0]->change.after.cause, Cause::kSignal);
  EXPECT_GT(mail[0]->change.after.revision, copied.revision);
}

TEST_F(CoreCases, C40_WhatTimeAloneChangesIsToldToWatchersOfManyToo) {
  constexpr int kUsers = 20'000;
  for (int i = 1; i <= kUsers; ++i) Login(absl::StrCat("u", i, "/s1"));
  At(241);
  for (int i = 1; i <= kUsers; ++i) {
    ASSERT_THAT(EventsOf(absl::StrCat("u", i)),
                ElementsAreArray(Tells(Decay())));
  }
}

TEST_F(CoreCases, C53_AWallClockThatJumpsChangesNothing) {
  Login("u1/s1");
  At(100);
  JumpWall(-3'600);
  At(120);
  JumpWall(7'200);
  At(300);
  ExpectStory(Decay());
  Revision last = 0;
  for (const Event& event : EventsOf("u1")) {
    EXPECT_GT(event.change.after.revision, last);
    last = event.change.after.revision;
  }
}

TEST_F(CoreCases, C54_TheTtlIsNotAddedTwice) {
  Login("u1/s1");
  At(239.9);
  Active("u1/s1");
  At(500);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→IDLE DECAY @15",
               "IDLE→AWAY DECAY @60", "AWAY→STALE DECAY @180",
               "STALE→ACTIVE SIGNAL @239.9", "ACTIVE→IDLE DECAY @254.9",
               "IDLE→AWAY DECAY @299.9", "AWAY→STALE DECAY @419.9",
               "STALE→OFFLINE EXPIRY @479.9"});
}

// The core's part: the largest legal duration saturates, and a policy with a
// larger one is refused whole.
TEST_F(CoreCases, C56_AHugeDurationNeitherExpiresAtOnceNorNever) {
  Open("u1/s1", {.with = SignalKind::kActive,
                 .idle_for = seconds(limits::kMaxDurationSeconds)});
  const PresenceRecord record = User("u1").record;
  EXPECT_EQ(record.state, State::kAway);
  // Ten thousand years ago, and no later: whoever shows it holds it at the year
  // 1.
  ASSERT_TRUE(record.last_active.has_value());
  EXPECT_LT(*record.last_active, WallTime(-seconds(62'135'596'800)));
  At(250);
  ExpectStory({"OFFLINE→AWAY SIGNAL @0", "AWAY→STALE DECAY @180",
               "STALE→OFFLINE EXPIRY @240"});

  Policy policy;
  policy.defaults.ttl = Duration::max();  // 10^13 s are even more
  const auto violations = ValidatePolicy(policy);
  ASSERT_THAT(violations, SizeIs(1));
  EXPECT_EQ(violations[0].field, "ttl");
}

// The counts themselves come with CountPresences.
TEST_F(CoreCases, C63_CountersDoNotDriftBelowZero) {
  const Client client = Login("u1/s1");
  At(0.2);
  EXPECT_EQ(engine().sessions(), 1);
  At(1);
  EXPECT_TRUE(
      Unary("u1/s1", client.opened.ref.attachment, SignalKind::kLeave).ok());
  At(2);
  EXPECT_EQ(engine().sessions(), 0);
  EXPECT_TRUE(
      Unary("u1/s1", client.opened.ref.attachment, SignalKind::kLeave).ok());
  At(3);
  EXPECT_TRUE(Unary("u1/s9", kNoAttachment, SignalKind::kLeave).ok());
  At(243);
  EXPECT_EQ(engine().sessions(), 0);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→OFFLINE LEAVE @1"});
}

TEST_F(CoreCases, C71_TimedDoNotDisturbEndsAndEndsInAvailable) {
  const AvailabilityDeclaration busy = {AvailabilityKind::kBusy, "",
                                        absl::nullopt};
  const AvailabilityDeclaration undisturbed = {AvailabilityKind::kDoNotDisturb,
                                               "", seconds(1'800)};
  // (a)
  Login("u1/s1");
  Declare("u1/s1", busy);
  At(10);
  Declare("u1/s1", undisturbed);
  Beat("u1/s1", 10, 1'900);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→ACTIVE AVAILABILITY @0",
               "ACTIVE→ACTIVE AVAILABILITY @10",
               "ACTIVE→ACTIVE AVAILABILITY @1810 (a tick)"});
  EXPECT_EQ(AvailabilityOf("u1"), "AVAILABLE");
  // (b)
  Begin(PresenceEngine::Options());
  Login("u1/s1");
  Declare("u1/s1", busy);
  At(10);
  Declare("u1/s1", undisturbed);
  At(12);
  Leave("u1/s1");
  At(2'000);
  Login("u1/s1");
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→ACTIVE AVAILABILITY @0",
               "ACTIVE→ACTIVE AVAILABILITY @10", "ACTIVE→OFFLINE LEAVE @12",
               "OFFLINE→ACTIVE SIGNAL @2000"});
  EXPECT_EQ(AvailabilityOf("u1"), "AVAILABLE");
}

}  // namespace
}  // namespace lifesign
