// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 9: what a watcher makes of what it is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"
#include "lifesign/client/internal/proto_time.h"
#include "tests/client/watch_fixture.h"

namespace lifesign::client::internal {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class WatchTest : public WatchLogicTest {};

TEST_F(WatchTest, AsksForItsUsersAndTellsSnapshotSyncedAndChanges) {
  ASSERT_THAT(requests_, SizeIs(1));
  EXPECT_THAT(requests_[0].users().user_ids(), ElementsAre("u1", "u2"));
  EXPECT_THAT(requests_[0].resume_token(), IsEmpty());
  Hear(Message().Created(1).Snapshot("u1", kActive, 10));
  Hear(Message().Snapshot("u2", kOffline, 5).Synced("t1"));
  EXPECT_TRUE(logic_.StatusAt(now_).synced);
  EXPECT_THAT(Told(), ElementsAre("u1 ->ACTIVE", "u2 ->OFFLINE", "SYNCED"));
  Hear(Message().Change("u1", kIdle, 11));
  EXPECT_THAT(Told(), ElementsAre("u1 ACTIVE->IDLE"));
  EXPECT_EQ(StateOf("u1"), kIdle);
}

TEST_F(WatchTest, PartsOfOneMessageAreTakenInTheOrderOfTheirFields) {
  Hear(Message()
           .Change("u1", kIdle, 11)
           .Snapshot("u1", kActive, 10)
           .Snapshot("u2", kOffline, 5)
           .Synced("t1")
           .Created(1));
  EXPECT_EQ(StateOf("u1"), kIdle);
  EXPECT_THAT(Told(), ElementsAre("u1 ->IDLE", "u2 ->OFFLINE", "SYNCED"));
}

// "A receiver ignores an item whose revision is not above the one it holds."
TEST_F(WatchTest, RecordWhoseRevisionIsNotAboveTheOneHeldIsIgnored) {
  Sync();
  Hear(Message().Change("u1", kIdle, 9));
  Hear(Message().Change("u1", kIdle, 10));
  EXPECT_THAT(Told(), IsEmpty());
  EXPECT_EQ(StateOf("u1"), kActive);
  EXPECT_EQ(logic_.StatusAt(now_).ignored, 2u);
  Hear(Message().Change("u1", kIdle, 11));
  EXPECT_THAT(Told(), ElementsAre("u1 ACTIVE->IDLE"));
  EXPECT_EQ(logic_.StatusAt(now_).revisions, 3u);
}

// "client libraries report it only if it differs"
TEST_F(WatchTest, RepeatedStateOfAResumeIsNotReported) {
  Sync();
  EndStream(grpc::StatusCode::UNAVAILABLE);
  Advance(seconds(5));
  ASSERT_THAT(requests_, SizeIs(2));
  EXPECT_EQ(requests_[1].resume_token(), "t1");
  Hear(
      Message().Created(1).Change("u1", kActive, 14).Change("u2", kActive, 12));
  Hear(Message().Synced("t2"));
  EXPECT_THAT(Told(), ElementsAre("u2 OFFLINE->ACTIVE", "SYNCED"));
  EXPECT_EQ(logic_.view().Find("u1")->revision(), 14u);
}

// "a snapshot after RESYNC replaces what is held, whatever its revisions"
TEST_F(WatchTest, C43AfterAResyncLowerRevisionsReplaceWhatIsHeld) {
  Sync();
  EndStream(grpc::StatusCode::UNAVAILABLE);
  Advance(seconds(5));
  Hear(Message().Created(2).Resync());
  EXPECT_EQ(StateOf("u1"), kActive) << "kept until it is replaced";
  EXPECT_FALSE(logic_.StatusAt(now_).synced);
  Hear(Message().Change("u2", kActive, 3));
  EXPECT_THAT(Told(), ElementsAre("u2 OFFLINE->ACTIVE"));
  Hear(Message().Change("u2", kIdle, 2));
  EXPECT_THAT(Told(), IsEmpty()) << "within the new epoch the rule holds";
  Hear(Message().Snapshot("u1", kOffline, 0).Synced("t2"));
  EXPECT_THAT(Told(), ElementsAre("u1 ACTIVE->OFFLINE", "SYNCED"));
}

TEST_F(WatchTest, SnapshotWithoutATokenReplacesWhatIsHeld) {
  Hear(Message().Created(9).Snapshot("u1", kActive, 900));
  EndStream(grpc::StatusCode::UNAVAILABLE);
  Advance(seconds(5));
  EXPECT_THAT(requests_[1].resume_token(), IsEmpty());
  Hear(Message().Created(10).Snapshot("u1", kAway, 1).Synced("t"));
  EXPECT_EQ(StateOf("u1"), kAway);
}

TEST_F(WatchTest, TokenFromBeforeSyncedIsNotResumedWith) {
  Sync();
  EndStream(grpc::StatusCode::UNAVAILABLE);
  Advance(seconds(5));
  Hear(Message().Created(2).Resync());
  Hear(Message().Snapshot("u2", kActive, 3).Token("half a snapshot"));
  EndStream(grpc::StatusCode::UNAVAILABLE);
  Advance(seconds(5));
  ASSERT_THAT(requests_, SizeIs(3));
  EXPECT_EQ(requests_[2].resume_token(), "t1");
}

TEST_F(WatchTest, ResumesWithTheNewestTokenItHolds) {
  Sync();
  Hear(Message().Change("u1", kIdle, 11).Token("t2"));
  Hear(Message().Progress("t3"));
  Hear(Message().Change("u1", kActive, 12));
  EndStream(grpc::StatusCode::UNAVAILABLE);
  Advance(seconds(5));
  EXPECT_EQ(requests_[1].resume_token(), "t3");
}

TEST_F(WatchTest, ResumesWithTheTokenThatTheEndBrings) {
  Sync();
  Error error;
  error.code = grpc::StatusCode::UNAVAILABLE;
  error.reason = v1::ERROR_REASON_SLOW_CONSUMER;
  error.metadata["resume_token"] = absl::Base64Escape("last word");
  EndStream(error);
  Advance(seconds(5));
  EXPECT_EQ(requests_[1].resume_token(), "last word");
}

TEST_F(WatchTest, TokenThatTheServerRefusesIsDroppedAtOnce) {
  Sync();
  EndStream(grpc::StatusCode::UNAVAILABLE);
  Advance(seconds(5));
  EndStream(grpc::StatusCode::INVALID_ARGUMENT,
            v1::ERROR_REASON_INVALID_RESUME_TOKEN);
  ASSERT_THAT(requests_, SizeIs(3));
  EXPECT_THAT(requests_[2].resume_token(), IsEmpty());
}

TEST_F(WatchTest, ServerThatTakesATokenAndThenRefusesItIsNotAskedInALoop) {
  for (int i = 0; i < 50; ++i) {
    if (!streaming_) break;
    Sync();
    EndStream(grpc::StatusCode::INVALID_ARGUMENT,
              v1::ERROR_REASON_INVALID_RESUME_TOKEN);
  }
  EXPECT_THAT(requests_, SizeIs(1));
}

TEST_F(WatchTest, ServerThatNamesNoWaitIsNotAskedInALoop) {
  EndStream(grpc::StatusCode::UNAVAILABLE, v1::ERROR_REASON_DRAINING,
            Duration::zero());
  EXPECT_THAT(requests_, SizeIs(1));
  Advance(kShortestNamedWait);
  EXPECT_THAT(requests_, SizeIs(2));
}

TEST_F(WatchTest, RecordsOfUsersWhoWereNotAskedForAreIgnored) {
  Hear(Message().Snapshot("stranger", kActive, 5).Change("u1", kActive, 6));
  EXPECT_THAT(Told(), ElementsAre("u1 ->ACTIVE"));
  EXPECT_EQ(logic_.view().size(), 1u);
  EXPECT_EQ(logic_.StatusAt(now_).ignored, 1);
}

TEST_F(WatchTest, RefusalThatCannotHealEndsTheWatch) {
  EndStream(grpc::StatusCode::PERMISSION_DENIED,
            v1::ERROR_REASON_TENANT_DENIED);
  EXPECT_THAT(Told(), ElementsAre("ENDED"));
  Advance(std::chrono::hours(1));
  EXPECT_THAT(requests_, SizeIs(1));
  EXPECT_EQ(logic_.StatusAt(now_).link, Link::kEnded);
}

TEST_F(WatchTest, DrainedWatchComesBackWhenItIsTold) {
  Sync();
  EndStream(grpc::StatusCode::UNAVAILABLE, v1::ERROR_REASON_DRAINING,
            seconds(23));
  logic_.OnNetworkChange(now_);
  Advance(seconds(23) - microseconds(1));
  EXPECT_THAT(requests_, SizeIs(1));
  Advance(microseconds(1));
  EXPECT_THAT(requests_, SizeIs(2));
}

// C48 (nats-io/nats.c#988): packets to the watcher are dropped for 300 s while
// u1 stays ACTIVE.
TEST_F(WatchTest, C48SilentWatchMarksItsViewStaleAndInventsNothing) {
  Sync();
  Advance(seconds(50) - microseconds(1));
  EXPECT_FALSE(logic_.StatusAt(now_).stale);
  EXPECT_THAT(Told(), IsEmpty());
  Advance(microseconds(1));
  EXPECT_TRUE(logic_.StatusAt(now_).stale);
  EXPECT_THAT(Told(), ElementsAre("STALE"));
  Advance(seconds(250));
  EXPECT_GT(requests_.size(), 3u) << "it tries";
  EXPECT_EQ(requests_.back().resume_token(), "t1");
  EXPECT_EQ(StateOf("u1"), kActive);
  EXPECT_THAT(Told(), IsEmpty());

  while (!streaming_) Advance(seconds(1));
  Hear(Message().Created(1).Change("u1", kActive, 10).Synced("t2"));
  EXPECT_THAT(Told(), ElementsAre("FRESH", "SYNCED"));
  EXPECT_FALSE(logic_.StatusAt(now_).stale);
}

TEST_F(WatchTest, ProgressKeepsAQuietViewFresh) {
  Sync();
  for (int i = 0; i < 24; ++i) {
    Advance(seconds(25));
    Hear(Message().Progress("t"));
  }
  EXPECT_THAT(Told(), IsEmpty());
  EXPECT_THAT(requests_, SizeIs(1));
  EXPECT_EQ(logic_.StatusAt(now_).heard_age, seconds(0));
}

TEST_F(WatchTest, StreamWithoutAFirstMessageIsBrokenAfterTenSeconds) {
  Advance(seconds(10) - microseconds(1));
  EXPECT_TRUE(streaming_);
  Advance(seconds(5));
  EXPECT_EQ(logic_.StatusAt(now_).last_error.code,
            grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST_F(WatchTest, AfterANetworkChangeSilencePastTheNextProgressIsABrokenLink) {
  Sync();
  Advance(seconds(20));
  logic_.OnNetworkChange(now_);
  Advance(seconds(15) - microseconds(1));
  EXPECT_TRUE(streaming_ && !cancelled_);
  Advance(microseconds(1));
  EXPECT_EQ(logic_.StatusAt(now_).link, Link::kWaiting);
  EXPECT_FALSE(logic_.StatusAt(now_).stale);
}

TEST_F(WatchTest, NetworkChangeEndsTheWait) {
  Sync();
  EndStream(grpc::StatusCode::UNAVAILABLE);
  logic_.OnNetworkChange(now_);
  EXPECT_THAT(requests_, SizeIs(2));
}

TEST_F(WatchTest, WhatNobodyTakesIsCoalescedToTheNewestPerUser) {
  Sync();
  for (uint64_t revision = 11; revision <= 1'011; ++revision) {
    Hear(Message().Change("u1", revision % 2 == 0 ? kActive : kIdle, revision));
    Hear(Message().Change("u2", kActive, revision));
  }
  EXPECT_THAT(Told(), ElementsAre("u1 ACTIVE->IDLE", "u2 OFFLINE->ACTIVE"));
}

TEST_F(WatchTest, ThereAndBackAgainThatNobodyTookIsNothing) {
  Sync();
  Hear(Message().Change("u1", kIdle, 11));
  Hear(Message().Change("u1", kActive, 12));
  EXPECT_THAT(Told(), IsEmpty());
}

TEST_F(WatchTest, EventsOfTheViewThatNobodyTakesDoNotPileUp) {
  for (int i = 0; i < 100; ++i) {
    Sync();
    Hear(Message().Synced("t"));
    Hear(Message().Synced("t"));
    Advance(seconds(50));
    while (!streaming_) Advance(seconds(1));
    Hear(Message().Created(1));
  }
  Hear(Message().Synced("t"));
  EXPECT_THAT(Told(), ElementsAre("SYNCED"));
}

TEST_F(WatchTest, ServersClockRunsOnBetweenMessages) {
  EXPECT_FALSE(logic_.StatusAt(now_).server_now.has_value());
  Hear(Message().Created(1).Synced("t", 5'000));
  Advance(seconds(7));
  EXPECT_EQ(logic_.StatusAt(now_).server_now, absl::FromUnixSeconds(5'007));
}

// C61, of watches: they come back like sessions do.
TEST_F(WatchTest, C61FirstAttemptIsWithinFiveSecondsAndLaterOnesGrowRarer) {
  Sync();
  Advance(seconds(20));
  EndStream(grpc::StatusCode::UNAVAILABLE);
  const RealTime cut = now_;
  Advance(seconds(5));
  ASSERT_THAT(begun_, SizeIs(2));
  EXPECT_LT(begun_[1] - cut, seconds(5));
  Advance(std::chrono::hours(1));
  EXPECT_LT(begun_.size(), 3'600u / 25);
  EXPECT_GT(begun_.size(), 3'600u / 70);
}

WatchOptions OfRoom(bool occupancy) {
  WatchOptions options;
  options.room_id = "r1";
  options.occupancy = occupancy;
  return options;
}

class WatchMembersTest : public WatchLogicTest {
 protected:
  WatchMembersTest() : WatchLogicTest(OfRoom(false)) {}
};

TEST_F(WatchMembersTest, TheViewHoldsWhoIsThere) {
  EXPECT_EQ(requests_[0].room().room_id(), "r1");
  EXPECT_EQ(requests_[0].room().view(), v1::ROOM_VIEW_MEMBERS);
  Hear(Message().Created(1).Snapshot("u1", kActive, 10).Synced("t1"));
  Hear(Message().Change("u2", kIdle, 11));
  Hear(Message().Change("u1", kOffline, 12));
  EXPECT_THAT(Told(), ElementsAre("SYNCED", "u2 ->IDLE"));
  EXPECT_EQ(logic_.view().Find("u1"), nullptr);
  // Whoever has gone meanwhile is not mentioned after a RESYNC.
  EndStream(grpc::StatusCode::UNAVAILABLE);
  Advance(seconds(5));
  EXPECT_EQ(requests_.back().resume_token(), "t1");
  Hear(Message().Created(1).Resync().Snapshot("u3", kActive, 20));
  Hear(Message().Synced("t2"));
  EXPECT_THAT(Told(), ElementsAre("u3 ->ACTIVE", "u2 IDLE->OFFLINE", "SYNCED"));
}

TEST_F(WatchMembersTest, ThatTheRoomIsTooLargeEndsIt) {
  EndStream(grpc::StatusCode::FAILED_PRECONDITION,
            v1::ERROR_REASON_ROOM_TOO_LARGE);
  EXPECT_THAT(Told(), ElementsAre("ENDED"));
  EXPECT_TRUE(logic_.ended());
}

class WatchOccupancyTest : public WatchLogicTest {
 protected:
  WatchOccupancyTest() : WatchLogicTest(OfRoom(true)) {}
};

TEST_F(WatchOccupancyTest, OfWhatLiesUntakenTheNewestIsTold) {
  EXPECT_EQ(requests_[0].room().view(), v1::ROOM_VIEW_OCCUPANCY);
  Hear(Message().Created(1).Synced("t1").Occupancy(3));
  EXPECT_THAT(Told(), ElementsAre("3 USERS", "SYNCED"));
  Hear(Message().Occupancy(4));
  Hear(Message().Occupancy(5));
  EXPECT_THAT(Told(), ElementsAre("5 USERS"));
  EXPECT_EQ(logic_.view().occupancy()->users(), 5);
}

}  // namespace
}  // namespace lifesign::client::internal
