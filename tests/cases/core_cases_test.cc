// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Ghosts, late closes, reconnects, take-overs: the engine alone.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cases/core_cases.h"

namespace lifesign {
namespace {

using ::testing::ElementsAreArray;

TEST_F(CoreCases, C1_ADeviceThatLosesItsNetworkDecays) {
  Login("u1/s1");
  At(300);
  ExpectStory(Decay());
}

TEST_F(CoreCases, C2_AfterOfflineAndBackNoPhantomRemains) {
  Login("u1/s1");
  At(20);
  Login("u1/s2");
  Beat("u1/s2", 10, 100);
  EXPECT_EQ(Sessions(State::kActive), 1);
  EXPECT_EQ(Sessions(State::kAway), 1);
  EXPECT_EQ(SessionsOf("u1"), 2u);
  Beat("u1/s2", 10, 240);
  At(241);
  EXPECT_EQ(Sessions(State::kActive), 1);
  EXPECT_EQ(SessionsOf("u1"), 1u);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→IDLE DECAY @15",
               "IDLE→ACTIVE SIGNAL @20"});
}

TEST_F(CoreCases, C3_TheOldConnectionsLateCloseDoesNotRemoveWhoIsBack) {
  for (const Instance second : {Instance{1}, Instance{2}}) {
    Begin(PresenceEngine::Options());
    const Client a = Login("u1/s1", {.instance = 1, .rooms = {{"r1"}}});
    At(10);
    const Client b = Login("u1/s1", {.instance = second});
    EXPECT_TRUE(b.opened.resumed);
    EXPECT_EQ(b.opened.taken_over.has_value(), second != 1);
    Beat("u1/s1", 10, 20);
    At(25);
    CloseStreamOf(a);
    EXPECT_TRUE(Session("u1/s1").connected);
    EXPECT_EQ(In("r1").users_by_state[0], 1);
    Beat("u1/s1", 5, 60);
    ExpectStory({"OFFLINE→ACTIVE SIGNAL @0"});
  }
}

TEST_F(CoreCases, C4_TheOldPagesGoodbyeAfterTheNewPagesHelloDoesNotCount) {
  const Client old = Login("u1/s1", {.instance = 1});
  Beat("u1/s1", 10, 30);
  CloseStream("u1/s1");
  At(30.1);
  EXPECT_TRUE(Login("u1/s1", {.instance = 2}).opened.resumed);
  At(30.3);
  EXPECT_EQ(
      Unary("u1/s1", old.opened.ref.attachment, SignalKind::kLeave).refusal,
      Refusal::kStaleAttachment);
  EXPECT_EQ(Unary("u1/s1", kNoAttachment, SignalKind::kLeave).refusal,
            Refusal::kStaleAttachment);
  At(40);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0"});
}

TEST_F(CoreCases, C6_RefreshingQuicklyLeavesNobodyBehind) {
  const std::vector<std::string> story = {
      "OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→IDLE DECAY @15.8",
      "IDLE→AWAY DECAY @60.8", "AWAY→STALE DECAY @180.8",
      "STALE→OFFLINE EXPIRY @240.8"};
  // (a) one session, five instances.
  std::vector<Client> clients;
  for (int i = 0; i < 5; ++i) {
    At(i * 0.2);
    clients.push_back(
        Login("u1/s1", {.instance = static_cast<Instance>(i) + 1}));
    EXPECT_EQ(clients.back().opened.taken_over.has_value(), i > 0);
  }
  At(1);
  for (const Client& client : clients) CloseStreamOf(client);
  EXPECT_EQ(SessionsOf("u1"), 1u);
  At(300);
  ExpectStory(story);

  // (b) five sessions.
  Begin(PresenceEngine::Options());
  for (int i = 0; i < 5; ++i) {
    At(i * 0.2);
    Login(absl::StrCat("u1/s", i + 1));
  }
  At(1);
  for (int i = 0; i < 5; ++i) CloseStream(absl::StrCat("u1/s", i + 1));
  EXPECT_EQ(SessionsOf("u1"), 5u);
  At(300);
  ExpectStory(story);
}

// The room of this case comes with rooms.
TEST_F(CoreCases, C7_RejoiningWhileTheDeadPredecessorHoldsTheNameIsAResume) {
  Login("u1/s1");
  At(20);
  const Client back = Open("u1/s1");
  EXPECT_TRUE(back.opened.ok());
  EXPECT_TRUE(back.opened.resumed);
  EXPECT_FALSE(back.opened.taken_over.has_value());
  EXPECT_EQ(back.opened.state, State::kIdle);
  At(300);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→IDLE DECAY @15",
               "IDLE→AWAY DECAY @60", "AWAY→STALE DECAY @200",
               "STALE→OFFLINE EXPIRY @260"});
}

TEST_F(CoreCases, C9_AReconnectIsNoActivity) {
  Login("u1/s1");
  for (const double at : {20, 50, 65}) {
    At(at);
    Send("u1/s1", SignalKind::kIdle);
  }
  At(70);
  CloseStream("u1/s1");
  At(75);
  Open("u1/s1", {.with = SignalKind::kIdle});
  At(76);
  EXPECT_EQ(OnTheWall(User("u1").record.last_active), 0);
  EXPECT_EQ(OnTheWall(User("u1").record.last_seen), 75);
  At(320);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→IDLE DECAY @15",
               "IDLE→AWAY DECAY @60", "AWAY→STALE DECAY @255",
               "STALE→OFFLINE EXPIRY @315"});
}

TEST_F(CoreCases, C10_TwoClientsWithOneNameDoNotThrowEachOtherOutForEver) {
  const auto open = [&](Instance instance) {
    return Login("u1/s1", {.instance = instance}).opened;
  };
  open(1);
  Instance next = 2;
  for (const double at : {0.25, 0.75, 1.25, 1.75, 2.25}) {
    At(at);
    const OpenOutcome outcome = open(next);
    EXPECT_TRUE(outcome.ok());
    EXPECT_TRUE(outcome.taken_over.has_value());
    next = 3 - next;
  }
  At(2.75);
  const SessionView held = Session("u1/s1");
  const OpenOutcome refused = open(1);
  EXPECT_EQ(refused.refusal, Refusal::kTooManyTakeOvers);
  EXPECT_EQ(refused.retry_after, milliseconds(57'500));
  EXPECT_EQ(Session("u1/s1").attachment, held.attachment);
  EXPECT_EQ(Session("u1/s1").last_seen, held.last_seen);
  for (double at = 12.25; at < 60; at += 10) {
    At(at);
    Active("u1/s1");
  }
  At(60.25);
  EXPECT_TRUE(open(1).ok());
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0"});
}

TEST_F(CoreCases, C11_TheDuplicatedTabsLateHeartbeatChangesNothing) {
  const Client tab1 = Login("u1/s1", {.instance = 1});
  At(5);
  EXPECT_TRUE(Login("u1/s1", {.instance = 2}).opened.taken_over.has_value());
  At(5.05);
  EXPECT_EQ(SendBy(tab1, SignalKind::kActive).refusal,
            Refusal::kSessionNotOpen);
  EXPECT_FALSE(engine().IsBound(tab1.opened.ref, now()));
  EXPECT_EQ(
      Unary("u1/s1", tab1.opened.ref.attachment, SignalKind::kActive).refusal,
      Refusal::kStaleAttachment);
  EXPECT_EQ(OnTheWall(Session("u1/s1").last_seen), 5);
  Login("u1/s1b", {.instance = 1});
  EXPECT_EQ(SessionsOf("u1"), 2u);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0"});
}

TEST_F(CoreCases, C13_AfterARestartAnOldAttachmentIsNobodys) {
  std::vector<Attachment> old;
  for (int i = 0; i < 7; ++i) {
    old.push_back(Open("u1/s1").opened.ref.attachment);
  }
  // Another server, a second later by its own wall clock, without a store.
  PresenceEngine::Options options;
  options.epoch = engine().epoch() + 1'000'000;
  options.hash_seed = 1;  // drawn for each run
  PresenceEngine restarted(options, now());
  Signal active;
  EXPECT_EQ(
      restarted.ApplyUnary({"u1", "s1"}, old.back(), active, now()).refusal,
      Refusal::kSessionNotOpen);
  EXPECT_FALSE(restarted.GetUser("u1", now()).record.known);
  OpenRequest request;
  request.name = {"u1", "s1"};
  const OpenOutcome opened = restarted.Open(request, now());
  EXPECT_FALSE(opened.resumed);
  EXPECT_THAT(old, ::testing::Not(::testing::Contains(opened.ref.attachment)));
  EXPECT_EQ(
      restarted.ApplyUnary({"u1", "s1"}, old.back(), active, now()).refusal,
      Refusal::kStaleAttachment);
  EXPECT_TRUE(
      restarted.ApplyUnary({"u1", "s1"}, opened.ref.attachment, active, now())
          .ok());
}

// The room of this case comes with rooms.
TEST_F(CoreCases, C14_ResumingNeedsNothingThatTheClientNeverReceived) {
  const Client lost = Open("u1/s1", {.rooms = {{"r1"}}});
  At(0.05);
  CloseStream("u1/s1");
  At(1);
  const Client back = Open("u1/s1");
  EXPECT_TRUE(back.opened.resumed);
  EXPECT_NE(back.opened.ref.attachment, lost.opened.ref.attachment);
  EXPECT_EQ(In("r1").users, 1);
  At(50);
  EXPECT_EQ(SessionsOf("u1"), 1u);
  EXPECT_FALSE(User("u1").record.last_active.has_value());
  ExpectStory({"OFFLINE→IDLE SIGNAL @0", "IDLE→AWAY DECAY @45"});
}

// The core's part: a crowd in the background stays AWAY, without an event.
TEST_F(CoreCases, C16_NobodyStarvesInACrowd) {
  constexpr int kCrowd = 20'000;
  std::vector<Client> clients;
  for (int i = 0; i < kCrowd; ++i) {
    clients.push_back(
        Open(absl::StrCat("u", i, "/s"), {.with = SignalKind::kBackground}));
  }
  for (int round = 1; round <= 10; ++round) {
    At(round * 30);
    for (const Client& client : clients) {
      ASSERT_TRUE(SendBy(client, SignalKind::kBackground).ok());
    }
  }
  for (int i = 0; i < kCrowd; ++i) {
    ASSERT_THAT(EventsOf(absl::StrCat("u", i)),
                ElementsAreArray(Tells({"OFFLINE→AWAY SIGNAL @0"})));
  }
}

// The core's part: whose a session is, is in its name.
TEST_F(CoreCases, C18_ASessionIdIsNothingWithoutItsUser) {
  Login("u1/s1");
  At(5);
  const Client other = Login("u2/s1");
  EXPECT_FALSE(other.opened.resumed);
  EXPECT_FALSE(other.opened.taken_over.has_value());
  EXPECT_TRUE(Session("u1/s1").connected);
  EXPECT_EQ(OnTheWall(Session("u1/s1").last_seen), 0);
}

}  // namespace
}  // namespace lifesign
