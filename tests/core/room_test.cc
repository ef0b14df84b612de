// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 11: who is in a room, and how many.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/limits.h"
#include "tests/testing/presence_story.h"

namespace lifesign {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> Rooms(int count) {
  std::vector<std::string> rooms;
  for (int i = 0; i < count; ++i) rooms.push_back(absl::StrCat("room", i));
  return rooms;
}

class RoomTest : public PresenceStory {
 protected:
  int UsersIn(const std::string& room, State state) {
    return In(room).users_by_state[static_cast<std::size_t>(state)];
  }
};

TEST_F(RoomTest, AnyNameIsARoomAndNothingIsStoredForAnEmptyOne) {
  const Occupancy nobody = In("anything");
  EXPECT_EQ(nobody.users, 0);
  EXPECT_EQ(nobody.sessions, 0);
  EXPECT_EQ(nobody.lately[2].peak, 0);
  EXPECT_EQ(engine().rooms(), 0u);
}

TEST_F(RoomTest, JoiningAndLeavingAreIdempotent) {
  Login("u1/a");
  EXPECT_TRUE(Join("u1/a", "r1").ok());
  const Revision joined = In("r1").revision;
  EXPECT_TRUE(Join("u1/a", "r1").ok());
  EXPECT_EQ(In("r1").users, 1);
  EXPECT_EQ(In("r1").sessions, 1);
  EXPECT_EQ(In("r1").revision, joined);
  EXPECT_TRUE(LeaveRoom("u1/a", "r2").ok());
  EXPECT_TRUE(LeaveRoom("u1/a", "r1").ok());
  EXPECT_TRUE(LeaveRoom("u1/a", "r1").ok());
  EXPECT_EQ(In("r1").users, 0);
  EXPECT_EQ(In("r1").sessions, 0);
  EXPECT_GT(In("r1").revision, joined);
}

TEST_F(RoomTest, OneStepLeavesBeforeItJoins) {
  Login("u1/a", {.rooms = {{"r1", "r2"}}});
  ChangeRooms("u1/a", SignalKind::kActive, {"r2", "r3"}, {"r1", "r2"});
  EXPECT_THAT(Session("u1/a").rooms, ElementsAre("r2", "r3"));
}

TEST_F(RoomTest, AUsersStateInARoomComesFromTheirSessionsThere) {
  Login("u1/a", {.rooms = {{"r1"}}});
  Open("u1/b", {.with = SignalKind::kIdle, .rooms = {{"r2"}}});
  EXPECT_EQ(UsersIn("r1", State::kActive), 1);
  EXPECT_EQ(UsersIn("r2", State::kIdle), 1);
  At(61);
  EXPECT_EQ(UsersIn("r1", State::kAway), 1);
  EXPECT_EQ(UsersIn("r2", State::kAway), 1);
  Active("u1/b");
  EXPECT_EQ(UsersIn("r1", State::kAway), 1);
  EXPECT_EQ(UsersIn("r2", State::kActive), 1);
  EXPECT_EQ(StateOf("u1"), State::kActive);
}

TEST_F(RoomTest, AUserCountsOnceHoweverManySessionsTheyHaveThere) {
  Login("u1/a", {.rooms = {{"r1"}}});
  Open("u1/b", {.with = SignalKind::kBackground, .rooms = {{"r1"}}});
  EXPECT_EQ(In("r1").users, 1);
  EXPECT_EQ(In("r1").sessions, 2);
  EXPECT_EQ(UsersIn("r1", State::kActive), 1);
  LeaveRoom("u1/a", "r1");
  EXPECT_EQ(In("r1").users, 1);
  EXPECT_EQ(In("r1").sessions, 1);
  EXPECT_EQ(UsersIn("r1", State::kAway), 1);
  EXPECT_EQ(StateOf("u1"), State::kActive);
}

TEST_F(RoomTest, TheEndOfASessionLeavesAllItsRooms) {
  Login("u1/a", {.rooms = {{"r1", "r2"}}});
  Login("u2/a", {.rooms = {{"r1", "r2"}}});
  Login("u3/a", {.rooms = {{"r1", "r2"}}});
  Leave("u1/a");
  EXPECT_EQ(In("r1").users, 2);
  EXPECT_EQ(In("r2").users, 2);
  Leave("u2/a", seconds(5));
  EXPECT_EQ(In("r1").users, 2);
  At(5.1);
  EXPECT_EQ(In("r1").users, 1);
  At(240.1);
  EXPECT_EQ(In("r1").users, 0);
  EXPECT_EQ(In("r2").users, 0);
}

TEST_F(RoomTest, ANewStartOfASessionIsInNoRoomThatItDoesNotName) {
  Login("u1/a", {.rooms = {{"r1", "r2"}}});
  JumpTo(240);
  // It has ended, though no tick has come by.
  EXPECT_FALSE(Login("u1/a", {.rooms = {{"r2"}}}).opened.resumed);
  EXPECT_EQ(In("r1").users, 0);
  EXPECT_EQ(In("r2").users, 1);
  EXPECT_EQ(In("r2").sessions, 1);
  Leave("u1/a");
  Login("u1/a");
  EXPECT_THAT(Session("u1/a").rooms, IsEmpty());
}

TEST_F(RoomTest, AResumedSessionStaysUnlessItNamesRooms) {
  Login("u1/a", {.rooms = {{"r1", "r2"}}});
  At(5);
  EXPECT_TRUE(Open("u1/a").opened.resumed);
  EXPECT_THAT(Session("u1/a").rooms, ElementsAre("r1", "r2"));
  Open("u1/a", {.rooms = {{"r2", "r3"}}});
  EXPECT_THAT(Session("u1/a").rooms, ElementsAre("r2", "r3"));
  EXPECT_EQ(In("r1").users, 0);
  EXPECT_EQ(In("r2").users, 1);
  EXPECT_EQ(In("r3").users, 1);
  Open("u1/a", {.rooms = {std::vector<std::string>()}});
  EXPECT_THAT(Session("u1/a").rooms, IsEmpty());
  EXPECT_EQ(In("r2").users, 0);
}

TEST_F(RoomTest, ASessionIsInAtMostAHundredRooms) {
  Login("u1/a", {.rooms = Rooms(limits::kMaxRoomsPerSession)});
  EXPECT_THAT(Session("u1/a").rooms, SizeIs(limits::kMaxRoomsPerSession));
  At(20);
  EXPECT_EQ(Join("u1/a", "one too many").refusal, Refusal::kTooManyRooms);
  EXPECT_EQ(In("one too many").users, 0);
  // Nothing of the signal was applied.
  EXPECT_EQ(StateOf("u1"), State::kIdle);
  // One that it leaves makes place for another, one that it is in needs none.
  EXPECT_TRUE(
      ChangeRooms("u1/a", SignalKind::kActive, {"another", "room2"}, {"room1"})
          .ok());
  EXPECT_EQ(In("another").users, 1);
  EXPECT_EQ(StateOf("u1"), State::kActive);
}

TEST_F(RoomTest, ASignalThatIsNotCurrentJoinsNothing) {
  Login("u1/a");
  Leave("u1/a");
  EXPECT_EQ(Join("u1/a", "r1").refusal, Refusal::kSessionNotOpen);
  EXPECT_EQ(In("r1").users, 0);
}

TEST_F(RoomTest, RoomsAreJoinedAtOnceAlsoBySignalsThatAreMerged) {
  Login("u1/a");
  for (int i = 0; i < 3 * limits::kSignalBurst; ++i) {
    Join("u1/a", absl::StrCat("r", i));
  }
  EXPECT_EQ(In(absl::StrCat("r", 3 * limits::kSignalBurst - 1)).users, 1);
  EXPECT_THAT(Session("u1/a").rooms, SizeIs(3 * limits::kSignalBurst));
}

TEST_F(RoomTest, TheSessionThatGivesWayLeavesItsRooms) {
  PresenceEngine::Options options;
  options.max_sessions_per_user = 1;
  Begin(options);
  Login("u1/a", {.rooms = {{"r1"}}});
  CloseStream("u1/a");
  Login("u1/b", {.rooms = {{"r2"}}});
  EXPECT_EQ(In("r1").users, 0);
  EXPECT_EQ(In("r2").users, 1);
}

TEST_F(RoomTest, OccupancyKnowsItsPeakAndItsMean) {
  Login("u1/a", {.rooms = {{"r1"}}});
  Login("u2/a", {.rooms = {{"r1"}}});
  At(30);
  Leave("u2/a");
  At(60);
  const Occupancy now = In("r1");
  EXPECT_EQ(now.users, 1);
  EXPECT_EQ(now.lately[0].peak, 2);
  EXPECT_NEAR(now.lately[0].mean, 1.5, 1e-6);
  EXPECT_NEAR(now.lately[1].mean, 0.3, 1e-6);
  EXPECT_NEAR(now.lately[2].mean, 0.1, 1e-6);
}

TEST_F(RoomTest, AnEmptiedRoomIsForgottenAfterAQuarterOfAnHour) {
  Login("u1/a", {.rooms = {{"r1"}}});
  Leave("u1/a");
  Login("u2/a", {.rooms = {{"r2"}}});
  EXPECT_EQ(engine().rooms(), 2u);
  At(100);
  const Revision before = In("r1").revision;
  EXPECT_EQ(In("r1").lately[2].peak, 1);
  At(890);
  EXPECT_EQ(engine().rooms(), 2u);
  // u2 expired at 240.
  At(901);
  EXPECT_EQ(engine().rooms(), 1u);
  At(1'800);
  EXPECT_EQ(engine().rooms(), 0u);
  EXPECT_GE(In("r1").revision, before);
  Login("u3/a", {.rooms = {{"r1"}}});
  EXPECT_GT(In("r1").revision, before);
  EXPECT_EQ(In("r1").lately[2].peak, 1);
}

TEST_F(RoomTest, ARoomThatIsUsedAgainIsNotForgotten) {
  Login("u1/a", {.rooms = {{"r1"}}});
  Leave("u1/a");
  At(890);
  Login("u1/a", {.rooms = {{"r1"}}});
  At(1'000);
  EXPECT_EQ(In("r1").users, 1);
  Leave("u1/a");
  At(1'850);
  EXPECT_EQ(In("r1").lately[2].peak, 1);
  EXPECT_EQ(engine().rooms(), 1u);
  At(2'810);
  EXPECT_EQ(engine().rooms(), 0u);
}

TEST_F(RoomTest, OfEmptiedRoomsOnlySoManyAreKept) {
  Login("u1/a");
  for (std::size_t i = 0; i < limits::kMaxEmptiedRooms + 1; ++i) {
    Open("u1/a", {.rooms = {{absl::StrCat("r", i)}}});
  }
  EXPECT_EQ(engine().rooms(), limits::kMaxEmptiedRooms + 1);
  At(0.1);
  EXPECT_EQ(engine().rooms(), limits::kMaxEmptiedRooms + 1);
  Open("u1/a", {.rooms = {std::vector<std::string>()}});
  At(0.3);
  EXPECT_EQ(engine().rooms(), limits::kMaxEmptiedRooms);
  EXPECT_EQ(In("r0").lately[0].peak, 0);
  EXPECT_EQ(In("r1").lately[0].peak, 1);
}

TEST_F(RoomTest, ExplainedIsByWhichSessionsAUserIsThereAndUntilWhen) {
  Login("u1/tab", {.rooms = {{"r1"}}});
  At(5);
  Open("u1/phone", {.with = SignalKind::kBackground, .rooms = {{"r1"}}});
  Login("u1/elsewhere");
  RoomExplanation there = Explained("u1", "r1");
  EXPECT_EQ(there.state, State::kActive);
  EXPECT_EQ(OnTheWall(there.since), 0);
  EXPECT_EQ(there.cause, Cause::kSignal);
  EXPECT_THAT(there.sessions, ElementsAre("tab", "phone"));
  EXPECT_EQ(there.next_change->state, State::kIdle);
  EXPECT_EQ(OnTheWall(there.next_change->at), 15);
  EXPECT_EQ(OnTheWall(there.ends_at), 245);
  At(10);
  LeaveRoom("u1/tab", "r1");
  there = Explained("u1", "r1");
  EXPECT_EQ(there.state, State::kAway);
  EXPECT_EQ(OnTheWall(there.since), 10);
  EXPECT_EQ(there.cause, Cause::kLeave);
  EXPECT_THAT(there.sessions, ElementsAre("phone"));
  EXPECT_EQ(there.next_change->state, State::kStale);
  EXPECT_EQ(OnTheWall(there.next_change->at), 185);
  EXPECT_EQ(OnTheWall(there.ends_at), 245);
  At(20);
  Leave("u1/phone", seconds(5));
  there = Explained("u1", "r1");
  EXPECT_EQ(there.next_change->state, State::kOffline);
  EXPECT_EQ(OnTheWall(there.next_change->at), 25);
  EXPECT_EQ(OnTheWall(there.ends_at), 25);
  At(26);
  for (const auto& [user, room] :
       {std::pair("u1", "r1"), {"u1", "r2"}, {"nobody", "r1"}}) {
    there = Explained(user, room);
    EXPECT_EQ(there.room, room);
    EXPECT_EQ(there.state, State::kOffline);
    EXPECT_THAT(there.sessions, IsEmpty());
    EXPECT_FALSE(there.since.has_value());
    EXPECT_FALSE(there.next_change.has_value());
    EXPECT_FALSE(there.ends_at.has_value());
  }
  EXPECT_FALSE(engine().Explain("u1", now()).room.has_value());
}

// Case C3: it is not the old stream's end that decides.
TEST_F(RoomTest, ALateCloseOfTheOldStreamLeavesNoRoom) {
  const Client first = Login("u1/s1", {.rooms = {{"r1"}}});
  At(10);
  Login("u1/s1");
  At(25.1);
  CloseStreamOf(first);
  EXPECT_EQ(UsersIn("r1", State::kIdle), 1);
  EXPECT_TRUE(Session("u1/s1").connected);
}

}  // namespace
}  // namespace lifesign
