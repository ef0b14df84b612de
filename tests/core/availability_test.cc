// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What users declare about themselves: concepts.md § 13, and § 8 where it says
// what of it is told.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/limits.h"
#include "server/core/availability/availability_table.h"
#include "tests/testing/presence_story.h"

namespace lifesign {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

constexpr AvailabilityDeclaration kAvailable = {AvailabilityKind::kAvailable,
                                                "", absl::nullopt};
constexpr AvailabilityDeclaration kBusy = {AvailabilityKind::kBusy, "",
                                           absl::nullopt};
constexpr AvailabilityDeclaration kDoNotDisturb = {
    AvailabilityKind::kDoNotDisturb, "", absl::nullopt};
constexpr AvailabilityDeclaration kInvisible = {AvailabilityKind::kInvisible,
                                                "", absl::nullopt};

AvailabilityDeclaration For(AvailabilityDeclaration said, Duration length) {
  said.expires_in = length;
  return said;
}

AvailabilityDeclaration Saying(AvailabilityDeclaration said, const char* text) {
  said.text = text;
  return said;
}

class AvailabilityTest : public PresenceStory {
 protected:
  void ExpectStory(const std::vector<std::string>& texts) {
    EXPECT_THAT(EventsOf("u"), ElementsAreArray(Tells(texts)));
  }
  // An ACTIVE that declares something, and changes `rooms`.
  void DeclareWithRooms(const Client& client,
                        const AvailabilityDeclaration& said,
                        const RoomChange& rooms) {
    Declaration declaration;
    declaration.availability = &said;
    declaration.rooms = &rooms;
    EXPECT_TRUE(
        engine()
            .ApplyDeclaring(client.opened.ref, Signal(), declaration, now())
            .ok());
    EventsOf("u");  // publishes
  }
  // What each event told of u's availability.
  std::vector<std::string> Availabilities() {
    std::vector<std::string> told;
    for (const Event& event : EventsOf("u")) {
      told.push_back(Text(event.change.after.availability));
    }
    return told;
  }
};

TEST_F(AvailabilityTest, WhoDeclaredNothingIsAvailableWithoutText) {
  EXPECT_EQ(AvailabilityOf("u"), "AVAILABLE");
  Login("u/a");
  EXPECT_EQ(AvailabilityOf("u"), "AVAILABLE");
}

TEST_F(AvailabilityTest, AnotherOneIsToldOnceWithItsOwnCause) {
  Login("u/a");
  At(1);
  Declare("u/a", Saying(kBusy, "at lunch"));
  At(2);
  Declare("u/a", Saying(kBusy, "at lunch"));
  At(3);
  Declare("u/a", kBusy);
  At(4);
  Declare("u/a", kAvailable);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→ACTIVE AVAILABILITY @1",
               "ACTIVE→ACTIVE AVAILABILITY @3",
               "ACTIVE→ACTIVE AVAILABILITY @4"});
  EXPECT_THAT(Availabilities(),
              ElementsAre("AVAILABLE", "BUSY 'at lunch'", "BUSY", "AVAILABLE"));
}

TEST_F(AvailabilityTest, IsOneStepWithTheSignalThatCarriesIt) {
  Open("u/a");
  At(1);
  Declare("u/a", kBusy);
  ExpectStory({"OFFLINE→IDLE SIGNAL @0", "IDLE→ACTIVE SIGNAL @1"});
  EXPECT_THAT(Availabilities(), ElementsAre("AVAILABLE", "BUSY"));
}

// "In effect only while the user is live; no state change alters it."
TEST_F(AvailabilityTest, ShowsOnlyWhileTheUserIsLive) {
  Login("u/a");
  Declare("u/a", kDoNotDisturb);
  At(20);
  EXPECT_EQ(AvailabilityOf("u"), "DO_NOT_DISTURB");
  Leave("u/a");
  EXPECT_EQ(AvailabilityOf("u"), "AVAILABLE");
  At(30);
  Login("u/a");
  EXPECT_EQ(AvailabilityOf("u"), "DO_NOT_DISTURB");
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→ACTIVE AVAILABILITY @0",
               "ACTIVE→IDLE DECAY @15", "IDLE→OFFLINE LEAVE @20",
               "OFFLINE→ACTIVE SIGNAL @30"});
  EXPECT_THAT(Availabilities(),
              ElementsAre("AVAILABLE", "DO_NOT_DISTURB", "DO_NOT_DISTURB",
                          "AVAILABLE", "DO_NOT_DISTURB"));
}

TEST_F(AvailabilityTest, IsTheUsersAndNotASessions) {
  Login("u/a");
  Login("u/b");
  Declare("u/a", kBusy);
  Leave("u/a");
  EXPECT_EQ(AvailabilityOf("u"), "BUSY");
  Declare("u/b", kDoNotDisturb, SignalKind::kIdle);
  EXPECT_EQ(AvailabilityOf("u"), "DO_NOT_DISTURB");
}

// Read at any instant, told within a tick.
TEST_F(AvailabilityTest, RunsOutToAvailableWithoutTextNotToWhatWasBefore) {
  Login("u/a");
  Declare("u/a", kBusy);
  Declare("u/a", For(Saying(kDoNotDisturb, "focus"), seconds(5)));
  EXPECT_EQ(AvailabilityOf("u"), "DO_NOT_DISTURB 'focus' until 5");
  At(6);
  EXPECT_EQ(AvailabilityOf("u"), "AVAILABLE");
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→ACTIVE AVAILABILITY @0",
               "ACTIVE→ACTIVE AVAILABILITY @0",
               "ACTIVE→ACTIVE AVAILABILITY @5 (a tick)"});
}

TEST_F(AvailabilityTest, AReadAtTheInstantFindsThatItRanOut) {
  Login("u/a");
  Declare("u/a", For(kBusy, seconds(5)));
  JumpTo(4.999);
  EXPECT_EQ(AvailabilityOf("u"), "BUSY until 5");
  JumpTo(5);
  EXPECT_EQ(AvailabilityOf("u"), "AVAILABLE");
}

TEST_F(AvailabilityTest, AnotherExpiryIsAnotherAvailability) {
  Login("u/a");
  Declare("u/a", For(kBusy, seconds(5)));
  At(1);
  Declare("u/a", For(kBusy, seconds(5)));
  At(5.5);
  EXPECT_EQ(AvailabilityOf("u"), "BUSY until 6");
  At(7);
  EXPECT_EQ(AvailabilityOf("u"), "AVAILABLE");
  EXPECT_THAT(Availabilities(), ElementsAre("AVAILABLE", "BUSY until 5",
                                            "BUSY until 6", "AVAILABLE"));
}

// The real clock runs on while the process stands still; the wall's jumps move
// nothing.
TEST_F(AvailabilityTest, RunsDownOnTheRealClockPausesIncluded) {
  Login("u/a");
  Declare("u/a", For(kBusy, seconds(100)));
  JumpWall(7'200);
  At(1);
  EXPECT_NE(AvailabilityOf("u"), "AVAILABLE");
  Freeze(98.5);
  EXPECT_NE(AvailabilityOf("u"), "AVAILABLE");
  Freeze(0.5);
  EXPECT_EQ(AvailabilityOf("u"), "AVAILABLE");
}

TEST_F(AvailabilityTest, TheLongestExpiryDoesNotOverflow) {
  Login("u/a");
  Declare("u/a", For(kBusy, seconds(limits::kMaxDurationSeconds)));
  At(10);
  EXPECT_NE(AvailabilityOf("u"), "AVAILABLE");
}

TEST_F(AvailabilityTest, AvailableWithATextRunsOutToo) {
  Login("u/a");
  Declare("u/a", For(Saying(kAvailable, "on the train"), seconds(5)));
  EXPECT_EQ(AvailabilityOf("u"), "AVAILABLE 'on the train' until 5");
  At(6);
  EXPECT_EQ(AvailabilityOf("u"), "AVAILABLE");
  // Without text there is nothing that could run out.
  Declare("u/a", For(kAvailable, seconds(5)));
  EXPECT_EQ(AvailabilityOf("u"), "AVAILABLE");
}

// "A server that holds none for a user takes the one that Open carries."
TEST_F(AvailabilityTest, TheOpensIsTakenOnlyWhereNothingIsHeld) {
  Login("u/a", {.declaring = kBusy});
  EXPECT_EQ(AvailabilityOf("u"), "BUSY");
  Login("u/b", {.declaring = kDoNotDisturb});
  EXPECT_EQ(AvailabilityOf("u"), "BUSY");
  // That nothing is declared is a word, too.
  Declare("u/a", kAvailable);
  Login("u/b", {.declaring = kDoNotDisturb});
  EXPECT_EQ(AvailabilityOf("u"), "AVAILABLE");
  // And what ran out is not brought back by who slept meanwhile.
  Declare("u/a", For(kBusy, seconds(1)));
  At(2);
  Login("u/b", {.declaring = kBusy});
  EXPECT_EQ(AvailabilityOf("u"), "AVAILABLE");
  Login("u/b", {.declaring = kDoNotDisturb, .in_any_case = true});
  EXPECT_EQ(AvailabilityOf("u"), "DO_NOT_DISTURB");
}

TEST_F(AvailabilityTest, ALoginThatDeclaresIsOneChange) {
  Login("u/a", {.declaring = kBusy});
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0"});
  EXPECT_THAT(Availabilities(), ElementsAre("BUSY"));
}

TEST_F(AvailabilityTest, AWordWithoutASessionMovesNoAge) {
  EXPECT_EQ(DeclareAlone("u", kBusy), Refusal::kNone);
  EXPECT_FALSE(User("u").record.known);
  EXPECT_THAT(EventsOf("u"), ElementsAre());
  Login("u/a");
  EXPECT_EQ(AvailabilityOf("u"), "BUSY");
  At(10);
  EXPECT_EQ(DeclareAlone("u", kDoNotDisturb), Refusal::kNone);
  EXPECT_EQ(OnTheWall(User("u").record.last_seen), 0);
  EXPECT_EQ(OnTheWall(User("u").record.last_active), 0);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→ACTIVE AVAILABILITY @10"});
}

// "Never forgotten before its expiry."
TEST_F(AvailabilityTest, OutlastsWhatElseIsKnownOfItsUser) {
  Policy policy;
  policy.offline_retention = seconds(10);
  BeginWith(policy);
  Login("u/a");
  Declare("u/a", kBusy);
  Login("v/a");
  Declare("v/a", For(kBusy, seconds(20)));
  Login("w/a");
  Declare("w/a", For(kBusy, seconds(1)));
  for (const char* name : {"u/a", "v/a", "w/a"}) Leave(name);
  At(15);
  for (const char* user : {"u", "v", "w"}) {
    EXPECT_FALSE(User(user).record.known);
  }
  Login("v/a");
  EXPECT_EQ(AvailabilityOf("v"), "BUSY until 20");
  At(25);
  Login("u/a", {.declaring = kDoNotDisturb});
  EXPECT_EQ(AvailabilityOf("u"), "BUSY");
  // Of w nothing is held any more.
  Login("w/a", {.declaring = kDoNotDisturb});
  EXPECT_EQ(AvailabilityOf("w"), "DO_NOT_DISTURB");
}

// Beyond ten signals a second what is declared waits with its signal, and the
// newest counts.
TEST_F(AvailabilityTest, WaitsWithAMergedSignalAndIsNotLost) {
  Login("u/a");
  for (int i = 0; i < 40; ++i) {
    Declare("u/a", Saying(kBusy, i == 39 ? "last" : "first"));
  }
  Active("u/a");
  EXPECT_EQ(AvailabilityOf("u"), "BUSY 'first'");
  At(5);
  EXPECT_EQ(AvailabilityOf("u"), "BUSY 'last'");
  EXPECT_EQ(EventsOf("u").size(), 3u);
}

// Rooms do not wait, nor do they take along what does.
TEST_F(AvailabilityTest, WaitsWithAMergedSignalThatChangesRoomsToo) {
  const Client client = Login("u/a");
  for (int i = 0; i < 49; ++i) {
    DeclareWithRooms(client, Saying(kBusy, i % 2 == 0 ? "even" : "odd"), {});
  }
  RoomChange rooms;
  rooms.join = {"r1"};
  DeclareWithRooms(client, Saying(kBusy, "newest"), rooms);
  // The login, and a burst of 20.
  EXPECT_EQ(EventsOf("u").size(), 21u);
  EXPECT_EQ(In("r1").users, 1);
  EXPECT_EQ(AvailabilityOf("u"), "BUSY 'odd'");
  At(5);
  EXPECT_EQ(EventsOf("u").size(), 22u);
  EXPECT_EQ(AvailabilityOf("u"), "BUSY 'newest'");
}

TEST_F(AvailabilityTest, WhoBecomesInvisibleWithRoomsDoesNotWaitToDisappear) {
  const Client client = Login("u/a");
  for (int i = 0; i < 30; ++i) Active("u/a");
  RoomChange rooms;
  rooms.join = {"r1"};
  DeclareWithRooms(client, kInvisible, rooms);
  EXPECT_EQ(In("r1").users, 0);
  EXPECT_EQ(In("r1", View::kTrue).users, 1);
  // The way back does.
  for (int i = 0; i < 10; ++i) {
    DeclareWithRooms(client, kBusy, {});
    DeclareWithRooms(client, kInvisible, {});
  }
  DeclareWithRooms(client, kBusy, {});
  EXPECT_EQ(StateOf("u"), State::kOffline);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→OFFLINE LEAVE @0"});
  At(5);
  EXPECT_EQ(AvailabilityOf("u"), "BUSY");
}

TEST_F(AvailabilityTest, RoomsTakeAnInvisibleThatWaitsAlong) {
  Login("u/a");
  for (int i = 0; i < 30; ++i) Active("u/a");
  Declare("u/a", kInvisible);
  EXPECT_EQ(StateOf("u"), State::kActive);
  Join("u/a", "r1");
  EXPECT_EQ(StateOf("u"), State::kOffline);
  EXPECT_EQ(In("r1").users, 0);
}

TEST_F(AvailabilityTest, WhatWaitsIsAppliedBeforeTheSessionLeaves) {
  Login("u/a");
  Login("u/b");
  for (int i = 0; i < 30; ++i) Active("u/a");
  Declare("u/a", kBusy);
  EXPECT_EQ(AvailabilityOf("u"), "AVAILABLE");
  Leave("u/a");
  EXPECT_EQ(AvailabilityOf("u"), "BUSY");
}

TEST_F(AvailabilityTest, PastTheLimitAnotherUsersIsRefusedAndNothingChanges) {
  PresenceEngine::Options options;
  options.shards = 1;
  options.max_declared_availabilities = 2;
  Begin(std::move(options));
  for (const char* name : {"u/a", "v/a", "w/a"}) Login(name);
  EXPECT_TRUE(Declare("u/a", kBusy).ok());
  EXPECT_TRUE(Declare("v/a", kBusy).ok());
  At(20);
  EXPECT_EQ(Declare("w/a", kBusy).refusal, Refusal::kTooManyAvailabilities);
  EXPECT_EQ(StateOf("w"), State::kIdle);
  EXPECT_EQ(DeclareAlone("x", kBusy), Refusal::kTooManyAvailabilities);
  EXPECT_EQ(Login("x/a", {.declaring = kBusy}).opened.refusal,
            Refusal::kTooManyAvailabilities);
  EXPECT_FALSE(User("x").record.known);
  // Those held may be replaced, and make room once they are forgotten.
  EXPECT_TRUE(Declare("u/a", kDoNotDisturb).ok());
  EXPECT_TRUE(Active("w/a").ok());
}

TEST(AvailabilityTable, RevertsInTheOrderOfExpiries) {
  AvailabilityTable table(10);
  const auto at = [](int second) { return RealTime(seconds(second)); };
  table.Declare("a", {AvailabilityKind::kBusy, "", at(3)});
  table.Declare("b", {AvailabilityKind::kBusy, "", at(2)});
  table.Declare("c", {AvailabilityKind::kBusy, "", at(2)});
  table.Declare("c", {AvailabilityKind::kBusy, "", kNoExpiry});
  EXPECT_FALSE(table.RevertNext(at(1)).has_value());
  EXPECT_EQ(table.RevertNext(at(3))->user, "b");
  EXPECT_EQ(table.RevertNext(at(3))->user, "a");
  EXPECT_FALSE(table.RevertNext(at(3)).has_value());
  EXPECT_EQ(table.Find("c")->declared.kind, AvailabilityKind::kBusy);
  EXPECT_EQ(table.Find("b")->declared, Availability());
}

}  // namespace
}  // namespace lifesign
