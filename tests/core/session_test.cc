// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 5: open, disconnect, leave.
#include <set>
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

class OpenTest : public PresenceStory {};

TEST_F(OpenTest, ALoginIsOneChange) {
  const Client client = Login("u1/tab");
  EXPECT_FALSE(client.opened.resumed);
  EXPECT_EQ(client.opened.state, State::kActive);
  EXPECT_EQ(client.opened.next_interval, seconds(10));
  EXPECT_THAT(EventsOf("u1"),
              ElementsAreArray(Tells({"OFFLINE→ACTIVE SIGNAL @0"})));
}

TEST_F(OpenTest, WithoutASignalANewSessionIsIdleAndPromisedTheIdleInterval) {
  const Client client = Open("u1/tab");
  EXPECT_EQ(client.opened.state, State::kIdle);
  EXPECT_EQ(client.opened.next_interval, seconds(30));
  EXPECT_FALSE(User("u1").record.last_active.has_value());
  EXPECT_FALSE(Session("u1/tab").lifecycle.has_value());
}

TEST_F(OpenTest, ACapGivenWithTheOpenOfANewSessionIsInForceAtOnce) {
  EXPECT_EQ(Open("u1/a", {.with = SignalKind::kIdle}).opened.state,
            State::kIdle);
  EXPECT_EQ(Open("u2/a", {.with = SignalKind::kBackground}).opened.state,
            State::kAway);
}

TEST_F(OpenTest, AResumedSessionKeepsActivityCapsPromiseAndMetadata) {
  const Metadata metadata = {{"app", "mail"}};
  Opening how;
  how.metadata = &metadata;
  Login("u1/tab", how);
  At(5);
  Send("u1/tab", SignalKind::kBackground);
  At(20);
  const Client again = Open("u1/tab");
  EXPECT_TRUE(again.opened.resumed);
  EXPECT_EQ(again.opened.state, State::kAway);
  EXPECT_EQ(again.opened.next_interval, seconds(60));
  const SessionView session = Session("u1/tab");
  EXPECT_EQ(session.metadata, metadata);
  EXPECT_EQ(OnTheWall(session.last_active), 0);
  EXPECT_EQ(OnTheWall(session.last_seen), 20);
  EXPECT_EQ(OnTheWall(session.opened_at), 0);
  EXPECT_EQ(SessionsOf("u1"), 1u);
}

TEST_F(OpenTest, MetadataGivenWithAResumeReplacesWhatIsHeldAlsoWhenEmpty) {
  const Metadata first = {{"a", "1"}, {"b", "2"}};
  const Metadata second = {{"c", "3"}};
  const Metadata none;
  Opening how;
  how.metadata = &first;
  Open("u1/tab", how);
  how.metadata = &second;
  Open("u1/tab", how);
  EXPECT_EQ(Session("u1/tab").metadata, second);
  how.metadata = &none;
  Open("u1/tab", how);
  EXPECT_EQ(Session("u1/tab").metadata, none);
}

TEST_F(OpenTest, ResumingIsLivenessNeverActivity) {
  Login("u1/tab");
  At(100);
  Open("u1/tab");
  EXPECT_EQ(StateOf("u1"), State::kAway);
  At(279.9);
  EXPECT_EQ(StateOf("u1"), State::kAway);
  At(280.1);
  EXPECT_EQ(StateOf("u1"), State::kStale);
}

TEST_F(OpenTest, AnAttachmentIsUniqueForItsSessionAlsoAfterItWasForgotten) {
  std::set<Attachment> attachments;
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(
        attachments.insert(Open("u1/tab").opened.ref.attachment).second);
    if (i % 3 == 0) Leave("u1/tab");
  }
}

TEST_F(OpenTest, TheSameSessionIdUnderAnotherUserIsAnotherSession) {
  Login("u1/tab");
  EXPECT_FALSE(Login("u2/tab").opened.resumed);
  Leave("u2/tab");
  EXPECT_EQ(StateOf("u1"), State::kActive);
}

// The ttl ends a session at that instant, tick or not.
TEST_F(OpenTest, SignalsNeverRevive) {
  const Client client = Login("u1/tab");
  JumpTo(239.999999);
  EXPECT_EQ(Active("u1/tab").refusal, Refusal::kNone);
  JumpTo(479.999999);
  EXPECT_EQ(Active("u1/tab").refusal, Refusal::kSessionNotOpen);
  EXPECT_EQ(Unary("u1/tab", client.opened.ref.attachment, SignalKind::kActive)
                .refusal,
            Refusal::kSessionNotOpen);
  EXPECT_EQ(Unary("u9/tab", 1, SignalKind::kActive).refusal,
            Refusal::kSessionNotOpen);
  EXPECT_FALSE(Login("u1/tab").opened.resumed);
}

TEST_F(OpenTest, WhatIsRefusedChangesNothing) {
  const Client first = Login("u1/tab");
  At(5);
  Login("u1/tab");
  const Revision revision = User("u1").record.revision;
  At(20);
  EXPECT_EQ(
      Unary("u1/tab", first.opened.ref.attachment, SignalKind::kActive).refusal,
      Refusal::kStaleAttachment);
  EXPECT_EQ(SendBy(first, SignalKind::kActive).refusal,
            Refusal::kSessionNotOpen);
  EXPECT_EQ(OnTheWall(Session("u1/tab").last_seen), 5);
  EXPECT_NE(User("u1").record.revision, revision) << "it decayed meanwhile";
  EXPECT_EQ(StateOf("u1"), State::kIdle);
}

class DisconnectTest : public PresenceStory {};

TEST_F(DisconnectTest, ClosedStreamLeavesTheUserActiveUntilTheWindowRunsOut) {
  Login("u1/tab");
  CloseStream("u1/tab");
  EXPECT_FALSE(Session("u1/tab").connected);
  At(14.9);
  EXPECT_EQ(StateOf("u1"), State::kActive);
  At(15.1);
  EXPECT_EQ(StateOf("u1"), State::kIdle);
  EXPECT_THAT(EventsOf("u1"),
              ElementsAreArray(Tells(
                  {"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→IDLE DECAY @15"})));
}

TEST_F(DisconnectTest, OnlyTheCloseOfTheCurrentAttachmentCounts) {
  const Client old = Login("u1/tab");
  At(1);
  Login("u1/tab");
  CloseStreamOf(old);
  EXPECT_TRUE(Session("u1/tab").connected);
}

TEST_F(DisconnectTest, DetachSaysTheSameOfOneSessionAndMovesNoAge) {
  const Client client = Login("u1/tab");
  At(10);
  const SignalOutcome outcome = Send("u1/tab", SignalKind::kDetach);
  EXPECT_TRUE(outcome.ok());
  EXPECT_FALSE(outcome.bound);
  EXPECT_EQ(outcome.next_interval, Duration(0));
  EXPECT_FALSE(engine().IsBound(client.opened.ref, now()));
  EXPECT_FALSE(Session("u1/tab").connected);
  EXPECT_EQ(OnTheWall(Session("u1/tab").last_seen), 0);
  EXPECT_EQ(Active("u1/tab").refusal, Refusal::kSessionNotOpen);
  At(16);
  EXPECT_EQ(StateOf("u1"), State::kIdle);
}

TEST_F(DisconnectTest,
       UnarySignalsWithACurrentAttachmentCountWithoutConnecting) {
  const Client client = Login("u1/tab");
  CloseStream("u1/tab");
  At(20);
  EXPECT_TRUE(
      Unary("u1/tab", client.opened.ref.attachment, SignalKind::kActive).ok());
  EXPECT_EQ(StateOf("u1"), State::kActive);
  EXPECT_FALSE(Session("u1/tab").connected);
}

TEST_F(DisconnectTest, AUnaryAttachmentIsConnectedUntilItsPromiseWithJitter) {
  Login("u1/tab", {.unary = true});
  JumpTo(10.999999);
  EXPECT_TRUE(Session("u1/tab").connected);
  JumpTo(11);
  EXPECT_FALSE(Session("u1/tab").connected);
}

class TakeOverTest : public PresenceStory {};

TEST_F(TakeOverTest, ByAnotherInstanceTheOlderStreamIsTold) {
  const Client old = Login("u1/tab", {.instance = 1});
  At(1);
  const Client young = Login("u1/tab", {.instance = 2});
  ASSERT_TRUE(young.opened.taken_over.has_value());
  EXPECT_EQ(young.opened.taken_over->stream, 1u);
  EXPECT_TRUE(young.opened.resumed);
  EXPECT_FALSE(engine().IsBound(old.opened.ref, now()));
  EXPECT_TRUE(engine().IsBound(young.opened.ref, now()));
}

TEST_F(TakeOverTest, ByTheSameInstanceTheOlderBindingEndsSilently) {
  Login("u1/tab", {.instance = 1});
  At(1);
  EXPECT_FALSE(Login("u1/tab", {.instance = 1}).opened.taken_over.has_value());
}

TEST_F(TakeOverTest, AMissingInstanceNumberIsAnInstanceOfItsOwn) {
  Login("u1/tab", {.instance = kNoInstance});
  EXPECT_TRUE(
      Login("u1/tab", {.instance = kNoInstance}).opened.taken_over.has_value());
}

TEST_F(TakeOverTest, OfASessionThatIsNotConnectedItIsAPlainResume) {
  Login("u1/tab", {.instance = 1});
  for (Instance instance = 2; instance < 20; ++instance) {
    CloseStream("u1/tab");
    const Client client = Login("u1/tab", {.instance = instance});
    ASSERT_TRUE(client.opened.ok());
    EXPECT_FALSE(client.opened.taken_over.has_value());
  }
}

TEST_F(TakeOverTest, FivePassInAnySixtySeconds) {
  Login("u1/tab", {.instance = 1});
  for (int i = 0; i < 5; ++i) {
    At(i * 10);
    ASSERT_TRUE(Login("u1/tab", {.instance = 2u + i % 2}).opened.ok());
  }
  JumpTo(59.999999);
  const Client refused = Login("u1/tab", {.instance = 9});
  EXPECT_EQ(refused.opened.refusal, Refusal::kTooManyTakeOvers);
  EXPECT_EQ(refused.opened.retry_after, Duration(1));
  JumpTo(60);
  EXPECT_TRUE(Login("u1/tab", {.instance = 9}).opened.ok());
  EXPECT_EQ(Login("u1/tab", {.instance = 10}).opened.retry_after, seconds(10));
}

TEST_F(TakeOverTest, ARefusedOneChangesNothing) {
  Login("u1/tab", {.instance = 1});
  for (Instance i = 2; i < 7; ++i) Login("u1/tab", {.instance = i});
  At(12);
  const SessionView before = Session("u1/tab");
  EXPECT_FALSE(Login("u1/tab", {.instance = 9}).opened.ok());
  const SessionView after = Session("u1/tab");
  EXPECT_EQ(after.attachment, before.attachment);
  EXPECT_EQ(after.last_seen, before.last_seen);
  EXPECT_TRUE(after.connected);
}

class LeaveTest : public PresenceStory {};

TEST_F(LeaveTest, EndsTheSessionAtItsInstantAndMovesLastSeen) {
  Login("u1/tab");
  At(5);
  const SignalOutcome outcome = Leave("u1/tab");
  EXPECT_TRUE(outcome.ok());
  EXPECT_FALSE(outcome.bound);
  EXPECT_EQ(outcome.state, State::kOffline);
  EXPECT_EQ(OnTheWall(User("u1").record.last_seen), 5);
  EXPECT_EQ(OnTheWall(User("u1").record.last_active), 0);
  EXPECT_THAT(EventsOf("u1"),
              ElementsAreArray(Tells(
                  {"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→OFFLINE LEAVE @5"})));
}

TEST_F(LeaveTest, IsIdempotentAlsoForASessionThatIsNotOpen) {
  const Client client = Login("u1/tab");
  Leave("u1/tab");
  EXPECT_TRUE(
      Unary("u1/tab", client.opened.ref.attachment, SignalKind::kLeave).ok());
  EXPECT_TRUE(Unary("u9/tab", kNoAttachment, SignalKind::kLeave).ok());
  EXPECT_FALSE(User("u9").record.known) << "and creates no record";
}

TEST_F(LeaveTest, WithoutAttachmentItCountsOnlyWhileNotConnected) {
  Login("u1/tab");
  EXPECT_EQ(Unary("u1/tab", kNoAttachment, SignalKind::kLeave).refusal,
            Refusal::kStaleAttachment);
  EXPECT_EQ(StateOf("u1"), State::kActive);
  CloseStream("u1/tab");
  EXPECT_TRUE(Unary("u1/tab", kNoAttachment, SignalKind::kLeave).ok());
  EXPECT_EQ(StateOf("u1"), State::kOffline);
}

TEST_F(LeaveTest, LingerEndsTheSessionWhenItHasRunOut) {
  const Client client = Login("u1/tab");
  At(2);
  const SignalOutcome outcome = Leave("u1/tab", seconds(5));
  EXPECT_TRUE(outcome.bound);
  EXPECT_TRUE(engine().IsBound(client.opened.ref, now()));
  EXPECT_FALSE(Session("u1/tab").connected);
  JumpTo(6.999999);
  EXPECT_EQ(StateOf("u1"), State::kActive);
  JumpTo(7);
  EXPECT_EQ(Active("u1/tab").refusal, Refusal::kSessionNotOpen);
  EXPECT_FALSE(engine().IsBound(client.opened.ref, now()));
  EXPECT_EQ(StateOf("u1"), State::kOffline);
  EXPECT_THAT(EventsOf("u1"),
              ElementsAreArray(Tells(
                  {"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→OFFLINE LEAVE @7"})));
}

TEST_F(LeaveTest, SignalsWhileItLingersCountButDoNotStopIt) {
  Login("u1/tab");
  At(10);
  Leave("u1/tab", seconds(10));
  At(19);
  EXPECT_TRUE(Active("u1/tab").ok());
  EXPECT_EQ(OnTheWall(User("u1").record.last_active), 19);
  At(20.2);
  EXPECT_EQ(StateOf("u1"), State::kOffline);
}

TEST_F(LeaveTest, OfSeveralTheEarliestEndHolds) {
  Login("u1/tab");
  Leave("u1/tab", seconds(5));
  At(1);
  Leave("u1/tab", seconds(10));
  At(2);
  Leave("u1/tab", seconds(2));
  At(3.9);
  EXPECT_EQ(StateOf("u1"), State::kActive);
  At(4.1);
  EXPECT_EQ(StateOf("u1"), State::kOffline);
}

TEST_F(LeaveTest, AnOpenBeforeItsEndIsAPlainResume) {
  Login("u1/tab", {.instance = 1});
  Leave("u1/tab", seconds(5));
  At(4.9);
  const Client again = Login("u1/tab", {.instance = 2});
  EXPECT_TRUE(again.opened.resumed);
  EXPECT_FALSE(again.opened.taken_over.has_value());
  At(6);
  EXPECT_TRUE(Session("u1/tab").connected);
  EXPECT_THAT(EventsOf("u1"), SizeIs(1));
}

TEST_F(LeaveTest, AnotherSessionThatLingersDoesNotMakeALaterDecayALeave) {
  Login("u1/a");
  Leave("u1/a", seconds(1));
  Login("u1/b");
  JumpTo(1.5);
  EXPECT_EQ(StateOf("u1"), State::kActive);
  Send("u1/b", SignalKind::kBackground);
  JumpTo(4);
  EXPECT_EQ(StateOf("u1"), State::kAway);
  EXPECT_EQ(EventsOf("u1").back().change.after.cause, Cause::kDecay);
}

class SessionLimitTest : public PresenceStory {
 protected:
  void OpenAll() {
    for (int i = 0; i < limits::kMaxSessionsPerUser; ++i) {
      At(i * 0.01);
      Login(absl::StrCat("u1/s", i));
    }
  }
};

TEST_F(SessionLimitTest, TheSixtyFifthIsRefusedIfAllAreConnected) {
  OpenAll();
  EXPECT_EQ(Login("u1/more").opened.refusal, Refusal::kTooManySessions);
  EXPECT_EQ(SessionsOf("u1"), 64u);
  EXPECT_TRUE(Login("u1/s0").opened.resumed) << "a resume takes no place";
}

TEST_F(SessionLimitTest, PastItTheOneNotConnectedAndSilentLongestEnds) {
  OpenAll();
  At(1);
  CloseStream("u1/s7");
  CloseStream("u1/s3");
  CloseStream("u1/s9");
  EXPECT_TRUE(Login("u1/more").opened.ok());
  std::set<std::string> open;
  for (const SessionView& view : engine().ListSessions("u1", now())) {
    open.insert(view.session);
  }
  EXPECT_EQ(open.size(), 64u);
  EXPECT_FALSE(open.contains("s3"));
  EXPECT_TRUE(open.contains("s7"));
  EXPECT_THAT(EventsOf("u1"), SizeIs(1));
}

TEST_F(SessionLimitTest, OneThatHasEndedTakesNoPlace) {
  OpenAll();
  JumpTo(300);
  EXPECT_TRUE(Login("u1/more").opened.ok());
  EXPECT_EQ(SessionsOf("u1"), 1u);
}

}  // namespace
}  // namespace lifesign
