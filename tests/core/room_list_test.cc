// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 10: ListPresences of a room.
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/core/query/list.h"
#include "tests/testing/presence_story.h"

namespace lifesign {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr StateSet kLive = {State::kActive, State::kIdle, State::kAway,
                            State::kStale};

class RoomListTest : public PresenceStory {};

TEST_F(RoomListTest, TellsWhoIsLiveThereInTheOrderInWhichTheyCame) {
  Login("u2/a", {.rooms = {{"r1"}}});
  Login("u1/a", {.rooms = {{"r1", "r2"}}});
  Login("u3/a", {.rooms = {{"r2"}}});
  Login("u4/a");
  Login("u5/a", {.rooms = {{"r1"}}});
  Leave("u5/a");
  Active("u2/a");
  EXPECT_THAT(List({kLive, {}, View::kPublic, "r1"}), ElementsAre("u2", "u1"));
  EXPECT_THAT(List({kLive, {}, View::kPublic, "r2"}), ElementsAre("u1", "u3"));
  EXPECT_THAT(List({kLive, {}, View::kPublic, "r3"}), IsEmpty());
  EXPECT_THAT(List({{State::kOffline}, {}, View::kPublic, "r1"}), IsEmpty());
  EXPECT_FALSE(
      engine().List({kLive, {}, View::kPublic, "r3"}, {}, 1, now()).next);
}

TEST_F(RoomListTest, PresencesAreOfTheSessionsThere) {
  Open("u1/phone", {.with = SignalKind::kBackground, .rooms = {{"r1"}}});
  At(3);
  Login("u1/laptop");
  Open("u1/tv", {.with = SignalKind::kBackground, .rooms = {{"r1"}}});
  At(5);
  Active("u1/laptop");
  const PresencePage page =
      engine().List({kLive, {}, View::kPublic, "r1"}, {}, 10, now());
  ASSERT_THAT(page.users, SizeIs(1));
  const UserView& view = page.users[0];
  EXPECT_EQ(view.record.state, State::kAway);
  EXPECT_EQ(view.sessions_by_state[static_cast<std::size_t>(State::kAway)], 2);
  EXPECT_EQ(view.sessions_by_state[static_cast<std::size_t>(State::kActive)],
            0);
  EXPECT_NEAR(OnTheWall(view.record.since), 0, 0.01);
  EXPECT_NEAR(OnTheWall(view.record.last_seen), 3, 0.01);
  EXPECT_GT(view.confidence, 0);
  EXPECT_LE(view.record.revision, In("r1").revision);
  EXPECT_THAT(List({{State::kActive}, {}, View::kPublic, "r1"}), IsEmpty());
  EXPECT_THAT(List({{State::kAway}, {}, View::kPublic, "r1"}),
              ElementsAre("u1"));
}

TEST_F(RoomListTest, SeenWithinIsKnownThoughTheRoomIsNotToldOfEachSignal) {
  Login("u1/a", {.rooms = {{"r1"}}});
  Login("u2/a", {.rooms = {{"r1"}}});
  At(10);
  // Both stay what they are.
  Active("u1/a");
  At(12);
  EXPECT_THAT(List({kLive, seconds(5), View::kPublic, "r1"}),
              ElementsAre("u1"));
  EXPECT_THAT(List({kLive, seconds(12), View::kPublic, "r1"}),
              ElementsAre("u1", "u2"));
  EXPECT_THAT(List({kLive, seconds(1), View::kPublic, "r1"}), IsEmpty());
}

TEST_F(RoomListTest, ACallLooksAtABoundedNumberOfMembers) {
  for (std::uint32_t i = 0; i <= limits::kListedSlotsPerPage; ++i) {
    Open(absl::StrCat("u", i, "/a"), {.rooms = {{"r1"}}});
  }
  const ListFilter active{{State::kActive}, {}, View::kPublic, "r1"};
  const PresencePage nobody = engine().List(active, {}, 1'000, now());
  EXPECT_THAT(nobody.users, IsEmpty());
  ASSERT_TRUE(nobody.next.has_value());
  const PresencePage last = engine().List(active, nobody.next, 1'000, now());
  EXPECT_THAT(last.users, IsEmpty());
  EXPECT_FALSE(last.next.has_value());
}

TEST_F(RoomListTest, WhoGoesAndComesAgainIsNotMetTwice) {
  Login("u1/a", {.rooms = {{"r1"}}});
  Login("u2/a", {.rooms = {{"r1"}}});
  const ListFilter all{kLive, {}, View::kPublic, "r1"};
  const PresencePage first = engine().List(all, {}, 1, now());
  EXPECT_THAT(NamesOf(first), ElementsAre("u1"));
  LeaveRoom("u1/a", "r1");
  Join("u1/a", "r1");
  Login("u3/a", {.rooms = {{"r1"}}});
  const PresencePage rest = engine().List(all, first.next, 10, now());
  EXPECT_THAT(NamesOf(rest), ElementsAre("u2"));
  EXPECT_FALSE(rest.next.has_value());
  EXPECT_THAT(List(all), ElementsAre("u2", "u1", "u3"));
}

TEST_F(RoomListTest, APlaceThatNeverWasIsTheEnd) {
  Login("u1/a", {.rooms = {{"r1"}}});
  for (const ListPlace& place :
       {ListPlace{1, 0, 0, UINT64_MAX}, ListPlace{UINT64_MAX, 0, 0, UINT64_MAX},
        ListPlace{1, 7, 7, 0}}) {
    const PresencePage page =
        engine().List({kLive, {}, View::kPublic, "r1"}, place, 10, now());
    EXPECT_THAT(page.users, IsEmpty());
    EXPECT_FALSE(page.next.has_value());
  }
}

TEST_F(RoomListTest, APlaceOutlivesTheRoom) {
  Login("u1/a", {.rooms = {{"r1"}}});
  Login("u2/a", {.rooms = {{"r1"}}});
  const ListFilter all{kLive, {}, View::kPublic, "r1"};
  const PresencePage first = engine().List(all, {}, 1, now());
  Leave("u1/a");
  Leave("u2/a");
  At(1'000);
  EXPECT_EQ(engine().rooms(), 0u);
  EXPECT_THAT(engine().List(all, first.next, 10, now()).users, IsEmpty());
  Login("u1/a", {.rooms = {{"r1"}}});
  EXPECT_THAT(engine().List(all, first.next, 10, now()).users, IsEmpty());
  EXPECT_THAT(List(all), ElementsAre("u1"));
}

// Whoever matches throughout appears exactly once, others at most once.
TEST_F(RoomListTest, UnderChurnNobodyWhoStayedIsMissedOrRepeated) {
  std::mt19937_64 random(66);
  for (int round = 0; round < 20; ++round) {
    PresenceEngine::Options options;
    options.shards = 1 + static_cast<int>(random() % 3);
    Begin(options);
    std::set<std::string> stay;
    std::set<std::string> go;
    for (int i = 0; i < 60; ++i) {
      const std::string name = absl::StrCat("u", i);
      Login(absl::StrCat(name, "/a"), {.rooms = {{"r1"}}});
      (i % 3 == 0 ? stay : go).insert(name);
    }
    std::map<std::string, int> met;
    absl::optional<ListPlace> from;
    do {
      const PresencePage page =
          engine().List({{State::kActive}, {}, View::kPublic, "r1"}, from,
                        1 + random() % 5, now());
      for (const std::string& name : NamesOf(page)) ++met[name];
      from = page.next;
      for (int i = 0; i < 40; ++i) {
        const std::string name = absl::StrCat("u", random() % 80);
        const std::string session = absl::StrCat(name, "/a");
        if (stay.contains(name)) {
          Active(session);
        } else if (go.insert(name).second) {
          Login(session, {.rooms = {{"r1"}}});
        } else {
          Leave(session);
          go.erase(name);
        }
      }
    } while (from.has_value());
    for (const std::string& name : stay) EXPECT_EQ(met[name], 1) << name;
    for (const auto& [name, times] : met) EXPECT_LE(times, 1) << name;
  }
}

}  // namespace
}  // namespace lifesign
