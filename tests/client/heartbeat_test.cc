// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 12: what an SDK says, and when.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "lifesign/client/internal/proto_time.h"
#include "tests/client/heartbeat_world.h"

namespace lifesign::client::internal {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto kActive = v1::SIGNAL_KIND_ACTIVE;
constexpr auto kIdle = v1::SIGNAL_KIND_IDLE;
constexpr auto kBackground = v1::SIGNAL_KIND_BACKGROUND;
constexpr Duration kSmallest = microseconds(1);

class HeartbeatTest : public testing::Test {
 protected:
  void Interact() {
    world_.Do([](auto& logic, RealTime now) { logic.Interacted(1, now); });
  }
  void Become(Lifecycle lifecycle) {
    world_.Do([lifecycle](auto& logic, RealTime now) {
      logic.Signal(1, lifecycle, absl::nullopt, now);
    });
  }
  void ChangeNetwork() {
    world_.Do([](auto& logic, RealTime now) { logic.OnNetworkChange(now); });
  }
  // Advances until something was said, and returns how long that took.
  Duration UntilSaid() {
    const RealTime before = world_.now;
    const size_t said = world_.said.size();
    while (world_.said.size() == said) {
      world_.Advance(world_.logic.NextDeadline() - world_.now);
    }
    return world_.now - before;
  }
  const v1::Signal& LastSignal() { return world_.last().signals(0); }
  Duration IdleForOfLast() { return FromProto(LastSignal().idle_for()); }

  HeartbeatWorld world_;
};

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

// --- Reconnecting

TEST_F(HeartbeatTest, ReconnectsAsTheSameInstanceWithoutClaimingActivity) {
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

TEST_F(HeartbeatTest, WhatWasSaidWhileTheLinkWasDownIsToldByTheNextOpen) {
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
TEST_F(HeartbeatTest, C49StreamCutByAProxyIsReopenedWithinFiveSeconds) {
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

TEST_F(HeartbeatTest, NetworkChangeEndsTheWait) {
  world_.Open();
  world_.Advance(minutes(1));
  world_.EndStream(grpc::StatusCode::UNAVAILABLE);
  ChangeNetwork();
  EXPECT_THAT(world_.begun, SizeIs(2));
}

TEST_F(HeartbeatTest, DrainIsFollowedAfterTheDelayItNames) {
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

TEST_F(HeartbeatTest, WhatIsWaitingIsStillSaidToADrainingServer) {
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

TEST_F(HeartbeatTest, RetryInfoOfAnEndedStreamIsFollowed) {
  world_.Open();
  world_.EndStream(grpc::StatusCode::UNAVAILABLE, v1::ERROR_REASON_STARTING,
                   seconds(42));
  EXPECT_EQ(world_.Status().reconnect_in, seconds(42));
  world_.Advance(seconds(42) - kSmallest);
  EXPECT_THAT(world_.begun, SizeIs(1));
  world_.Advance(kSmallest);
  EXPECT_THAT(world_.begun, SizeIs(2));
}

TEST_F(HeartbeatTest, OnANewConnectionTheFirstMessageSaysNothingThatCanAge) {
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

TEST_F(HeartbeatTest, TakenOverSessionStopsAndIsNotReopenedByItself) {
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
TEST_F(HeartbeatTest, C11UnknownHandleAfterATakeOverReopensNothing) {
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

TEST_F(HeartbeatTest, SessionThatTheServerForgotIsOpenedAnewAtOnce) {
  world_.Open();
  world_.Advance(seconds(60));
  world_.bound.clear();
  Become(Lifecycle::kBackground);
  EXPECT_EQ(world_.last().opens_size(), 1);
  EXPECT_EQ(world_.last().opens(0).kind(), kBackground);
  EXPECT_THAT(world_.begun, SizeIs(1)) << "on the same stream";
  EXPECT_EQ(world_.Status().state, v1::PRESENCE_STATE_IDLE);
}

TEST_F(HeartbeatTest, ServerThatForgetsAgainAndAgainIsNotFloodedWithOpens) {
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

TEST_F(HeartbeatTest, ErrorAboutTheTimeBeforeTheNewestOpenIsIgnored) {
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

TEST_F(HeartbeatTest, RefusalThatCannotHealEndsTheSession) {
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

TEST_F(HeartbeatTest, StreamRefusedForGoodEndsItsSession) {
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
TEST_F(HeartbeatTest, C10OpenRefusedForAWhileIsTriedAgainWhenTheServerSays) {
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

TEST_F(HeartbeatTest, LeaveIsToldAtOnceAndEndsTheStream) {
  world_.Open();
  world_.Do([](auto& logic, RealTime now) { logic.Leave(1, seconds(5), now); });
  EXPECT_EQ(LastSignal().kind(), v1::SIGNAL_KIND_LEAVE);
  EXPECT_EQ(FromProto(LastSignal().linger()), seconds(5));
  EXPECT_EQ(world_.Status().end, SessionEnd::kLeft);
  EXPECT_EQ(world_.Status().link, Link::kEnded);
  EXPECT_FALSE(world_.Status().unconfirmed);
}

TEST_F(HeartbeatTest, LeaveWhileTheLinkIsDownIsACallOfItsOwnAndIsRepeated) {
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

TEST_F(HeartbeatTest, LeaveThatGoesLostWithTheStreamIsToldByACall) {
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

TEST_F(HeartbeatTest, LeaveBeforeAnyOpenWasSentSaysNothing) {
  world_.connection_stands = false;
  world_.takes_writes = false;
  world_.Open();
  world_.Do([](auto& logic, RealTime now) { logic.Leave(1, seconds(0), now); });
  EXPECT_EQ(world_.Status().end, SessionEnd::kLeft);
  EXPECT_THAT(world_.called, IsEmpty());
}

// --- "tells the truth about what it knows"

TEST_F(HeartbeatTest, StatusSaysWhatIsConfirmedAndHowOldItIs) {
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

TEST_F(HeartbeatTest, WhatWasConfirmedStaysSoWhenTheStreamBreaks) {
  world_.Open();
  world_.Advance(seconds(3));
  world_.EndStream(grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(world_.Status().confirmed_age, seconds(3));
  EXPECT_TRUE(world_.Status().unconfirmed);
  EXPECT_EQ(world_.Status().last_error.code, grpc::StatusCode::UNAVAILABLE);
}

TEST_F(HeartbeatTest, CountersCountWhatCrossedTheWire) {
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
