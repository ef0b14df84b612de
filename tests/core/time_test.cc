// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md §§ 2, 3, 5, 6: what time does to the engine.
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/limits.h"
#include "tests/testing/presence_story.h"

namespace lifesign {
namespace {

using ::testing::ElementsAreArray;
using ::testing::SizeIs;

class PresenceTimeTest : public PresenceStory {};

TEST_F(PresenceTimeTest, WhatAFrozenProcessMissedMakesNobodyStale) {
  Login("u1/a");
  At(10);
  Freeze(1'000);
  Tick();
  // The last tick before was at 9.937.
  EXPECT_EQ(second(), 11.937);
  EXPECT_EQ(StateOf("u1"), State::kActive);
  Active("u1/a");
  At(13);
  EXPECT_THAT(EventsOf("u1"), SizeIs(1));
}

TEST_F(PresenceTimeTest, DeadlinesFireOnlyFromTheTickAfterAPause) {
  Login("u1/a");
  At(14);
  Freeze(1'000);
  Tick();
  EXPECT_GT(second(), 15);
  EXPECT_THAT(EventsOf("u1"), SizeIs(1)) << "what waits is heard first";
  Active("u1/a");
  At(17);
  EXPECT_THAT(EventsOf("u1"), SizeIs(1));
}

TEST_F(PresenceTimeTest, LastSeenIsReadOffTheWallPausesIncluded) {
  Login("u1/a");
  At(5);
  Freeze(1'000);
  Tick();
  EXPECT_EQ(OnTheWall(User("u1").record.last_seen), 0);
  Active("u1/a");
  EXPECT_NEAR(OnTheWall(User("u1").record.last_seen), 1'005, 0.1);
}

TEST_F(PresenceTimeTest, AShardNeverSeesTimeRunBackwards) {
  Login("u1/a");
  const Now early = now();
  At(20);
  EXPECT_EQ(StateOf("u1"), State::kIdle);
  EXPECT_EQ(engine().GetUser("u1", early).record.state, State::kIdle);
  EXPECT_THAT(EventsOf("u1"), SizeIs(2));
}

class PolicyChangeTest : public PresenceStory {};

TEST_F(PolicyChangeTest, AppliesToASessionFromItsNextSignalOn) {
  Login("u1/a");
  Login("u2/a");
  At(1);
  engine().SetPolicy(ScalePolicy(Policy(), 1, 10));
  EXPECT_EQ(Active("u2/a").next_interval, seconds(1));
  At(10);
  EXPECT_EQ(StateOf("u1"), State::kActive);
  EXPECT_EQ(StateOf("u2"), State::kAway);
  EXPECT_EQ(Open("u1/a").opened.next_interval, seconds(10))
      << "a resumed one keeps its promise";
}

TEST_F(PolicyChangeTest, DeviceClassesAreJudgedByTheirRows) {
  Policy policy;
  PolicyRow phone;
  phone.active_window = seconds(30);
  policy.by_device[static_cast<std::size_t>(DeviceClass::kMobile)] = phone;
  BeginWith(policy);
  Login("u1/a", {.device = DeviceClass::kMobile});
  Login("u2/a", {.device = DeviceClass::kWeb});
  At(29.9);
  EXPECT_EQ(StateOf("u1"), State::kActive);
  EXPECT_EQ(StateOf("u2"), State::kIdle);
  At(30.2);
  EXPECT_EQ(StateOf("u1"), State::kIdle);
}

// docs/concepts.md § 12: a third of `active_window`, of the row that judges the
// session from then on.
TEST_F(PolicyChangeTest, AnOpenTellsWhenAnInteractionIsWorthReportingAtOnce) {
  Policy policy;
  PolicyRow phone;
  phone.active_window = seconds(30);
  policy.by_device[static_cast<std::size_t>(DeviceClass::kMobile)] = phone;
  BeginWith(policy);
  EXPECT_EQ(Login("u1/a", {.device = DeviceClass::kMobile}).opened.report_after,
            seconds(10));
  EXPECT_EQ(Login("u2/a", {.device = DeviceClass::kWeb}).opened.report_after,
            seconds(5));
  const Client moved = Open("u2/a", {.device = DeviceClass::kMobile});
  EXPECT_TRUE(moved.opened.resumed);
  EXPECT_EQ(moved.opened.report_after, seconds(10));
}

TEST_F(PolicyChangeTest, ALongerWindowDoesNotMakeActiveWhatNeverWas) {
  BeginWith(ScalePolicy(Policy(), 1, 10));
  Open("u1/a");
  At(1);
  engine().SetPolicy(Policy());
  Send("u1/a", SignalKind::kIdle);
  EXPECT_EQ(StateOf("u1"), State::kIdle);
  EXPECT_THAT(EventsOf("u1"), SizeIs(1));
}

TEST_F(PolicyChangeTest, TheLongestIntervalThatAPolicyMayNameIsPromised) {
  Policy policy;
  policy.defaults.background_interval = limits::kMaxInterval;
  policy.defaults.away_window = 3 * limits::kMaxInterval;
  policy.defaults.ttl = 4 * limits::kMaxInterval;
  ASSERT_THAT(ValidatePolicy(policy), ::testing::IsEmpty());
  BeginWith(policy);
  const Client client = Open("u1/a", {.with = SignalKind::kBackground});
  EXPECT_EQ(client.opened.next_interval, limits::kMaxInterval);
}

class ReconvergenceTest : public PresenceStory {};

TEST_F(ReconvergenceTest,
       EveryStartReconvergesForTheLongestIntervalAndTheGrace) {
  At(80.9);
  ASSERT_TRUE(engine().ReconvergingUntil(now()).has_value());
  EXPECT_EQ(*engine().ReconvergingUntil(now()) - now().presence,
            milliseconds(100));
  At(81);
  EXPECT_FALSE(engine().ReconvergingUntil(now()).has_value());
}

// 81 s after the start, C1's decay is what it always is: nothing is withheld
// from a session that this server has heard.
TEST_F(ReconvergenceTest, WithholdsNothingOfWhoWasHeardSince) {
  Login("u1/a");
  At(61);
  EXPECT_THAT(EventsOf("u1"),
              ElementsAreArray(
                  Tells({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→IDLE DECAY @15",
                         "IDLE→AWAY DECAY @60"})));
}

class MassSilenceTest : public PresenceStory {
 protected:
  void LoginAll(int count) {
    for (int i = 0; i < count; ++i) Login(absl::StrCat("u", i, "/a"));
  }
  // Whether a tick reported mass silence up to `second`.
  int ReportsUntil(double end) {
    int reports = 0;
    while (second() < end) {
      At(second() + 0.1);
      reports += last_tick().mass_silence ? 1 : 0;
    }
    return reports;
  }
};

TEST_F(MassSilenceTest, IsReportedOnceWhenMoreThanAFifthFallSilentTogether) {
  LoginAll(200);
  At(100);
  for (int i = 0; i < 150; ++i) Active(absl::StrCat("u", i, "/a"));
  EXPECT_EQ(ReportsUntil(200), 1);
}

TEST_F(MassSilenceTest, IsNotReportedForAFifthOrLess) {
  LoginAll(200);
  At(100);
  for (int i = 0; i < 160; ++i) Active(absl::StrCat("u", i, "/a"));
  EXPECT_EQ(ReportsUntil(200), 0);
}

TEST_F(MassSilenceTest, ChangesNothing) {
  LoginAll(200);
  At(250);
  EXPECT_THAT(EventsOf("u7"),
              ElementsAreArray(
                  Tells({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→IDLE DECAY @15",
                         "IDLE→AWAY DECAY @60", "AWAY→STALE DECAY @180",
                         "STALE→OFFLINE EXPIRY @240"})));
}

class LearningTest : public PresenceStory {};

// § 6: tables are exchanged at most once a ttl; a silence keeps the one in
// force at its last signal, so for a session it never rises in silence.
TEST_F(LearningTest, ConfidenceNeverRisesInSilenceAcrossExchanges) {
  for (int round = 0; round < 12; ++round) {
    const double start = round * 100;
    At(start);
    // Silences of 60 s that come back teach a higher confidence.
    for (int i = 0; i < 200; ++i) {
      const std::string name = absl::StrCat("t", i, "/a");
      Login(name);
    }
    Login("u1/a");
    double before = 1;
    for (double age = 0; age < 60; age += 5) {
      At(start + age);
      const double confidence = Session("u1/a").confidence;
      ASSERT_LE(confidence, before);
      before = confidence;
    }
  }
}

// Also under a policy that was replaced by one with a shorter ttl, by which
// tables would be exchanged sooner.
TEST_F(LearningTest, ASilenceOfAnOlderPolicyMeetsOneExchangeAtMost) {
  Login("u1/a");
  At(10);
  engine().SetPolicy(ScalePolicy(Policy(), 1, 10));
  double before = 1;
  for (int at = 20; at < 240; at += 12) {
    // Clients of the new policy that are always back after half its ttl.
    for (int i = 0; i < 3'000; ++i) {
      Open(absl::StrCat("t", i, "/a"), {.with = SignalKind::kActive});
    }
    At(at);
    const double confidence = Session("u1/a").confidence;
    ASSERT_LE(confidence, before) << at;
    before = confidence;
  }
}

TEST_F(LearningTest, ConvergesToWhatSilencesCameTo) {
  Login("u1/a");
  At(100);
  const double shipped = Session("u1/a").confidence;
  // A tenant whose clients always come back after 150 s.
  for (int round = 1; round <= 20; ++round) {
    At(100 + round * 150);
    for (int i = 0; i < 3'000; ++i) Login(absl::StrCat("t", i, "/a"));
    Login("u1/a");
  }
  const double since = second();
  At(since + 100);
  const double learned = Session("u1/a").confidence;
  EXPECT_GT(learned, shipped);
  EXPECT_GT(learned, 0.8);
}

class LagTest : public PresenceStory {};

TEST_F(LagTest, ATickReportsHowLateTimeWasTold) {
  Login("u1/a");
  JumpTo(18);
  const TickReport report = Tick();
  EXPECT_EQ(report.deadlines, 1);
  EXPECT_EQ(report.worst_lag, seconds(3));
  EXPECT_EQ(report.sessions, 1);
}

// The rate of transitions is bounded a lock, not lost.
TEST_F(LagTest, ACrowdThatFallsTogetherIsToldInOneTick) {
  PresenceEngine::Options options;
  options.shards = 2;
  Begin(options);
  for (int i = 0; i < 3'000; ++i) Login(absl::StrCat("u", i, "/a"));
  At(15.2);
  for (int i = 0; i < 3'000; ++i) {
    ASSERT_THAT(EventsOf(absl::StrCat("u", i)), SizeIs(2));
  }
}

TEST_F(LagTest, AnnouncesThatThereIsSomethingToPublishOnce) {
  int announced = 0;
  PresenceEngine::Options options;
  options.on_changes = [&] { ++announced; };
  PresenceEngine engine(options, now());
  OpenRequest request;
  for (const char* user : {"u1", "u2", "u3"}) {
    request.name = {user, "a"};
    engine.Open(request, now());
  }
  EXPECT_EQ(announced, 1);
  engine.Publish(now(), [](const Change&, Detail) { return nullptr; });
  request.name = {"u4", "a"};
  engine.Open(request, now());
  EXPECT_EQ(announced, 2);
}

}  // namespace
}  // namespace lifesign
