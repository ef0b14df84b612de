// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 11: guests who turn out to be users.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/limits.h"
#include "tests/testing/presence_story.h"

namespace lifesign {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class GuestTest : public PresenceStory {
 protected:
  void ExpectStory(const std::string& user,
                   const std::vector<std::string>& told) {
    EXPECT_THAT(EventsOf(user), ElementsAreArray(Tells(told))) << user;
  }
};

TEST_F(GuestTest, TheUsersChangeComesFirstAndTheGuestsSaysWhoTheyAre) {
  Login("g1/s1", {.rooms = {{"r1"}}});
  At(10);
  const Client client = Open("u1/s1", {.guest = "g1"});
  EXPECT_TRUE(client.opened.ok());
  EXPECT_TRUE(client.opened.resumed);
  EXPECT_EQ(client.opened.state, State::kActive);
  ExpectStory("u1", {"OFFLINE→ACTIVE SIGNAL @10"});
  ExpectStory("g1", {"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→OFFLINE LEAVE @10"});
  const PresenceRecord& guest = EventsOf("g1").back().change.after;
  ASSERT_NE(guest.merged_into, nullptr);
  EXPECT_EQ(*guest.merged_into, "u1");
  EXPECT_EQ(SessionsOf("g1"), 0u);
  EXPECT_EQ(In("r1").users, 1);
  EXPECT_EQ(In("r1").sessions, 1);
}

// Whichever shards they fall into.
TEST_F(GuestTest, InOneRoundTheUsersChangeIsToldBeforeTheGuests) {
  for (int i = 0; i < 40; ++i) {
    const std::string guest = absl::StrCat("g", i);
    const std::string user = absl::StrCat("u", i);
    Login(guest + "/s1");
    const auto both = std::make_shared<Watch>(std::weak_ptr<WatchListener>());
    engine().CopyAndRegister(both, std::vector<std::string>{guest, user},
                             now());
    both->Take(10);
    Open(user + "/s1", {.guest = guest});
    const Mail mail = both->Take(10).mail;
    ASSERT_THAT(mail, SizeIs(2));
    EXPECT_EQ(mail[0]->change.after.user, user);
    EXPECT_EQ(mail[1]->change.after.user, guest);
  }
}

TEST_F(GuestTest, WhatTheGuestDidIsTheUsers) {
  const Metadata metadata = {{"page", "cart"}};
  Login("g1/s1", {.device = DeviceClass::kMobile,
                  .metadata = &metadata,
                  .rooms = {{"r1", "r2"}}});
  At(5);
  Send("g1/s1", SignalKind::kBackground);
  At(30);
  Open("u1/s1", {.guest = "g1"});
  const SessionView session = Session("u1/s1");
  EXPECT_EQ(session.device, DeviceClass::kMobile);
  EXPECT_EQ(session.state, State::kAway);
  EXPECT_EQ(session.metadata, metadata);
  EXPECT_EQ(OnTheWall(session.last_active), 0);
  EXPECT_EQ(session.lifecycle, Lifecycle::kBackground);
  EXPECT_THAT(session.rooms, ElementsAre("r1", "r2"));
  ExpectStory("u1", {"OFFLINE→AWAY SIGNAL @30"});
  // The window goes on from what the guest did.
  Active("u1/s1");
  At(45.1);
  EXPECT_EQ(StateOf("u1"), State::kIdle);
}

TEST_F(GuestTest, WhatIsGivenReplacesWhatTheGuestHad) {
  const Metadata metadata = {{"page", "cart"}};
  Login("g1/s1", {.metadata = &metadata, .rooms = {{"r1", "r2"}}});
  const Metadata none;
  Open("u1/s1", {.with = SignalKind::kActive,
                 .device = DeviceClass::kTv,
                 .metadata = &none,
                 .rooms = {{"r2", "r3"}},
                 .guest = "g1"});
  EXPECT_THAT(Session("u1/s1").metadata, IsEmpty());
  EXPECT_EQ(Session("u1/s1").device, DeviceClass::kTv);
  EXPECT_EQ(In("r1").users, 0);
  EXPECT_EQ(In("r2").users, 1);
  EXPECT_EQ(In("r3").users, 1);
}

TEST_F(GuestTest, AGuestWithOtherSessionsIsThereUntilTheLastHasGoneOver) {
  Login("g1/s1", {.rooms = {{"r1"}}});
  Login("g1/s2", {.rooms = {{"r1"}}});
  Open("u1/s1", {.guest = "g1"});
  EXPECT_EQ(In("r1").users, 2);
  EXPECT_EQ(In("r1").sessions, 2);
  EXPECT_EQ(StateOf("g1"), State::kActive);
  EXPECT_EQ(User("g1").record.merged_into, nullptr);
  At(1);
  Open("u1/s2", {.guest = "g1"});
  EXPECT_EQ(In("r1").users, 1);
  EXPECT_EQ(In("r1").sessions, 2);
  ExpectStory("g1", {"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→OFFLINE LEAVE @1"});
  EXPECT_EQ(*User("g1").record.merged_into, "u1");
}

TEST_F(GuestTest, ARoomTellsOfNoMergeWhenAGuestsOtherSessionLeaves) {
  Login("g1/s1", {.rooms = {{"r1"}}});
  Login("g1/s2", {.rooms = {{"r1"}}});
  Open("u1/s1", {.guest = "g1"});
  EXPECT_EQ(In("r1").users, 2);
  const auto watch = std::make_shared<Watch>(
      std::weak_ptr<WatchListener>(), WatchTerms{.detail = Detail::kDevices});
  std::vector<PresenceRecord> records;
  Revision before = 0;
  ASSERT_EQ(
      engine().CopyRoomAndRegister(watch, "r1", 0, now(), records, before),
      Room::Copied::kCopied);
  EXPECT_THAT(records, SizeIs(2));
  At(5);
  Leave("g1/s2");
  EXPECT_EQ(In("r1").users, 1);
  records.clear();
  Revision leads_to = 0;
  ASSERT_EQ(engine().CopyRoomAndRegister(watch, "r1", before, now(), records,
                                         leads_to),
            Room::Copied::kCopied);
  ASSERT_THAT(records, SizeIs(1));
  EXPECT_EQ(records[0].user, "g1");
  EXPECT_EQ(records[0].state, State::kOffline);
  EXPECT_EQ(records[0].merged_into, nullptr);
}

TEST_F(GuestTest, AGuestWhoComesBackIsSomebodyAgain) {
  Login("g1/s1");
  Open("u1/s1", {.guest = "g1"});
  Login("g1/s1");
  EXPECT_EQ(User("g1").record.merged_into, nullptr);
  At(5);
  Leave("g1/s1");
  EXPECT_EQ(EventsOf("g1").back().change.after.merged_into, nullptr);
}

TEST_F(GuestTest, WithoutSuchASessionNothingComesWithIt) {
  Login("g1/other", {.rooms = {{"r1"}}});
  const Client client = Open("u1/s1", {.guest = "g1"});
  EXPECT_TRUE(client.opened.ok());
  EXPECT_FALSE(client.opened.resumed);
  EXPECT_EQ(client.opened.state, State::kIdle);
  EXPECT_THAT(Session("u1/s1").rooms, IsEmpty());
  EXPECT_EQ(StateOf("g1"), State::kActive);
  EXPECT_EQ(In("r1").users, 1);
  EXPECT_TRUE(Open("u2/s1", {.guest = "nobody"}).opened.ok());
}

TEST_F(GuestTest, AnOpenThatIsRefusedLeavesTheGuestAsTheyWere) {
  PresenceEngine::Options options;
  options.max_sessions_per_user = 1;
  Begin(options);
  Login("u1/a");
  Login("g1/s1", {.rooms = {{"r1"}}});
  EXPECT_EQ(Open("u1/s1", {.guest = "g1"}).opened.refusal,
            Refusal::kTooManySessions);
  EXPECT_EQ(SessionsOf("g1"), 1u);
  EXPECT_EQ(In("r1").users, 1);
  EXPECT_TRUE(Active("g1/s1").ok());
  Leave("u1/a");
  EXPECT_TRUE(Open("u1/s1", {.guest = "g1"}).opened.resumed);
}

TEST_F(GuestTest, TogetherTheyAreInAHundredRoomsAtMost) {
  std::vector<std::string> rooms;
  for (int i = 0; i < limits::kMaxRoomsPerSession; ++i) {
    rooms.push_back(absl::StrCat("r", i));
  }
  Login("g1/s1", {.rooms = rooms});
  Login("u1/s1", {.rooms = {{"r0"}}});
  Open("u1/s1", {.guest = "g1"});
  EXPECT_THAT(Session("u1/s1").rooms, SizeIs(limits::kMaxRoomsPerSession));
  Login("g2/s2", {.rooms = rooms});
  Login("u2/s2", {.rooms = {{"another"}}});
  EXPECT_EQ(Open("u2/s2", {.guest = "g2"}).opened.refusal,
            Refusal::kTooManyRooms);
  EXPECT_EQ(SessionsOf("g2"), 1u);
}

TEST_F(GuestTest, NobodySpeaksForAGuestsSessionThatHasGoneOver) {
  const Client guest = Login("g1/s1");
  Open("u1/s1", {.guest = "g1"});
  EXPECT_EQ(SendBy(guest, SignalKind::kActive).refusal,
            Refusal::kSessionNotOpen);
  EXPECT_FALSE(Open("u2/s1", {.guest = "g1"}).opened.resumed);
}

}  // namespace
}  // namespace lifesign
