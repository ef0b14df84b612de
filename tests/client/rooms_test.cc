// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 11: how a client keeps its session in its rooms.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/base/limits.h"
#include "tests/client/heartbeat_fixture.h"

namespace lifesign::client::internal {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class RoomsTest : public HeartbeatTest {
 protected:
  void Open(absl::optional<std::set<std::string>> rooms) {
    SessionSpec spec;
    spec.user_id = "u1";
    spec.session_id = "s1";
    spec.rooms = std::move(rooms);
    const auto opened = world_.Do(
        [&spec](auto& logic, RealTime now) { return logic.Open(spec, now); });
    ASSERT_TRUE(opened.ok()) << opened.status();
  }
  void Reconnect() {
    world_.EndStream(grpc::StatusCode::UNAVAILABLE);
    world_.Advance(seconds(5));
  }
  const v1::OpenOptions& LastOpen() {
    for (auto said = world_.said.rbegin();; ++said) {
      if (said->message.opens_size() > 0) {
        return said->message.opens(0).options();
      }
    }
  }
};

TEST_F(RoomsTest, RoomsGivenAreNamedByEveryOpen) {
  Open({{"r1", "r2"}});
  EXPECT_THAT(LastOpen().rooms().room_ids(), ElementsAre("r1", "r2"));
  EXPECT_THAT(world_.last().signals(), IsEmpty());
  ASSERT_TRUE(Join("r3").ok());
  ASSERT_TRUE(LeaveRoom("r1").ok());
  Reconnect();
  EXPECT_THAT(LastOpen().rooms().room_ids(), ElementsAre("r2", "r3"));
  EXPECT_THAT(world_.last().signals(), IsEmpty());
}

TEST_F(RoomsTest, NoneGivenDiffersFromNotGiven) {
  Open(std::set<std::string>());
  EXPECT_TRUE(LastOpen().has_rooms());
  EXPECT_THAT(LastOpen().rooms().room_ids(), IsEmpty());
}

TEST_F(RoomsTest, JoiningAndLeavingAreToldAtOnceAndClaimNoActivity) {
  Open({{"r1"}});
  world_.Advance(seconds(7));
  ASSERT_TRUE(Join("r2").ok());
  EXPECT_EQ(world_.said.back().at, world_.now);
  EXPECT_THAT(LastSignal().rooms().join(), ElementsAre("r2"));
  EXPECT_THAT(LastSignal().rooms().leave(), IsEmpty());
  EXPECT_EQ(IdleForOfLast(), seconds(7));
  ASSERT_TRUE(LeaveRoom("r1").ok());
  EXPECT_THAT(LastSignal().rooms().leave(), ElementsAre("r1"));
  EXPECT_THAT(LastSignal().rooms().join(), IsEmpty());
  // The next beat does not repeat it.
  UntilSaid();
  EXPECT_FALSE(LastSignal().has_rooms());
}

TEST_F(RoomsTest, WhatChangesNothingIsNotTold) {
  Open({{"r1"}});
  const size_t said = world_.said.size();
  ASSERT_TRUE(Join("r1").ok());
  ASSERT_TRUE(LeaveRoom("r2").ok());
  EXPECT_THAT(world_.said, SizeIs(said));
}

TEST_F(RoomsTest, OfWhatIsSaidBehindAWriteTheNewestIsTold) {
  Open({{"r1"}});
  world_.takes_writes = false;
  Become(Lifecycle::kBackground);
  ASSERT_TRUE(Join("r2").ok());
  ASSERT_TRUE(LeaveRoom("r2").ok());
  ASSERT_TRUE(Join("r3").ok());
  world_.takes_writes = true;
  world_.Settle();
  EXPECT_THAT(LastSignal().rooms().join(), ElementsAre("r3"));
}

TEST_F(RoomsTest, NotGivenTheOpenNamesNoneAndASignalSaysWhatIsJoined) {
  Open(absl::nullopt);
  EXPECT_FALSE(LastOpen().has_rooms());
  EXPECT_THAT(world_.last().signals(), IsEmpty());
  ASSERT_TRUE(Join("r1").ok());
  ASSERT_TRUE(Join("r2").ok());
  ASSERT_TRUE(LeaveRoom("r0").ok());
  EXPECT_THAT(LastSignal().rooms().leave(), ElementsAre("r0"));
  Reconnect();
  EXPECT_FALSE(LastOpen().has_rooms());
  EXPECT_THAT(LastSignal().rooms().join(), ElementsAre("r1", "r2"));
  EXPECT_THAT(LastSignal().rooms().leave(), ElementsAre("r0"));
}

TEST_F(RoomsTest, WhatIsSaidWhileTheLinkIsDownIsToldWhenItIsUp) {
  Open(absl::nullopt);
  world_.Advance(minutes(1));
  world_.EndStream(grpc::StatusCode::UNAVAILABLE);
  ASSERT_TRUE(Join("r1").ok());
  world_.Advance(seconds(5));
  EXPECT_THAT(LastSignal().rooms().join(), ElementsAre("r1"));
  EXPECT_THAT(world_.last().opens(), SizeIs(1));
}

TEST_F(RoomsTest, AHundredRoomsAreTheMost) {
  std::set<std::string> rooms;
  for (int i = 0; i < limits::kMaxRoomsPerSession; ++i) {
    rooms.insert(absl::StrCat("r", i));
  }
  Open(rooms);
  EXPECT_EQ(Join("one too many").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(LeaveRoom("r7").ok());
  EXPECT_TRUE(Join("one more").ok());
  EXPECT_EQ(Join("").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Join("\xff").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(LeaveRoom(std::string(limits::kMaxIdBytes + 1, 'r')).code(),
            absl::StatusCode::kInvalidArgument);
  rooms.insert("one too many");
  SessionSpec spec;
  spec.user_id = "u2";
  spec.session_id = "s1";
  spec.rooms = rooms;
  EXPECT_EQ(world_
                .Do([&spec](auto& logic, RealTime now) {
                  return logic.Open(spec, now);
                })
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(RoomsTest, ThatTheServerKnowsOfMoreRoomsEndsNothing) {
  Open(absl::nullopt);
  ASSERT_TRUE(Join("r1").ok());
  world_.SendError(1, grpc::StatusCode::RESOURCE_EXHAUSTED,
                   v1::ERROR_REASON_TOO_MANY_ROOMS, world_.received);
  EXPECT_EQ(world_.Status().last_error.reason, v1::ERROR_REASON_TOO_MANY_ROOMS);
  EXPECT_EQ(world_.Status().link, Link::kConnected);
  EXPECT_EQ(world_.Status().end, SessionEnd::kNotEnded);
  const size_t said = world_.said.size();
  world_.Advance(seconds(9));
  EXPECT_THAT(world_.said, SizeIs(said));
}

TEST_F(RoomsTest, AMessageDoesNotGrowByRooms) {
  HeartbeatWorld gateway(HeartbeatWorld::ForGateway());
  SessionSpec spec;
  spec.session_id = "s1";
  spec.rooms.emplace();
  for (int i = 0; i < limits::kMaxRoomsPerSession; ++i) {
    spec.rooms->insert(absl::StrCat(std::string(120, 'r'), i));
  }
  gateway.takes_writes = false;
  for (int i = 0; i < 1'000; ++i) {
    spec.user_id = absl::StrCat("u", i);
    ASSERT_TRUE(gateway
                    .Do([&spec](auto& logic, RealTime now) {
                      return logic.Open(spec, now);
                    })
                    .ok());
  }
  gateway.takes_writes = true;
  gateway.Settle();
  EXPECT_THAT(gateway.bound, SizeIs(1'000));
  for (const Said& said : gateway.said) {
    EXPECT_LT(said.message.ByteSizeLong(), limits::kMaxMessageBytes / 2);
  }
}

}  // namespace
}  // namespace lifesign::client::internal
