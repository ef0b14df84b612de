// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 9, FollowPresence: a watcher whose users change.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/base/limits.h"
#include "tests/client/watch_fixture.h"

namespace lifesign::client::internal {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

// u1 and u2 are watched at first, see Sync.
class WatchFollowTest : public WatchLogicTest {
 protected:
  // The stream that follows, from where the last one was; nothing changed.
  void SyncFollowing() {
    ASSERT_TRUE(follows_);
    Hear(Message().Created(1).Synced("t").Acked(1));
  }
  // Adds u3 and takes u3 and what the server says.
  void Follow() {
    Sync();
    logic_.Add({"u3"});
    EndStream(grpc::StatusCode::CANCELLED);
    SyncFollowing();
    Hear(Message().Snapshot("u3", kIdle, 20).Token("t3").Acked(2));
    Told();
    said_.clear();
  }
  std::vector<std::string> UsersOfRequest() {
    const auto& users = requests_.back().users().user_ids();
    return {users.begin(), users.end()};
  }
};

TEST_F(WatchFollowTest, FirstChangeHasTheWatchGoOnAtOnceByFollowPresence) {
  Sync();
  EXPECT_FALSE(follows_);
  logic_.Add({"u3", "u1", "u3"});
  EXPECT_TRUE(cancelled_);
  EXPECT_THAT(said_, IsEmpty());
  EXPECT_FALSE(logic_.StatusAt(now_).synced) << "u3 is not told";
  EndStream(grpc::StatusCode::CANCELLED);
  ASSERT_THAT(requests_, SizeIs(2));
  EXPECT_EQ(begun_[1], begun_[0]);
  EXPECT_THAT(UsersOfRequest(), ElementsAre("u1", "u2"));
  EXPECT_EQ(requests_[1].resume_token(), "t1");
  EXPECT_TRUE(logic_.StatusAt(now_).last_error.ok());

  SyncFollowing();
  ASSERT_THAT(said_, SizeIs(1));
  EXPECT_THAT(said_[0].add().user_ids(), ElementsAre("u3"));
  EXPECT_FALSE(said_[0].has_remove());
  EXPECT_THAT(Told(), IsEmpty());
  Hear(Message().Snapshot("u3", kIdle, 20).Token("t3").Acked(2));
  EXPECT_TRUE(logic_.StatusAt(now_).synced);
  EXPECT_THAT(Told(), ElementsAre("u3 ->IDLE", "SYNCED"));
}

TEST_F(WatchFollowTest, WhoIsAddedWhileConnectedIsToldBeforeTheNextSynced) {
  Follow();
  logic_.Add({"u4"});
  EXPECT_FALSE(cancelled_);
  ASSERT_THAT(said_, SizeIs(1));
  Hear(Message().Change("u3", kActive, 21));
  EXPECT_THAT(Told(), ElementsAre("u3 IDLE->ACTIVE"));
  Hear(Message().Snapshot("u4", kOffline, 3));
  Hear(Message().Change("u4", kActive, 22));
  Hear(Message().Token("t4").Acked(3));
  EXPECT_THAT(Told(), ElementsAre("u4 ->ACTIVE", "SYNCED"));
  EXPECT_EQ(logic_.resume_token(), "t4");
  EXPECT_THAT(requests_, SizeIs(2));
}

TEST_F(WatchFollowTest, WhoIsAddedWithoutAConnectionIsSaidOnceThereIsOne) {
  Sync();
  EndStream(grpc::StatusCode::UNAVAILABLE);
  logic_.Add({"u3"});
  logic_.Add({"u5", "u4"});
  logic_.Remove({"u4"});
  EXPECT_THAT(requests_, SizeIs(1)) << "it waits as it did";
  Advance(seconds(5));
  ASSERT_THAT(requests_, SizeIs(2));
  EXPECT_THAT(UsersOfRequest(), ElementsAre("u1", "u2"))
      << "of whom the token is";
  EXPECT_EQ(requests_[1].resume_token(), "t1");
  SyncFollowing();
  ASSERT_THAT(said_, SizeIs(1));
  EXPECT_THAT(said_[0].add().user_ids(), UnorderedElementsAre("u3", "u5"));
  Hear(Message().Snapshot("u3", kIdle, 20).Snapshot("u5", kAway, 21).Acked(2));
  EXPECT_THAT(Told(), UnorderedElementsAre("u3 ->IDLE", "u5 ->AWAY", "SYNCED"));
}

TEST_F(WatchFollowTest, TokenIsOfTheUsersWhoWereAcknowledged) {
  Follow();
  logic_.Add({"u4"});
  logic_.Remove({"u1"});
  EndStream(grpc::StatusCode::UNAVAILABLE);
  Advance(seconds(5));
  EXPECT_THAT(UsersOfRequest(), ElementsAre("u1", "u2", "u3"));
  EXPECT_EQ(requests_.back().resume_token(), "t3");
  said_.clear();
  SyncFollowing();
  ASSERT_THAT(said_, SizeIs(1)) << "said again, together";
  EXPECT_THAT(said_[0].add().user_ids(), ElementsAre("u4"));
  EXPECT_THAT(said_[0].remove().user_ids(), ElementsAre("u1"));
  Hear(Message().Snapshot("u4", kIdle, 30).Token("t4").Acked(2));
  EndStream(grpc::StatusCode::UNAVAILABLE);
  while (!streaming_) Advance(seconds(1));
  EXPECT_THAT(UsersOfRequest(), ElementsAre("u2", "u3", "u4"));
  EXPECT_EQ(requests_.back().resume_token(), "t4");
}

TEST_F(WatchFollowTest, UsersWhoWereAddedSurviveAResync) {
  Follow();
  EndStream(grpc::StatusCode::UNAVAILABLE);
  Advance(seconds(5));
  EXPECT_THAT(UsersOfRequest(), ElementsAre("u1", "u2", "u3"));
  logic_.Add({"u4"});
  Hear(Message().Created(2).Resync());
  Hear(Message().Snapshot("u1", kActive, 1).Snapshot("u2", kOffline, 0));
  Hear(Message().Snapshot("u3", kOffline, 0).Synced("n1").Acked(1));
  EXPECT_THAT(Told(), ElementsAre("u3 IDLE->OFFLINE"));
  Hear(Message().Snapshot("u4", kOffline, 0).Token("n2").Acked(2));
  EXPECT_THAT(Told(), ElementsAre("u4 ->OFFLINE", "SYNCED"));
}

TEST_F(WatchFollowTest, WhoIsRemovedLeavesTheViewAtOnceAndIsNeverReported) {
  Follow();
  Hear(Message().Change("u3", kActive, 21).Change("u1", kIdle, 22));
  logic_.Remove({"u3", "nobody"});
  EXPECT_EQ(logic_.view().Find("u3"), nullptr);
  EXPECT_THAT(Told(), ElementsAre("u1 ACTIVE->IDLE")) << "untaken is dropped";
  ASSERT_THAT(said_, SizeIs(1));
  EXPECT_THAT(said_[0].remove().user_ids(), ElementsAre("u3"));
  // Not acknowledged yet: the server goes on.
  Hear(Message().Change("u3", kAway, 23));
  EXPECT_THAT(Told(), IsEmpty());
  Hear(Message().Change("u3", kIdle, 24).Acked(3));
  EXPECT_THAT(Told(), IsEmpty());
  EXPECT_EQ(logic_.view().size(), 2u);
  EXPECT_TRUE(logic_.StatusAt(now_).synced);
  EndStream(grpc::StatusCode::UNAVAILABLE);
  Advance(seconds(5));
  EXPECT_THAT(UsersOfRequest(), ElementsAre("u1", "u2"));
}

TEST_F(WatchFollowTest, WhoIsRemovedAndAddedAgainIsToldAnew) {
  Follow();
  logic_.Add({"u4"});
  said_.clear();
  // While a message is on its way.
  logic_.Remove({"u3"});
  logic_.Add({"u3"});
  EXPECT_THAT(said_, IsEmpty());
  Hear(Message().Snapshot("u4", kIdle, 25).Acked(3));
  ASSERT_THAT(said_, SizeIs(1));
  EXPECT_THAT(said_[0].remove().user_ids(), ElementsAre("u3"));
  Hear(Message().Change("u3", kAway, 26).Acked(4));
  ASSERT_THAT(said_, SizeIs(2));
  EXPECT_THAT(said_[1].add().user_ids(), ElementsAre("u3"));
  EXPECT_THAT(Told(), ElementsAre("u4 ->IDLE")) << "u3 is not known yet";
  // Whatever its revision.
  Hear(Message().Snapshot("u3", kOffline, 2).Acked(5));
  EXPECT_THAT(Told(), ElementsAre("u3 ->OFFLINE", "SYNCED"));
}

TEST_F(WatchFollowTest, WhoIsAddedAgainWhileBeingRemovedIsAddedAfterwards) {
  Follow();
  logic_.Remove({"u3"});
  logic_.Add({"u3"});
  ASSERT_THAT(said_, SizeIs(1));
  EXPECT_FALSE(logic_.StatusAt(now_).synced);
  Hear(Message().Acked(3));
  ASSERT_THAT(said_, SizeIs(2));
  EXPECT_THAT(said_[1].add().user_ids(), ElementsAre("u3"));
  Hear(Message().Snapshot("u3", kAway, 30).Acked(4));
  EXPECT_THAT(Told(), ElementsAre("u3 ->AWAY", "SYNCED"));
}

TEST_F(WatchFollowTest, WhoIsRemovedWhileBeingAddedIsRemovedAfterwards) {
  Follow();
  logic_.Add({"u4"});
  Hear(Message().Snapshot("u4", kIdle, 25));
  logic_.Remove({"u4"});
  EXPECT_THAT(Told(), ElementsAre("SYNCED")) << "complete without u4";
  Hear(Message().Change("u4", kAway, 26).Acked(3));
  EXPECT_THAT(Told(), IsEmpty());
  ASSERT_THAT(said_, SizeIs(2));
  EXPECT_THAT(said_[1].remove().user_ids(), ElementsAre("u4"));
  Hear(Message().Acked(4));
  EXPECT_THAT(said_, SizeIs(2));
  EXPECT_EQ(logic_.view().Find("u4"), nullptr);
}

TEST_F(WatchFollowTest, TooManyUsersAreRefusedAndEverythingElseGoesOn) {
  Follow();
  logic_.Add({"u5", "u4"});
  logic_.Remove({"u5"});
  logic_.Remove({"u1"});
  Hear(Message().Acked(3).Refused(3, v1::ERROR_REASON_TOO_MANY_WATCHED_USERS));
  EXPECT_THAT(
      Told(),
      ElementsAre("REFUSED u4 ERROR_REASON_TOO_MANY_WATCHED_USERS", "SYNCED"));
  ASSERT_THAT(said_, SizeIs(2));
  EXPECT_THAT(said_[1].remove().user_ids(), ElementsAre("u1"));
  EXPECT_FALSE(said_[1].has_add()) << "who was refused is not asked for again";
  Hear(Message().Acked(4));
  // There is room now.
  logic_.Add({"u4"});
  ASSERT_THAT(said_, SizeIs(3));
  Hear(Message().Snapshot("u4", kIdle, 30).Acked(5));
  EXPECT_THAT(Told(), ElementsAre("u4 ->IDLE", "SYNCED"));
}

TEST_F(WatchFollowTest, RefusalOfBothAsksForTheRemovalAlone) {
  Sync();
  EndStream(grpc::StatusCode::UNAVAILABLE);
  logic_.Add({"u3", "u4"});
  logic_.Remove({"u1"});
  Advance(seconds(5));
  SyncFollowing();
  ASSERT_THAT(said_, SizeIs(1));
  Hear(Message().Acked(2).Refused(2, v1::ERROR_REASON_TOO_MANY_WATCHED_USERS));
  ASSERT_THAT(said_, SizeIs(2));
  EXPECT_FALSE(said_[1].has_add());
  EXPECT_THAT(said_[1].remove().user_ids(), ElementsAre("u1"));
  EXPECT_THAT(Told(),
              ElementsAre("REFUSED u3,u4 ERROR_REASON_TOO_MANY_WATCHED_USERS",
                          "SYNCED"));
}

TEST_F(WatchFollowTest, RefusalsThatNobodyTakesBecomeOne) {
  Follow();
  for (uint64_t message = 3; message < 100; ++message) {
    logic_.Add({absl::StrCat("v", message % 2)});
    Hear(Message().Acked(message).Refused(
        message, v1::ERROR_REASON_TOO_MANY_WATCHED_USERS));
  }
  EXPECT_THAT(Told(),
              ElementsAre("REFUSED v0,v1 ERROR_REASON_TOO_MANY_WATCHED_USERS",
                          "SYNCED"));
}

TEST_F(WatchFollowTest, ServerThatRefusesToRemoveIsNotAskedInALoop) {
  Follow();
  logic_.Remove({"u3"});
  ASSERT_THAT(said_, SizeIs(1));
  Hear(Message().Acked(3).Refused(3, v1::ERROR_REASON_INVALID_FIELD));
  EXPECT_THAT(said_, SizeIs(1));
  Hear(Message().Change("u3", kActive, 30));
  EXPECT_THAT(Told(), IsEmpty());
}

// § 14: one message adds and removes so many.
TEST_F(WatchFollowTest, ManyAreSaidInSeveralMessages) {
  Follow();
  std::vector<std::string> many;
  for (size_t i = 0; i <= limits::kMaxFollowedPerMessage; ++i) {
    many.push_back(absl::StrCat("v", i));
  }
  logic_.Add(many);
  ASSERT_THAT(said_, SizeIs(1));
  EXPECT_EQ(said_[0].add().user_ids_size(), 10'000);
  Hear(Message().Acked(3));
  ASSERT_THAT(said_, SizeIs(2));
  EXPECT_EQ(said_[1].add().user_ids_size(), 1);
  EXPECT_FALSE(logic_.StatusAt(now_).synced);
  Hear(Message().Acked(4));
  EXPECT_TRUE(logic_.StatusAt(now_).synced);
}

TEST_F(WatchFollowTest, AddingWhoIsThereAndRemovingWhoIsNotSaysNothing) {
  Sync();
  logic_.Add({"u1"});
  logic_.Remove({"u9"});
  EXPECT_FALSE(cancelled_);
  EXPECT_THAT(Told(), IsEmpty());
  EXPECT_TRUE(logic_.StatusAt(now_).synced);
}

// The server's word comes before our own cancelling.
TEST_F(WatchFollowTest, DrainDuringTheSwitchIsWaitedFor) {
  Sync();
  logic_.Add({"u3"});
  EndStream(grpc::StatusCode::UNAVAILABLE, v1::ERROR_REASON_DRAINING,
            seconds(23));
  EXPECT_THAT(requests_, SizeIs(1));
  Advance(seconds(23));
  EXPECT_THAT(requests_, SizeIs(2));
  EXPECT_TRUE(follows_);
}

}  // namespace
}  // namespace lifesign::client::internal
