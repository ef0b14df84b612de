// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 12: how an SDK comes back, what errors mean to it, how it
// leaves, and what it says that it knows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tuple>

#include "tests/client/heartbeat_fixture.h"

namespace lifesign::client::internal {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto kActive = v1::SIGNAL_KIND_ACTIVE;
constexpr auto kBackground = v1::SIGNAL_KIND_BACKGROUND;

class ReconnectTest : public HeartbeatTest {};

TEST_F(ReconnectTest, ReconnectsAsTheSameInstanceWithoutClaimingActivity) {
  world_.Open();
  const uint64_t instance = world_.last().opens(0).options().instance();
  world_.Advance(minutes(1));
  world_.EndStream(grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(world_.Status().link, Link::kWaiting);
  EXPECT_FALSE(world_.streaming);
  world_.Advance(seconds(5));
  ASSERT_THAT(world_.begun, SizeIs(2));
  const v1::Open& open = world_.said.back().message.opens(0);
  EXPECT_EQ(open.options().instance(), instance);
  EXPECT_EQ(open.kind(), kActive);
  EXPECT_EQ(FromProto(open.idle_for()),
            world_.begun[1] - HeartbeatWorld::kStart);
  EXPECT_EQ(world_.Status().link, Link::kConnected);
  EXPECT_TRUE(world_.Status().last_error.ok());
}

TEST_F(ReconnectTest, WhatWasSaidWhileTheLinkWasDownIsToldByTheNextOpen) {
  world_.Open();
  world_.Advance(seconds(20));
  world_.EndStream(grpc::StatusCode::UNAVAILABLE);
  Become(Lifecycle::kBackground);
  EXPECT_TRUE(world_.Status().unconfirmed);
  world_.Advance(seconds(5));
  EXPECT_EQ(world_.last().opens(0).kind(), kBackground);
  EXPECT_EQ(world_.last().signals_size(), 0);
  EXPECT_FALSE(world_.Status().unconfirmed);
}

// C49 (envoyproxy/envoy#4374): a proxy cuts the stream after 60 s.
TEST_F(ReconnectTest, C49StreamCutByAProxyIsReopenedWithinFiveSeconds) {
  world_.Open("u1", "s1", Lifecycle::kBackground);
  const uint64_t instance = world_.last().opens(0).options().instance();
  for (int i = 0; i < 20; ++i) {
    world_.Advance(seconds(60));
    world_.EndStream(grpc::StatusCode::UNAVAILABLE);
    world_.Advance(seconds(5));
    ASSERT_EQ(world_.Status().link, Link::kConnected);
    const v1::Open& open = world_.last().opens(0);
    EXPECT_EQ(open.options().instance(), instance);
    EXPECT_EQ(open.kind(), kBackground);
  }
}

TEST_F(ReconnectTest, NetworkChangeEndsTheWait) {
  world_.Open();
  world_.Advance(minutes(1));
  world_.EndStream(grpc::StatusCode::UNAVAILABLE);
  ChangeNetwork();
  EXPECT_THAT(world_.begun, SizeIs(2));
}

TEST_F(ReconnectTest, DrainIsFollowedAfterTheDelayItNames) {
  world_.Open();
  world_.Advance(seconds(12));
  world_.SendDrain(seconds(17));
  EXPECT_TRUE(world_.half_closed);
  EXPECT_EQ(world_.Status().link, Link::kWaiting);
  EXPECT_EQ(world_.Status().reconnect_in, seconds(17));
  ChangeNetwork();
  world_.Advance(seconds(17) - kSmallest);
  EXPECT_THAT(world_.begun, SizeIs(1)) << "the server named the time";
  world_.Advance(kSmallest);
  EXPECT_THAT(world_.begun, SizeIs(2));
}

TEST_F(ReconnectTest, WhatIsWaitingIsStillSaidToADrainingServer) {
  world_.Open();
  world_.takes_writes = false;
  Become(Lifecycle::kIdle);
  Become(Lifecycle::kBackground);
  world_.SendDrain(seconds(17));
  EXPECT_FALSE(world_.half_closed);
  world_.takes_writes = true;
  world_.Settle();
  EXPECT_EQ(LastSignal().kind(), kBackground);
  EXPECT_TRUE(world_.half_closed);
}

// It asked again and again instead, on a stream that was to end.
TEST_F(ReconnectTest, MachineThatSleepsThroughADrainMovesOnWhenItWakes) {
  world_.Open();
  world_.takes_writes = false;
  Become(Lifecycle::kIdle);
  world_.SendDrain(seconds(17));
  world_.Sleep(minutes(5));
  EXPECT_THAT(world_.begun, SizeIs(2));
}

TEST_F(ReconnectTest, RetryInfoOfAnEndedStreamIsFollowed) {
  world_.Open();
  world_.EndStream(grpc::StatusCode::UNAVAILABLE, v1::ERROR_REASON_STARTING,
                   seconds(42));
  EXPECT_EQ(world_.Status().reconnect_in, seconds(42));
  world_.Advance(seconds(42) - kSmallest);
  EXPECT_THAT(world_.begun, SizeIs(1));
  world_.Advance(kSmallest);
  EXPECT_THAT(world_.begun, SizeIs(2));
}

// A server that is broken, or worse.
TEST_F(ReconnectTest, ServerThatNamesNoWaitIsNotAskedInALoop) {
  world_.Open();
  world_.EndStream(grpc::StatusCode::UNAVAILABLE, v1::ERROR_REASON_STARTING,
                   Duration::zero());
  EXPECT_THAT(world_.begun, SizeIs(1));
  world_.Advance(kShortestNamedWait);
  EXPECT_THAT(world_.begun, SizeIs(2));
  world_.SendDrain(Duration::zero());
  EXPECT_THAT(world_.begun, SizeIs(2));
  world_.Advance(kShortestNamedWait);
  EXPECT_THAT(world_.begun, SizeIs(3));
  world_.EndStream(grpc::StatusCode::DEADLINE_EXCEEDED,
                   v1::ERROR_REASON_NO_SESSION);
  EXPECT_THAT(world_.begun, SizeIs(3));
  world_.Advance(kShortestNamedWait);
  EXPECT_THAT(world_.begun, SizeIs(4));
  const auto opens = world_.logic.counters().opens_sent;
  world_.SendError(1, grpc::StatusCode::RESOURCE_EXHAUSTED,
                   v1::ERROR_REASON_TOO_MANY_TAKE_OVERS, 0, Duration::zero());
  EXPECT_EQ(world_.logic.counters().opens_sent, opens);
  world_.Advance(kShortestNamedWait);
  EXPECT_EQ(world_.logic.counters().opens_sent, opens + 1);
}

TEST_F(ReconnectTest, OnANewConnectionTheFirstMessageSaysNothingThatCanAge) {
  world_.connection_stands = false;
  world_.takes_writes = false;
  world_.Open();
  ASSERT_THAT(world_.said, SizeIs(1));
  EXPECT_EQ(world_.last().opens_size(), 0);
  world_.Advance(seconds(4));
  world_.takes_writes = true;
  world_.Settle();
  ASSERT_THAT(world_.said, SizeIs(2));
  EXPECT_EQ(FromProto(world_.last().opens(0).idle_for()), seconds(4));
}

// --- Errors

TEST_F(ReconnectTest, TakenOverSessionStopsAndIsNotReopenedByItself) {
  world_.Open();
  world_.SendError(1, grpc::StatusCode::ABORTED,
                   v1::ERROR_REASON_SESSION_TAKEN_OVER, 0);
  EXPECT_EQ(world_.Status().end, SessionEnd::kTakenOver);
  EXPECT_EQ(world_.Status().link, Link::kEnded);
  const size_t said = world_.said.size();
  Interact();
  Become(Lifecycle::kBackground);
  ChangeNetwork();
  world_.Advance(std::chrono::hours(24));
  EXPECT_EQ(world_.said.size(), said);
  EXPECT_THAT(world_.begun, SizeIs(1));
}

// C11: the late heartbeat of the loser gets UNKNOWN_HANDLE.
TEST_F(ReconnectTest, C11UnknownHandleAfterATakeOverReopensNothing) {
  world_.Open();
  world_.answers = false;
  Become(Lifecycle::kBackground);
  v1::HeartbeatResponse response;
  response.set_acked(2);
  for (const auto& [code, reason, message] :
       {std::make_tuple(grpc::StatusCode::ABORTED,
                        v1::ERROR_REASON_SESSION_TAKEN_OVER, 0),
        std::make_tuple(grpc::StatusCode::NOT_FOUND,
                        v1::ERROR_REASON_UNKNOWN_HANDLE, 2)}) {
    v1::HeartbeatError& error = *response.add_errors();
    error.set_handle(1);
    error.set_message(message);
    *error.mutable_status() = MakeStatus(code, reason);
  }
  world_.Send(response);
  world_.Advance(std::chrono::hours(1));
  EXPECT_EQ(world_.Status().end, SessionEnd::kTakenOver);
  EXPECT_THAT(world_.said, SizeIs(2));
}

TEST_F(ReconnectTest, SessionThatTheServerForgotIsOpenedAnewAtOnce) {
  world_.Open();
  world_.Advance(seconds(60));
  world_.bound.clear();
  Become(Lifecycle::kBackground);
  EXPECT_EQ(world_.last().opens_size(), 1);
  EXPECT_EQ(world_.last().opens(0).kind(), kBackground);
  EXPECT_THAT(world_.begun, SizeIs(1)) << "on the same stream";
  EXPECT_EQ(world_.Status().state, v1::PRESENCE_STATE_IDLE);
}

TEST_F(ReconnectTest, ServerThatForgetsAgainAndAgainIsNotFloodedWithOpens) {
  world_.Open();
  for (int i = 0; i < 200; ++i) {
    world_.bound.clear();
    Become(i % 2 == 0 ? Lifecycle::kBackground : Lifecycle::kActive);
    world_.Advance(milliseconds(100));
  }
  int opens = 0;
  for (const Said& said : world_.said) opens += said.message.opens_size();
  EXPECT_LT(opens, 30);
  world_.Advance(minutes(1));
  EXPECT_EQ(world_.Status().link, Link::kConnected);
  EXPECT_FALSE(world_.bound.empty());
}

TEST_F(ReconnectTest, ErrorAboutTheTimeBeforeTheNewestOpenIsIgnored) {
  world_.Open();
  world_.Advance(seconds(60));
  const uint64_t before = world_.received;
  world_.bound.clear();
  Become(Lifecycle::kBackground);
  const size_t said = world_.said.size();
  world_.SendError(1, grpc::StatusCode::NOT_FOUND,
                   v1::ERROR_REASON_UNKNOWN_HANDLE, before);
  EXPECT_EQ(world_.said.size(), said);
}

TEST_F(ReconnectTest, RefusalThatCannotHealEndsTheSession) {
  for (const auto code : {grpc::StatusCode::INVALID_ARGUMENT,
                          grpc::StatusCode::PERMISSION_DENIED}) {
    HeartbeatWorld world;
    world.refuses_opens = code;
    world.Open();
    EXPECT_EQ(world.Status().end, SessionEnd::kRefused);
    EXPECT_EQ(world.Status().last_error.code, code);
    world.Advance(std::chrono::hours(1));
    EXPECT_THAT(world.said, SizeIs(1));
  }
}

TEST_F(ReconnectTest, StreamRefusedForGoodEndsItsSession) {
  world_.answers = false;
  world_.Open();
  world_.EndStream(grpc::StatusCode::PERMISSION_DENIED,
                   v1::ERROR_REASON_TENANT_DENIED);
  EXPECT_EQ(world_.Status().end, SessionEnd::kRefused);
  EXPECT_EQ(world_.Status().link, Link::kEnded);
  EXPECT_EQ(world_.Status().last_error.reason, v1::ERROR_REASON_TENANT_DENIED);
  world_.Advance(std::chrono::hours(1));
  EXPECT_THAT(world_.begun, SizeIs(1));
}

// C10: the sixth take-over within 60 s is refused with RetryInfo.
TEST_F(ReconnectTest, C10OpenRefusedForAWhileIsTriedAgainWhenTheServerSays) {
  world_.Open();
  world_.SendError(1, grpc::StatusCode::RESOURCE_EXHAUSTED,
                   v1::ERROR_REASON_TOO_MANY_TAKE_OVERS, 1,
                   milliseconds(57'500));
  world_.Advance(milliseconds(57'500) - kSmallest);
  EXPECT_THAT(world_.said, SizeIs(1));
  world_.Advance(kSmallest);
  ASSERT_THAT(world_.said, SizeIs(2));
  EXPECT_EQ(world_.last().opens_size(), 1);
}

// --- Leaving

TEST_F(ReconnectTest, LeaveIsToldAtOnceAndEndsTheStream) {
  world_.Open();
  world_.Do([](auto& logic, RealTime now) { logic.Leave(1, seconds(5), now); });
  EXPECT_EQ(LastSignal().kind(), v1::SIGNAL_KIND_LEAVE);
  EXPECT_EQ(FromProto(LastSignal().linger()), seconds(5));
  EXPECT_EQ(world_.Status().end, SessionEnd::kLeft);
  EXPECT_EQ(world_.Status().link, Link::kEnded);
  EXPECT_FALSE(world_.Status().unconfirmed);
}

TEST_F(ReconnectTest, LeaveWhileTheLinkIsDownIsACallOfItsOwnAndIsRepeated) {
  world_.Open();
  world_.Advance(seconds(30));
  world_.EndStream(grpc::StatusCode::UNAVAILABLE);
  world_.Do([](auto& logic, RealTime now) { logic.Leave(1, seconds(0), now); });
  ASSERT_THAT(world_.called, SizeIs(1));
  EXPECT_EQ(world_.called[0].request.kind(), v1::SIGNAL_KIND_LEAVE);
  EXPECT_EQ(world_.called[0].request.attachment(), 1u);
  world_.AnswerCall(0, grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(world_.Status().end, SessionEnd::kNotEnded);
  world_.Advance(seconds(5));
  ASSERT_THAT(world_.called, SizeIs(2));
  world_.AnswerCall(1, grpc::StatusCode::OK);
  EXPECT_EQ(world_.Status().end, SessionEnd::kLeft);
  EXPECT_TRUE(world_.Status().last_error.ok());
  EXPECT_THAT(world_.begun, SizeIs(1)) << "no open, which could be seen";
}

TEST_F(ReconnectTest, LeaveThatGoesLostWithTheStreamIsToldByACall) {
  world_.Open();
  world_.answers = false;
  world_.Do([](auto& logic, RealTime now) { logic.Leave(1, seconds(0), now); });
  EXPECT_TRUE(world_.Status().unconfirmed);
  world_.EndStream(grpc::StatusCode::UNAVAILABLE);
  ASSERT_THAT(world_.called, SizeIs(1));
  for (size_t i = 0; i < 5; ++i) {
    world_.AnswerCall(i, grpc::StatusCode::UNAVAILABLE);
    world_.Advance(minutes(1));
  }
  EXPECT_THAT(world_.called, SizeIs(5)) << "time does the rest";
  EXPECT_EQ(world_.Status().end, SessionEnd::kLeft);
  EXPECT_TRUE(world_.Status().unconfirmed);
}

TEST_F(ReconnectTest, LeaveBeforeAnyOpenWasSentSaysNothing) {
  world_.connection_stands = false;
  world_.takes_writes = false;
  world_.Open();
  world_.Do([](auto& logic, RealTime now) { logic.Leave(1, seconds(0), now); });
  EXPECT_EQ(world_.Status().end, SessionEnd::kLeft);
  EXPECT_THAT(world_.called, IsEmpty());
}

// --- "tells the truth about what it knows"

TEST_F(ReconnectTest, StatusSaysWhatIsConfirmedAndHowOldItIs) {
  world_.Open();
  world_.Advance(seconds(3));
  SessionStatus status = world_.Status();
  EXPECT_FALSE(status.unconfirmed);
  EXPECT_EQ(status.confirmed_age, seconds(3));
  EXPECT_EQ(status.state_age, seconds(3));
  EXPECT_EQ(status.attachment, 1u);
  EXPECT_FALSE(status.resumed);

  world_.answers = false;
  Become(Lifecycle::kBackground);
  world_.Advance(seconds(4));
  status = world_.Status();
  EXPECT_TRUE(status.unconfirmed);
  EXPECT_EQ(status.confirmed_age, seconds(7)) << "of the open";
  EXPECT_EQ(status.state, v1::PRESENCE_STATE_ACTIVE) << "as last told";

  world_.Acknowledge();
  status = world_.Status();
  EXPECT_FALSE(status.unconfirmed);
  EXPECT_EQ(status.confirmed_age, seconds(4)) << "when it was sent";
}

TEST_F(ReconnectTest, WhatWasConfirmedStaysSoWhenTheStreamBreaks) {
  world_.Open();
  world_.Advance(seconds(3));
  world_.EndStream(grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(world_.Status().confirmed_age, seconds(3));
  EXPECT_TRUE(world_.Status().unconfirmed);
  EXPECT_EQ(world_.Status().last_error.code, grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ReconnectTest, CountersCountWhatCrossedTheWire) {
  world_.Open();
  world_.takes_writes = false;
  Become(Lifecycle::kBackground);
  EXPECT_EQ(world_.logic.counters().signals_sent, 1u) << "the login";
  world_.takes_writes = true;
  world_.Settle();
  EXPECT_EQ(world_.logic.counters().signals_sent, 2u);
  EXPECT_EQ(world_.logic.counters().opens_sent, 1u);
  EXPECT_EQ(world_.logic.counters().messages_sent, 2u);
  EXPECT_EQ(world_.logic.counters().streams, 1u);
}

}  // namespace
}  // namespace lifesign::client::internal
