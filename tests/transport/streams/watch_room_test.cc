// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// concepts.md § 11: watches of rooms, by their logic alone.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "tests/transport/streams/stream_watcher.h"
#include "tests/transport/streams/stream_world.h"

namespace lifesign::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Lt;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

v1::WatchPresenceRequest WatchOfRoom(const std::string& room,
                                     v1::RoomView view) {
  v1::WatchPresenceRequest request;
  request.mutable_room()->set_room_id(room);
  request.mutable_room()->set_view(view);
  return request;
}

v1::WatchPresenceRequest WatchOfMembers(const std::string& room = "r1") {
  return WatchOfRoom(room, v1::ROOM_VIEW_MEMBERS);
}

v1::WatchPresenceRequest WatchOfOccupancy(const std::string& room = "r1") {
  return WatchOfRoom(room, v1::ROOM_VIEW_OCCUPANCY);
}

std::vector<std::string> UsersOf(
    const google::protobuf::RepeatedPtrField<v1::PresenceRecord>& records) {
  std::vector<std::string> users;
  for (const auto& record : records) users.push_back(record.user_id());
  return users;
}

class RoomWorld : public ::testing::Test {
 protected:
  // A session of its own, `user`/`room`.
  void Enter(const std::string& user, const std::string& room = "r1",
             const std::string& guest = "") {
    const std::vector<absl::string_view> rooms = {room};
    OpenRequest request;
    request.name = {user, room};
    request.rooms = &rooms;
    request.signal = Signal{};
    request.guest = guest;
    const OpenOutcome outcome = world_.engine().Open(request, world_.now());
    EXPECT_TRUE(outcome.ok());
    attachments_[absl::StrCat(user, "/", room)] = outcome.ref.attachment;
  }
  void Leave(const std::string& user, const std::string& room = "r1") {
    world_.Leave(user, room, attachments_[absl::StrCat(user, "/", room)]);
  }
  void Crowd(int count) {
    for (int i = 0; i < count; ++i) Enter(absl::StrCat("crowd", i));
    world_.Publish();
  }
  void Publish() { world_.Publish(); }

  StreamWorld world_{StreamLimits{}};
  std::map<std::string, Attachment> attachments_;
};

class WatchMembersTest : public RoomWorld {};

TEST_F(WatchMembersTest, TheSnapshotListsWhoIsThereAndThenEveryChange) {
  Enter("u1");
  Enter("u2");
  Enter("u3", "r2");
  Publish();
  Watcher watcher(world_, WatchOfMembers());
  EXPECT_THAT(UsersOf(watcher.last().snapshot()),
              UnorderedElementsAre("u1", "u2"));
  EXPECT_TRUE(watcher.last().has_synced());
  watcher.call().TakeWrites();
  Enter("u4");
  Leave("u3", "r2");
  Publish();
  EXPECT_THAT(StatesOf(watcher.last()), ElementsAre("u4 ACTIVE"));
  watcher.call().TakeWrites();
  Leave("u1");
  Publish();
  EXPECT_THAT(StatesOf(watcher.last()), ElementsAre("u1 OFFLINE"));
  EXPECT_EQ(watcher.last().changes(0).cause(), v1::CAUSE_LEAVE);
  watcher.call().TakeWrites();
  world_.Advance(milliseconds(15'100));
  watcher.call().TakeWrites();
  EXPECT_EQ(watcher.last().changes(0).cause(), v1::CAUSE_DECAY);
}

TEST_F(WatchMembersTest, OfAnEmptyRoomAWatchSaysNothingUntilSomebodyComes) {
  Watcher watcher(world_, WatchOfMembers());
  EXPECT_THAT(watcher.last().snapshot(), IsEmpty());
  EXPECT_TRUE(watcher.last().has_synced());
  watcher.call().TakeWrites();
  Enter("u1");
  Publish();
  EXPECT_THAT(StatesOf(watcher.last()), ElementsAre("u1 ACTIVE"));
}

TEST_F(WatchMembersTest, WhatHappensOutsideTheRoomIsNotTold) {
  Enter("u1");
  Publish();
  Watcher watcher(world_, WatchOfMembers());
  watcher.call().TakeWrites();
  watcher.call().Clear();
  world_.Advance(milliseconds(15'100));
  watcher.call().TakeWrites();
  watcher.call().Clear();
  // u1 is ACTIVE again, but not by a session of the room.
  world_.Login("u1", "elsewhere");
  Publish();
  EXPECT_THAT(watcher.call().responses(), IsEmpty());
}

TEST_F(WatchMembersTest, StatesOfInterestAreThoseInTheRoom) {
  Enter("u1");
  Publish();
  world_.Advance(milliseconds(15'100));
  Enter("u2");
  Publish();
  auto request = WatchOfMembers();
  request.add_states(v1::PRESENCE_STATE_ACTIVE);
  Watcher watcher(world_, request);
  EXPECT_THAT(UsersOf(watcher.last().snapshot()), ElementsAre("u2"));
  watcher.call().TakeWrites();
  watcher.call().Clear();
  Leave("u1");
  Publish();
  EXPECT_THAT(watcher.call().responses(), IsEmpty());
  Leave("u2");
  Publish();
  EXPECT_THAT(StatesOf(watcher.last()), ElementsAre("u2 OFFLINE"));
}

TEST_F(WatchMembersTest, AResumedWatchIsToldWhoChangedThoseWhoLeftIncluded) {
  Enter("u1");
  Enter("u2");
  Enter("u3");
  Publish();
  std::string token;
  {
    Watcher watcher(world_, WatchOfMembers());
    token = watcher.last().resume_token();
  }
  Leave("u2");
  Enter("u4");
  Publish();
  Watcher back(world_, Resumed(WatchOfMembers(), token));
  EXPECT_FALSE(back.last().has_resync());
  EXPECT_THAT(back.last().snapshot(), IsEmpty());
  EXPECT_THAT(StatesOf(back.last()),
              UnorderedElementsAre("u2 OFFLINE", "u4 ACTIVE"));
  EXPECT_TRUE(back.last().has_synced());
}

TEST_F(WatchMembersTest, WhoLeftLongAgoIsForgottenAndThatIsAResync) {
  Enter("u1", "r1");
  Enter("u2");
  Publish();
  const std::string token =
      Watcher(world_, WatchOfMembers()).last().resume_token();
  Leave("u2");
  Publish();
  const auto keep_alive = [&](int seconds_long) {
    for (int i = 0; i < seconds_long; i += 10) {
      world_.Advance(seconds(10));
      EXPECT_TRUE(world_.engine()
                      .ApplyUnary({"u1", "r1"}, attachments_["u1/r1"], Signal{},
                                  world_.now())
                      .ok());
    }
    Publish();
  };
  keep_alive(290);
  EXPECT_FALSE(
      Watcher(world_, Resumed(WatchOfMembers(), token)).last().has_resync());
  keep_alive(20);
  Watcher back(world_, Resumed(WatchOfMembers(), token));
  EXPECT_EQ(back.last().resync().reason(), v1::RESYNC_REASON_COMPACTED);
  EXPECT_THAT(UsersOf(back.last().snapshot()), ElementsAre("u1"));
}

TEST_F(WatchMembersTest, ARoomThatWasEmptiedSinceIsAResync) {
  Enter("u1");
  Publish();
  const std::string token =
      Watcher(world_, WatchOfMembers()).last().resume_token();
  Leave("u1");
  Publish();
  Enter("u2");
  Publish();
  Watcher back(world_, Resumed(WatchOfMembers(), token));
  EXPECT_EQ(back.last().resync().reason(), v1::RESYNC_REASON_COMPACTED);
  EXPECT_THAT(UsersOf(back.last().snapshot()), ElementsAre("u2"));
}

TEST_F(WatchMembersTest, TooManyChangesAreASnapshotInstead) {
  Enter("u1");
  Publish();
  const std::string token =
      Watcher(world_, WatchOfMembers()).last().resume_token();
  for (int i = 0; i <= limits::kMaxWatchedMembers; ++i) {
    Enter(absl::StrCat("guest", i));
    Leave(absl::StrCat("guest", i));
  }
  Publish();
  Watcher back(world_, Resumed(WatchOfMembers(), token));
  EXPECT_TRUE(back.last().has_resync());
  EXPECT_THAT(UsersOf(back.last().snapshot()), ElementsAre("u1"));
}

TEST_F(WatchMembersTest, ATokenIsOfItsRoomAndItsView) {
  Enter("u1");
  Publish();
  const std::string token =
      Watcher(world_, WatchOfMembers()).last().resume_token();
  for (const auto& other : {WatchOfMembers("r2"), WatchOfOccupancy()}) {
    Watcher back(world_, Resumed(other, token));
    EXPECT_EQ(back.last().resync().reason(), v1::RESYNC_REASON_OTHER_SELECTOR);
  }
  ResumeToken ahead = *DecodeResumeToken(token);
  ahead.revision += 1'000'000'000;
  Watcher back(world_, Resumed(WatchOfMembers(), EncodeResumeToken(ahead)));
  EXPECT_EQ(back.last().resync().reason(), v1::RESYNC_REASON_AHEAD);
}

// SYNCED says that who was not told is gone. It waits for a round of the
// publisher that began after reconvergence: until then somebody may have come
// back whom the room does not know yet.
TEST_F(WatchMembersTest, WhoComesBackLastIsToldBeforeTheEndOfReconvergence) {
  const ResumeToken earlier{world_.engine().epoch() - 1,
                            HashTenant(kDefaultTenant), 0, 1};
  const std::string token = EncodeResumeToken(earlier);
  Watcher watcher(world_, Resumed(WatchOfMembers(), token));
  EXPECT_EQ(watcher.last().resync().reason(), v1::RESYNC_REASON_OTHER_EPOCH);
  watcher.call().TakeWrites();
  world_.Advance(Policy().Reconvergence() - limits::kDefaultTick);
  watcher.call().TakeWrites();
  Enter("u1");
  world_.MoveClock(limits::kDefaultTick);
  ASSERT_FALSE(world_.engine().ReconvergingUntil(world_.now()).has_value());
  watcher.stream()->OnDeadline(world_.now());
  EXPECT_FALSE(watcher.last().has_synced());
  // Nor is one told it who asks only now.
  Watcher late(world_, Resumed(WatchOfMembers(), token));
  late.call().TakeWrites();
  EXPECT_FALSE(late.last().has_synced());
  world_.Advance(limits::kDefaultTick);
  for (Watcher* one : {&watcher, &late}) {
    one->call().TakeWrites();
    std::vector<std::string> told;
    for (const auto& response : one->call().responses()) {
      for (std::string& state : StatesOf(response)) told.push_back(state);
    }
    EXPECT_THAT(told, ElementsAre("u1 ACTIVE"));
    EXPECT_TRUE(one->last().has_synced());
    // And not again.
    one->call().Clear();
  }
  Publish();
  EXPECT_THAT(watcher.call().responses(), IsEmpty());
  EXPECT_THAT(late.call().responses(), IsEmpty());
}

// Case C7: who is there already is no newcomer.
TEST_F(WatchMembersTest, AThousandUsersAreWatchedAndOneMoreEndsIt) {
  Crowd(limits::kMaxWatchedMembers);
  Watcher watcher(world_, WatchOfMembers());
  EXPECT_THAT(watcher.last().snapshot(), SizeIs(limits::kMaxWatchedMembers));
  EXPECT_TRUE(watcher.last().has_synced());
  watcher.call().TakeWrites();
  Enter("crowd7");
  Publish();
  EXPECT_FALSE(watcher.call().finished());
  Leave("crowd8");
  Enter("one more");
  Publish();
  watcher.call().TakeWrites();
  EXPECT_FALSE(watcher.call().finished());
  const std::string token = watcher.last().resume_token();
  Enter("one too many");
  Publish();
  watcher.call().TakeWrites();
  ASSERT_TRUE(watcher.call().finished());
  EXPECT_EQ(watcher.call().status().error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(ReasonOf(watcher.call().status()), "ROOM_TOO_LARGE");
  {
    Watcher refused(world_, WatchOfMembers());
    ASSERT_TRUE(refused.call().finished());
    EXPECT_EQ(ReasonOf(refused.call().status()), "ROOM_TOO_LARGE");
    EXPECT_THAT(refused.call().responses(), IsEmpty());
  }
  Leave("crowd0");
  Publish();
  Watcher again(world_, WatchOfMembers());
  EXPECT_THAT(again.last().snapshot(), SizeIs(limits::kMaxWatchedMembers));
}

// What it was not told, its token does not claim.
TEST_F(WatchMembersTest, AWatchThatIsEndedGoesOnFromWhatItWasTold) {
  Crowd(limits::kMaxWatchedMembers);
  Watcher watcher(world_, WatchOfMembers());
  Enter("one too many");
  Publish();
  watcher.call().TakeWrites();
  ASSERT_TRUE(watcher.call().finished());
  const auto info =
      DetailOf<google::rpc::ErrorInfo>(RpcStatusOf(watcher.call().status()));
  ASSERT_TRUE(info.has_value());
  std::string token;
  ASSERT_TRUE(
      absl::Base64Unescape(info->metadata().at("resume_token"), &token));
  Leave("crowd0");
  Publish();
  Watcher back(world_, Resumed(WatchOfMembers(), token));
  EXPECT_THAT(StatesOf(back.last()),
              UnorderedElementsAre("crowd0 OFFLINE", "one too many ACTIVE"));
}

TEST_F(WatchMembersTest, ASlowWatcherCatchesUpFromTheRoomsLog) {
  StreamLimits limits;
  limits.max_mailbox_bytes = 16u << 10;
  StreamWorld world(limits);
  const auto enter = [&world](const std::string& user, SignalKind kind) {
    const std::vector<absl::string_view> rooms = {"r1"};
    OpenRequest request;
    request.name = {user, "s"};
    request.rooms = &rooms;
    request.signal = Signal{};
    request.signal->kind = kind;
    world.engine().Open(request, world.now());
  };
  Watcher watcher(world, WatchOfMembers());
  watcher.call().TakeWrites();
  enter("u0", SignalKind::kActive);
  world.Publish();
  ASSERT_TRUE(watcher.call().writing());
  // It takes nothing meanwhile.
  std::map<std::string, v1::PresenceState> expected;
  for (int i = 0; i < 500; ++i) {
    const std::string user = absl::StrCat("u", i);
    enter(user, SignalKind::kActive);
    expected[user] = v1::PRESENCE_STATE_ACTIVE;
  }
  world.Publish();
  watcher.call().Clear();
  watcher.call().TakeWrites();
  std::map<std::string, v1::PresenceState> held = {
      {"u0", v1::PRESENCE_STATE_ACTIVE}};
  for (const auto& response : watcher.call().responses()) {
    for (const auto& record : response.changes()) {
      held[record.user_id()] = record.state();
    }
    EXPECT_FALSE(response.has_resync());
  }
  EXPECT_EQ(held, expected);
}

TEST_F(WatchMembersTest, ARoomThatIsWatchedNoLongerIsForgotten) {
  {
    Watcher watcher(world_, WatchOfMembers());
    Watcher other(world_, WatchOfOccupancy("r2"));
    EXPECT_EQ(world_.engine().rooms(), 2u);
  }
  world_.Advance(milliseconds(200));
  EXPECT_EQ(world_.engine().rooms(), 0u);
}

class WatchOccupancyTest : public RoomWorld {};

TEST_F(WatchOccupancyTest, ItComesWithSyncedAndWithEachChange) {
  Enter("u1");
  Publish();
  Watcher watcher(world_, WatchOfOccupancy());
  EXPECT_TRUE(watcher.last().has_synced());
  EXPECT_EQ(watcher.last().occupancy().room_id(), "r1");
  EXPECT_EQ(watcher.last().occupancy().users(), 1);
  EXPECT_THAT(watcher.last().snapshot(), IsEmpty());
  const std::string token = watcher.last().resume_token();
  watcher.call().TakeWrites();
  world_.Advance(seconds(1));
  Enter("u2");
  Publish();
  EXPECT_EQ(watcher.last().occupancy().users(), 2);
  EXPECT_EQ(watcher.last().occupancy().sessions(), 2);
  EXPECT_GT(watcher.last().occupancy().revision(),
            TokenOf(watcher.call().responses().front()).revision);
  watcher.call().TakeWrites();
  Watcher back(world_, Resumed(WatchOfOccupancy(), token));
  EXPECT_FALSE(back.last().has_resync());
  EXPECT_EQ(back.last().occupancy().users(), 2);
}

// Case C29: the last word is the true one, and what comes before it only falls.
TEST_F(WatchOccupancyTest, WhoLeaveOneByOneAreSeenToBecomeFewer) {
  for (int i = 1; i <= 6; ++i) Enter(absl::StrCat("u", i));
  Publish();
  Watcher watcher(world_, WatchOfOccupancy());
  watcher.call().TakeWrites();
  world_.Advance(seconds(1));
  for (int i = 1; i <= 6; ++i) {
    Leave(absl::StrCat("u", i));
    Publish();
    watcher.call().TakeWrites();
    world_.Advance(milliseconds(10));
  }
  world_.Advance(milliseconds(200));
  watcher.call().TakeWrites();
  int before = 6;
  std::uint64_t revision = 0;
  for (const auto& response : watcher.call().responses()) {
    if (!response.has_occupancy()) continue;
    EXPECT_LE(response.occupancy().users(), before);
    EXPECT_GE(response.occupancy().revision(), revision);
    before = response.occupancy().users();
    revision = response.occupancy().revision();
  }
  EXPECT_EQ(before, 0);
}

TEST_F(WatchOccupancyTest, HoweverFastACrowdComesItIsToldTenTimesASecond) {
  Watcher watcher(world_, WatchOfOccupancy());
  watcher.call().TakeWrites();
  watcher.call().Clear();
  int entered = 0;
  for (int step = 0; step < 1'000; ++step) {
    Enter(absl::StrCat("u", entered++));
    Publish();
    watcher.call().TakeWrites();
    world_.Advance(milliseconds(1));
    watcher.call().TakeWrites();
  }
  world_.Advance(milliseconds(200));
  watcher.call().TakeWrites();
  EXPECT_THAT(watcher.call().responses(), SizeIs(Lt(14u)));
  EXPECT_EQ(watcher.last().occupancy().users(), 1'000);
  EXPECT_EQ(watcher.last().occupancy().windows(0).peak_users(), 1'000);
}

TEST_F(WatchOccupancyTest, OfASlowWatcherOnlyTheNewestWaits) {
  Watcher watcher(world_, WatchOfOccupancy());
  watcher.call().Clear();
  for (int i = 0; i < 50; ++i) {
    Enter(absl::StrCat("u", i));
    Publish();
    world_.Advance(milliseconds(150));
  }
  EXPECT_THAT(watcher.call().responses(), IsEmpty());
  watcher.call().TakeWrites();
  ASSERT_THAT(watcher.call().responses(), SizeIs(1));
  EXPECT_EQ(watcher.last().occupancy().users(), 50);
}

TEST_F(WatchOccupancyTest, AnyNumberOfUsersIsCounted) {
  Crowd(limits::kMaxWatchedMembers + 1);
  Watcher watcher(world_, WatchOfOccupancy());
  EXPECT_EQ(watcher.last().occupancy().users(), limits::kMaxWatchedMembers + 1);
}

class WatchIntentsTest : public RoomWorld {
 protected:
  void Want(const std::string& user, const std::string& target,
            Duration expires_in = seconds(60)) {
    const IntentDeclaration intent = {"r1", target, expires_in};
    Declaration declaration;
    declaration.intents = {&intent, 1};
    EXPECT_TRUE(world_.engine()
                    .ApplyUnary({user, "r1"},
                                attachments_[absl::StrCat(user, "/r1")],
                                Signal{}, world_.now(), declaration)
                    .ok());
    Publish();
  }
  static v1::WatchPresenceRequest WatchFor(const std::string& user) {
    auto request = WatchOfRoom("r1", v1::ROOM_VIEW_INTENTS);
    request.mutable_room()->set_user_id(user);
    return request;
  }
  static std::vector<std::string> From(
      const v1::WatchPresenceResponse& response) {
    std::vector<std::string> users;
    for (const auto& intent : response.intents().intents()) {
      users.push_back(intent.user_id());
    }
    return users;
  }
};

TEST_F(WatchIntentsTest, TheTargetIsToldWhileTheyAreThere) {
  Enter("u1");
  Publish();
  Want("u1", "v1");
  Watcher watcher(world_, WatchFor("v1"));
  EXPECT_TRUE(watcher.last().has_synced());
  EXPECT_TRUE(watcher.last().has_intents());
  EXPECT_THAT(From(watcher.last()), IsEmpty());
  watcher.call().TakeWrites();
  watcher.call().Clear();
  // Nobody rings who is not there.
  Enter("u2");
  Publish();
  Want("u2", "v1");
  watcher.call().TakeWrites();
  for (const auto& response : watcher.call().responses()) {
    EXPECT_THAT(From(response), IsEmpty());
  }
  Enter("v1");
  Publish();
  EXPECT_THAT(From(watcher.last()), ElementsAre("u1", "u2"));
  EXPECT_EQ(watcher.last().intents().room_id(), "r1");
  EXPECT_EQ(watcher.last().intents().intents(0).target_user_id(), "v1");
  watcher.call().TakeWrites();
  Want("u1", "v1", Duration(0));
  EXPECT_THAT(From(watcher.last()), ElementsAre("u2"));
  watcher.call().TakeWrites();
  Leave("u2");
  Publish();
  EXPECT_THAT(From(watcher.last()), IsEmpty());
  watcher.call().TakeWrites();
  Want("u1", "v1");
  watcher.call().TakeWrites();
  Leave("v1");
  Publish();
  EXPECT_THAT(From(watcher.last()), IsEmpty());
}

TEST_F(WatchIntentsTest, AnIntentThatRunsOutIsToldToo) {
  Enter("u1");
  Enter("v1");
  Publish();
  Want("u1", "v1", seconds(5));
  Watcher watcher(world_, WatchFor("v1"));
  EXPECT_THAT(From(watcher.last()), ElementsAre("u1"));
  watcher.call().TakeWrites();
  watcher.call().Clear();
  world_.Advance(milliseconds(4'900));
  EXPECT_THAT(watcher.call().responses(), IsEmpty());
  world_.Advance(milliseconds(200));
  ASSERT_THAT(watcher.call().responses(), SizeIs(1));
  EXPECT_THAT(From(watcher.last()), IsEmpty());
}

// Case C67.
class GuestsInARoomTest : public RoomWorld {};

TEST_F(GuestsInARoomTest, TheRoomIsToldOneReplacementUserFirst) {
  Enter("g1");
  Publish();
  Watcher members(world_, WatchOfMembers());
  members.call().TakeWrites();
  Watcher occupancy(world_, WatchOfOccupancy());
  occupancy.call().TakeWrites();
  members.call().Clear();
  occupancy.call().Clear();
  world_.Advance(seconds(10));
  Enter("u1", "r1", "g1");
  Publish();
  EXPECT_THAT(StatesOf(members.last()), ElementsAre("u1 ACTIVE", "g1 OFFLINE"));
  EXPECT_EQ(members.last().changes(1).cause(), v1::CAUSE_LEAVE);
  EXPECT_EQ(members.last().changes(1).merged_into(), "u1");
  EXPECT_THAT(members.call().responses(), SizeIs(1));
  members.call().TakeWrites();
  occupancy.call().TakeWrites();
  world_.Advance(seconds(1));
  members.call().TakeWrites();
  occupancy.call().TakeWrites();
  EXPECT_THAT(members.call().responses(), SizeIs(1));
  for (const auto& response : occupancy.call().responses()) {
    EXPECT_EQ(response.occupancy().users(), 1);
    EXPECT_EQ(response.occupancy().sessions(), 1);
  }
}

TEST_F(GuestsInARoomTest, WhoIsThereAlreadyTakesTheGuestsSessionOver) {
  Enter("g1");
  Enter("u1", "r2");
  const std::vector<absl::string_view> rooms = {"r1"};
  OpenRequest second;
  second.name = {"u1", "s2"};
  second.rooms = &rooms;
  second.signal = Signal{};
  world_.engine().Open(second, world_.now());
  Publish();
  Watcher occupancy(world_, WatchOfOccupancy());
  EXPECT_EQ(occupancy.last().occupancy().users(), 2);
  EXPECT_EQ(occupancy.last().occupancy().sessions(), 2);
  occupancy.call().TakeWrites();
  occupancy.call().Clear();
  world_.Advance(seconds(1));
  Enter("u1", "r1", "g1");
  Publish();
  occupancy.call().TakeWrites();
  world_.Advance(seconds(1));
  occupancy.call().TakeWrites();
  for (const auto& response : occupancy.call().responses()) {
    EXPECT_EQ(response.occupancy().users(), 1);
    EXPECT_EQ(response.occupancy().sessions(), 2);
  }
  EXPECT_EQ(world_.engine().GetOccupancy("r1", world_.now()).users, 1);
  EXPECT_EQ(world_.engine().GetOccupancy("r1", world_.now()).sessions, 2);
}

}  // namespace
}  // namespace lifesign::testing
