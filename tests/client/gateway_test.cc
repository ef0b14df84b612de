// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 12: one stream that carries thousands of sessions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "lifesign/client/internal/proto_time.h"
#include "server/base/limits.h"
#include "tests/client/heartbeat_world.h"

namespace lifesign::client::internal {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::IsEmpty;
using testing::SizeIs;

class GatewayTest : public testing::Test {
 protected:
  explicit GatewayTest(bool beats = false)
      : world_(HeartbeatWorld::ForGateway(beats)) {}

  void OpenMany(int count) {
    for (int i = 0; i < count; ++i) {
      world_.Open("user" + std::to_string(i), "tab");
    }
  }
  void Signal(Handle handle, Lifecycle lifecycle) {
    world_.Do([=](auto& logic, RealTime now) {
      logic.Signal(handle, lifecycle, absl::nullopt, now);
    });
  }
  void Leave(Handle handle, Duration linger = Duration::zero()) {
    world_.Do(
        [=](auto& logic, RealTime now) { logic.Leave(handle, linger, now); });
  }
  void Detach(Handle handle) {
    world_.Do([=](auto& logic, RealTime now) { logic.Detach(handle, now); });
  }
  // As the library does once the end was told.
  void Forget(Handle handle) {
    world_.Do([=](auto& logic, RealTime now) { logic.Forget(handle, now); });
  }
  absl::StatusOr<Handle> TryOpen(const std::string& user) {
    SessionSpec spec;
    spec.user_id = user;
    spec.session_id = "tab";
    return world_.Do(
        [&spec](auto& logic, RealTime now) { return logic.Open(spec, now); });
  }

  HeartbeatWorld world_;
};

TEST_F(GatewayTest, WhatIsSaidBehindAWriteSharesTheNextMessage) {
  world_.takes_writes = false;
  OpenMany(500);
  EXPECT_THAT(world_.said, SizeIs(1));
  world_.takes_writes = true;
  world_.Settle();
  EXPECT_THAT(world_.said, SizeIs(2));
  EXPECT_EQ(world_.last().opens_size(), 499);

  world_.takes_writes = false;
  for (int round = 0; round < 10; ++round) {
    for (Handle handle = 1; handle <= 500; ++handle) {
      Signal(handle,
             round % 2 == 0 ? Lifecycle::kIdle : Lifecycle::kBackground);
    }
  }
  world_.takes_writes = true;
  world_.Settle();
  EXPECT_THAT(world_.said, SizeIs(4)) << "ten rounds, one in flight, one after";
  EXPECT_EQ(world_.last().signals_size(), 500);
  for (const v1::Signal& signal : world_.last().signals()) {
    EXPECT_EQ(signal.kind(), v1::SIGNAL_KIND_BACKGROUND);
  }
}

TEST_F(GatewayTest, MessagesKeepTheLimitsOfTheApi) {
  world_.takes_writes = false;
  OpenMany(9'000);
  world_.takes_writes = true;
  world_.Settle();
  EXPECT_THAT(world_.said, SizeIs(1 + 9));
  world_.takes_writes = false;
  for (Handle handle = 1; handle <= 9'000; ++handle) {
    Signal(handle, Lifecycle::kBackground);
  }
  world_.takes_writes = true;
  world_.Settle();
  for (const Said& said : world_.said) {
    EXPECT_LE(said.message.opens_size(), limits::kMaxOpensPerMessage);
    EXPECT_LE(said.message.signals_size(), limits::kMaxSignalsPerMessage);
    EXPECT_LE(said.message.ByteSizeLong(), limits::kMaxMessageBytes);
  }
  EXPECT_EQ(world_.logic.counters().signals_sent, 18'000u);
}

TEST_F(GatewayTest, AskingIsAboutAllThatWasSaidInHoweverManyMessages) {
  world_.takes_writes = false;
  OpenMany(9'000);
  world_.takes_writes = true;
  world_.Settle();
  world_.takes_writes = false;
  for (Handle handle = 1; handle <= 9'000; ++handle) {
    Signal(handle, Lifecycle::kBackground);
  }
  const size_t before = world_.said.size();
  world_.Do([](auto& logic, RealTime now) { logic.Ask(now); });
  EXPECT_FALSE(world_.logic.Settled());
  world_.takes_writes = true;
  world_.Settle();
  EXPECT_TRUE(world_.logic.Settled());
  EXPECT_EQ(world_.said.size(), before + 3);
  EXPECT_TRUE(world_.last().answer_now());
}

TEST_F(GatewayTest, OpensWithTheLargestMetadataFitTheirMessages) {
  world_.takes_writes = false;
  for (int i = 0; i < 2'000; ++i) {
    SessionSpec spec;
    spec.user_id = std::string(120, 'u') + std::to_string(i);
    spec.session_id = std::string(128, 's');
    spec.metadata.emplace();
    for (int key = 0; key < 8; ++key) {
      (*spec.metadata)["key" + std::to_string(key)] = std::string(508, 'v');
    }
    ASSERT_TRUE(world_.logic.Open(spec, world_.now).ok());
  }
  world_.takes_writes = true;
  world_.Settle();
  EXPECT_THAT(world_.bound, SizeIs(2'000));
  for (const Said& said : world_.said) {
    EXPECT_LE(said.message.ByteSizeLong(), limits::kMaxMessageBytes);
  }
}

TEST_F(GatewayTest, HoldsAsManySessionsAsAStreamMayAndNotOneMore) {
  world_.takes_writes = false;
  OpenMany(limits::kMaxSessionsPerStream);
  EXPECT_EQ(TryOpen("one too many").status().code(),
            absl::StatusCode::kResourceExhausted);
  world_.takes_writes = true;
  world_.Settle();
  EXPECT_THAT(world_.bound, SizeIs(limits::kMaxSessionsPerStream));
}

TEST_F(GatewayTest, AfterAReconnectAllAreOpenedAgainAsTheSameInstances) {
  OpenMany(3'000);
  std::set<uint64_t> instances;
  for (const Said& said : world_.said) {
    for (const auto& open : said.message.opens()) {
      instances.insert(open.options().instance());
    }
  }
  EXPECT_THAT(instances, SizeIs(3'000)) << "each its own";
  world_.Advance(seconds(60));
  world_.EndStream(grpc::StatusCode::UNAVAILABLE);
  const size_t before = world_.said.size();
  world_.Advance(seconds(5));
  EXPECT_THAT(world_.bound, SizeIs(3'000));
  EXPECT_EQ(world_.said.size(), before + 3) << "full messages";
  for (size_t i = before; i < world_.said.size(); ++i) {
    for (const auto& open : world_.said[i].message.opens()) {
      EXPECT_EQ(instances.erase(open.options().instance()), 1u);
    }
  }
  EXPECT_THAT(instances, IsEmpty());
}

TEST_F(GatewayTest, SaysOnlyWhatTheCallerSaid) {
  OpenMany(3);
  world_.Advance(seconds(60));
  EXPECT_THAT(world_.said, SizeIs(3));
  Signal(2, Lifecycle::kActive);
  ASSERT_THAT(world_.said, SizeIs(4));
  EXPECT_EQ(world_.last().signals(0).handle(), 2u);
  Signal(2, Lifecycle::kActive);
  EXPECT_THAT(world_.said, SizeIs(5)) << "a client's beat is a beat";
}

TEST_F(GatewayTest, HandleOfADetachedSessionIsTheNextOneGiven) {
  OpenMany(3);
  Detach(2);
  EXPECT_EQ(world_.last().signals(0).kind(), v1::SIGNAL_KIND_DETACH);
  EXPECT_EQ(world_.Status(2).end, SessionEnd::kDetached);
  Forget(2);
  EXPECT_EQ(world_.Open("another", "tab"), 2u);
  EXPECT_EQ(world_.Open("one more", "tab"), 4u);
}

TEST_F(GatewayTest, LingeringSessionKeepsItsHandleUntilItHasEnded) {
  OpenMany(2);
  Leave(1, seconds(5));
  EXPECT_EQ(world_.Status(1).end, SessionEnd::kLeft);
  Forget(1);
  EXPECT_FALSE(world_.logic.StatusOf(1, world_.now).has_value());
  EXPECT_EQ(world_.Open("another", "tab"), 3u);
  world_.Advance(seconds(7));
  EXPECT_EQ(world_.Open("a third", "tab"), 1u);
}

// C21 (gamejolt/issue-tracker#459): page after page leaves with linger and is
// opened again 0.8 s later, here through a gateway.
TEST_F(GatewayTest, C21RefreshedPageIsResumedUnderTheHandleThatLingers) {
  world_.Open("u1", "s1");
  std::set<uint64_t> instances = {world_.last().opens(0).options().instance()};
  for (int refresh = 0; refresh < 10; ++refresh) {
    Leave(1, seconds(5));
    if (refresh % 2 == 0) Forget(1);
    world_.Advance(milliseconds(800));
    EXPECT_EQ(world_.Open("u1", "s1"), 1u);
    EXPECT_EQ(world_.Status(1).end, SessionEnd::kNotEnded);
    EXPECT_TRUE(world_.Status(1).resumed);
    instances.insert(world_.last().opens(0).options().instance());
    world_.Advance(seconds(5));
  }
  EXPECT_THAT(instances, SizeIs(11)) << "each page its own";
}

TEST_F(GatewayTest, SessionOpenedAgainBeforeItsGoodbyeIsOutBeginsAfterIt) {
  OpenMany(1);
  world_.takes_writes = false;
  Signal(1, Lifecycle::kIdle);
  Leave(1);
  EXPECT_EQ(*TryOpen("user0"), 1u);
  EXPECT_EQ(TryOpen("user0").status().code(), absl::StatusCode::kAlreadyExists);
  world_.takes_writes = true;
  world_.Settle();
  ASSERT_THAT(world_.said, SizeIs(4));
  EXPECT_EQ(world_.said[2].message.signals(0).kind(), v1::SIGNAL_KIND_LEAVE);
  EXPECT_EQ(world_.said[3].message.opens_size(), 1);
  EXPECT_EQ(world_.logic.held(), 1u);
}

TEST_F(GatewayTest, SessionHeldAlreadyIsNotOpenedTwice) {
  OpenMany(1);
  EXPECT_EQ(TryOpen("user0").status().code(), absl::StatusCode::kAlreadyExists);
}

// C74 (grpc/grpc#37160): one string that is not UTF-8 would spoil the message
// that others share.
TEST_F(GatewayTest, C74IdsThatAreNotUtf8AreRefusedBeforeTheyAreSent) {
  for (const std::string& id :
       {std::string("\xFF\xFE"), std::string("\xED\xA0\x80"),
        std::string("\xC0\xAF"), std::string(), std::string(129, 'u')}) {
    EXPECT_EQ(TryOpen(id).status().code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_THAT(world_.said, IsEmpty());
  EXPECT_TRUE(TryOpen("ünïcödé 👋").ok());
}

TEST_F(GatewayTest, ErrorOfOneSessionTouchesNoOther) {
  OpenMany(3);
  world_.SendError(2, grpc::StatusCode::ABORTED,
                   v1::ERROR_REASON_SESSION_TAKEN_OVER, 0);
  EXPECT_EQ(world_.Status(2).end, SessionEnd::kTakenOver);
  EXPECT_EQ(world_.logic.held(), 2u);
  Signal(1, Lifecycle::kIdle);
  Signal(3, Lifecycle::kIdle);
  EXPECT_EQ(world_.Status(1).link, Link::kConnected);
  EXPECT_THAT(world_.begun, SizeIs(1));
}

TEST_F(GatewayTest, MessageRefusedAsAWholeEndsThoseItWouldHaveOpened) {
  OpenMany(2);
  world_.answers = false;
  OpenMany(0);
  world_.Open("bad", "tab");
  world_.SendError(0, grpc::StatusCode::INVALID_ARGUMENT,
                   v1::ERROR_REASON_MALFORMED_MESSAGE, world_.received);
  EXPECT_EQ(world_.Status(3).end, SessionEnd::kRefused);
  EXPECT_EQ(world_.Status(1).end, SessionEnd::kNotEnded);
}

TEST_F(GatewayTest, OpenWhoseErrorTheServerDroppedIsTriedAgain) {
  world_.answers = false;
  OpenMany(1);
  v1::HeartbeatResponse response;
  response.set_acked(1);
  response.set_errors_dropped(17);
  world_.answers = true;
  world_.Send(response);
  world_.Advance(seconds(10 + 5));
  EXPECT_EQ(world_.logic.counters().opens_sent, 2u);
  EXPECT_EQ(world_.Status(1).state, v1::PRESENCE_STATE_ACTIVE);
}

TEST_F(GatewayTest, StreamThatHeldNothingIsOpenedAgainWithTheNextSession) {
  OpenMany(1);
  Detach(1);
  Forget(1);
  world_.Advance(seconds(60));
  world_.EndStream(grpc::StatusCode::DEADLINE_EXCEEDED,
                   v1::ERROR_REASON_NO_SESSION);
  EXPECT_EQ(world_.logic.link(), Link::kIdle);
  world_.Advance(seconds(60));
  EXPECT_THAT(world_.begun, SizeIs(1));
  OpenMany(1);
  EXPECT_THAT(world_.begun, SizeIs(2));
  EXPECT_EQ(world_.logic.link(), Link::kConnected);
}

TEST_F(GatewayTest, LeavesOfAGatewayWithoutALinkAreCallsAFewAtATime) {
  OpenMany(100);
  world_.Advance(seconds(60));
  world_.EndStream(grpc::StatusCode::UNAVAILABLE);
  for (Handle handle = 1; handle <= 100; ++handle) Leave(handle);
  size_t answered = 0;
  while (answered < world_.called.size()) {
    EXPECT_LE(world_.called.size() - answered, 16u);
    world_.AnswerCall(answered++, grpc::StatusCode::OK);
  }
  EXPECT_EQ(answered, 100u);
  EXPECT_EQ(world_.logic.held(), 0u);
  EXPECT_TRUE(world_.logic.Settled());
}

TEST_F(GatewayTest, NewsOfASessionIsListedOnceHoweverOftenItChanges) {
  OpenMany(2);
  while (world_.logic.PopNews() != 0) {
  }
  Signal(1, Lifecycle::kIdle);
  Signal(1, Lifecycle::kActive);
  Signal(1, Lifecycle::kBackground);
  EXPECT_EQ(world_.logic.PopNews(), 1u);
  EXPECT_FALSE(world_.logic.HasNews());
}

class BeatingGatewayTest : public GatewayTest {
 protected:
  BeatingGatewayTest() : GatewayTest(/*beats=*/true) {}
};

TEST_F(BeatingGatewayTest, BeatsForEachSessionAtItsOwnPromise) {
  OpenMany(1'000);
  Signal(1, Lifecycle::kBackground);
  world_.Advance(seconds(600));
  std::map<Handle, std::vector<RealTime>> beats;
  size_t messages = 0;
  for (const Said& said : world_.said) {
    if (said.message.opens_size() > 0) continue;
    ++messages;
    for (const auto& signal : said.message.signals()) {
      beats[signal.handle()].push_back(said.at);
    }
  }
  for (const auto& [handle, times] : beats) {
    const Duration promise = seconds(handle == 1 ? 60 : 10);
    for (size_t i = 1; i < times.size(); ++i) {
      ASSERT_GE(times[i] - times[i - 1], promise * 9 / 10 - milliseconds(20));
      ASSERT_LE(times[i] - times[i - 1], promise * 11 / 10);
    }
  }
  EXPECT_THAT(beats, SizeIs(1'000));
  EXPECT_LT(messages, 30'001u) << "about 60,000 beats share messages";
}

}  // namespace
}  // namespace lifesign::client::internal
