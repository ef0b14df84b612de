// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md §§ 10, 11: awaiting a room, but for the transport.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/core/query/await.h"
#include "tests/core/testing/await_story.h"

namespace lifesign {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RoomAwaitTest : public AwaitStory {
 protected:
  static Predicate OfMembers(const std::string& room, State at_least,
                             std::size_t needed = 1) {
    return {{}, at_least, needed, AwaitedPlace{room, ""}};
  }
  static Predicate OfIntents(const std::string& room, const std::string& target,
                             std::size_t needed = 1) {
    return {{}, State::kActive, needed, AwaitedPlace{room, target}};
  }
  std::shared_ptr<Await> Begin(std::vector<Predicate> predicates,
                               std::vector<std::string> users = {}) {
    return AwaitStory::Begin({std::move(users), std::move(predicates)});
  }
  // As whoever gives up does: what is published is known.
  std::size_t CountOf(const std::shared_ptr<Await>& await,
                      std::size_t predicate = 0) {
    engine().TellAndRegister(await, now());
    return await->Views()[predicate].count;
  }
  // Like a login into r1 that ends, both before anything is published.
  void Blink(const std::string& user) {
    const std::vector<absl::string_view> rooms = {"r1"};
    LeaveUnpublished(LoginUnpublished(user, &rooms));
  }
};

TEST_F(RoomAwaitTest, WhatHoldsDecidesItAtOnce) {
  Login("u1/a", {.rooms = {{"r1"}}});
  Open("u2/a", {.rooms = {{"r1"}}});
  EXPECT_TRUE(Begin({OfMembers("r1", State::kActive)})->decided());
  EXPECT_TRUE(Begin({OfMembers("r1", State::kIdle, 2)})->decided());
  EXPECT_FALSE(Begin({OfMembers("r1", State::kActive, 2)})->decided());
  EXPECT_FALSE(Begin({OfMembers("r2", State::kStale)})->decided());
  EXPECT_EQ(listener_->woken(), 0);
}

TEST_F(RoomAwaitTest, OfManyWhoAwaitARoomThoseAreToldWhoHaveNotGivenUp) {
  constexpr std::size_t kAwaits = 10'000;
  std::vector<std::shared_ptr<Await>> awaits;
  for (std::size_t i = 0; i < kAwaits; ++i) {
    // Two of one room.
    awaits.push_back(Begin(
        {OfMembers("r1", State::kActive, 2), OfMembers("r1", State::kIdle)}));
  }
  for (std::size_t i = 0; i < kAwaits; ++i) {
    const std::size_t number = i * 7 % kAwaits;
    if (number % 3 != 0) engine().Unregister(*awaits[number]);
  }
  Open("u1/a", {.rooms = {{"r1"}}});
  for (std::size_t i = 0; i < kAwaits; ++i) {
    EXPECT_EQ(awaits[i]->decided(), i % 3 == 0) << i;
  }
}

TEST_F(RoomAwaitTest, TheMemberWhoCompletesThemDecidesIt) {
  const auto await = Begin({OfMembers("r1", State::kActive, 3)});
  Login("u1/a", {.rooms = {{"r1"}}});
  Login("u2/a", {.rooms = {{"r2"}}});
  Open("u3/a", {.rooms = {{"r1"}}});
  EXPECT_FALSE(await->decided());
  Join("u2/a", "r1");
  EXPECT_FALSE(await->decided());
  Active("u3/a");
  EXPECT_TRUE(await->decided());
  EXPECT_EQ(await->Views()[0].count, 3u);
  EXPECT_TRUE(await->Views()[0].satisfied);
  EXPECT_EQ(listener_->woken(), 1);
}

TEST_F(RoomAwaitTest, StatesAreThoseInTheRoom) {
  Open("u1/phone", {.with = SignalKind::kBackground, .rooms = {{"r1"}}});
  const auto await = Begin({OfMembers("r1", State::kIdle)});
  Login("u1/laptop");
  EXPECT_EQ(StateOf("u1"), State::kActive);
  EXPECT_FALSE(await->decided());
  Join("u1/laptop", "r1");
  EXPECT_TRUE(await->decided());
}

TEST_F(RoomAwaitTest, AMemberCountsOnceHoweverManySessionsTheyHave) {
  const auto await = Begin({OfMembers("r1", State::kStale, 2)});
  Login("u1/a", {.rooms = {{"r1"}}});
  Login("u1/b", {.rooms = {{"r1"}}});
  Open("u1/c", {.rooms = {{"r1"}}});
  EXPECT_FALSE(await->decided());
  EXPECT_EQ(CountOf(await), 1u);
  Leave("u1/a");
  EXPECT_EQ(CountOf(await), 1u);
  Open("u2/a", {.rooms = {{"r1"}}});
  EXPECT_TRUE(await->decided());
}

TEST_F(RoomAwaitTest, ABlinkSatisfiesIt) {
  const auto await = Begin({OfMembers("r1", State::kActive)});
  Blink("u1");
  EXPECT_FALSE(await->decided());
  Publish();
  EXPECT_TRUE(await->decided());
  EXPECT_EQ(In("r1").users, 0);
  // As whoever gives up does, before it is woken.
  engine().TellAndRegister(await, now());
  EXPECT_TRUE(await->Views()[0].satisfied);
  EXPECT_EQ(await->Views()[0].count, 1u);
}

TEST_F(RoomAwaitTest, TimeTakesAwayWhatASignalGave) {
  const auto await = Begin({OfMembers("r1", State::kActive, 2)});
  Login("u1/a", {.rooms = {{"r1"}}});
  At(15.2);
  Login("u2/a", {.rooms = {{"r1"}}});
  EXPECT_FALSE(await->decided());
  EXPECT_EQ(CountOf(await), 1u);
}

TEST_F(RoomAwaitTest, ARoomThatEmptiesAndFillsIsAwaitedAllTheWhile) {
  const auto await = Begin({OfMembers("r1", State::kStale, 2)});
  EXPECT_EQ(engine().rooms(), 1u);
  Login("u1/a", {.rooms = {{"r1"}}});
  Leave("u1/a");
  // Longer than an empty room is kept that nobody asks for.
  At(2'000);
  EXPECT_EQ(engine().rooms(), 1u);
  EXPECT_EQ(CountOf(await), 0u);
  Login("u1/a", {.rooms = {{"r1"}}});
  Login("u2/a", {.rooms = {{"r1"}}});
  EXPECT_TRUE(await->decided());
  Leave("u1/a");
  Leave("u2/a");
  engine().Unregister(*await);
  At(4'000);
  EXPECT_EQ(engine().rooms(), 0u);
}

TEST_F(RoomAwaitTest, ARoomThatWasAwaitedOnlyIsForgotten) {
  const auto await =
      Begin({OfMembers("r1", State::kIdle), OfIntents("r1", "v1"),
             OfMembers("r2", State::kIdle)});
  EXPECT_EQ(engine().rooms(), 2u);
  engine().Unregister(*await);
  At(1);
  EXPECT_EQ(engine().rooms(), 0u);
  Login("u1/a", {.rooms = {{"r1"}}});
  EXPECT_FALSE(await->decided());
  engine().Unregister(*await);
}

TEST_F(RoomAwaitTest, AGuestWhoBecomesAUserCountsOnceThroughout) {
  Login("g1/s1", {.rooms = {{"r1"}}});
  const auto await = Begin({OfMembers("r1", State::kStale, 2)});
  Open("u1/s1", {.guest = "g1"});
  EXPECT_EQ(In("r1").users, 1);
  EXPECT_FALSE(await->decided());
  EXPECT_EQ(CountOf(await), 1u);
}

TEST_F(RoomAwaitTest, AnIntentDecidesIt) {
  Login("u1/s");
  Login("v1/s", {.rooms = {{"r1"}}});
  const auto await = Begin({OfIntents("r1", "v1")});
  Want("u1/s", "v1", "r2", seconds(60));
  Want("u1/s", "v2", "r1", seconds(60));
  EXPECT_FALSE(await->decided());
  Want("u1/s", "v1", "r1", seconds(60));
  EXPECT_TRUE(await->decided());
  EXPECT_THAT(await->Views()[0].from, ElementsAre("u1"));
  EXPECT_EQ(listener_->woken(), 1);
  EXPECT_TRUE(Begin({OfIntents("r1", "v1")})->decided());
}

TEST_F(RoomAwaitTest, NobodyIsRungWhoIsNotThere) {
  Login("u1/s");
  Want("u1/s", "v1", "r1", seconds(60));
  const auto await = Begin({OfIntents("r1", "v1")});
  EXPECT_FALSE(await->decided());
  Login("v1/s");
  EXPECT_FALSE(await->decided());
  Join("v1/s", "r1");
  EXPECT_TRUE(await->decided());
}

TEST_F(RoomAwaitTest, IntentsThatRanOutAreNotCounted) {
  Login("u1/s");
  Login("u2/s");
  Login("v1/s", {.rooms = {{"r1"}}});
  const auto await = Begin({OfIntents("r1", "v1", 2)});
  Want("u1/s", "v1", "r1", seconds(5));
  At(6);
  Want("u2/s", "v1", "r1", seconds(5));
  EXPECT_FALSE(await->decided());
  Want("u1/s", "v1", "r1", seconds(5));
  EXPECT_TRUE(await->decided());
  EXPECT_THAT(await->Views()[0].from, ElementsAre("u2", "u1"));
}

TEST_F(RoomAwaitTest, PredicatesOfAllKindsAreAnsweredTogether) {
  Login("u1/s");
  Login("v1/s", {.rooms = {{"r1"}}});
  Predicate of_users;
  of_users.users = {0, 1};
  of_users.needed = 2;
  const auto await =
      Begin({of_users, OfMembers("r1", State::kActive, 2),
             OfIntents("r1", "v1", 2), OfMembers("r2", State::kStale)},
            {"u1", "u2"});
  EXPECT_FALSE(await->decided());
  Want("u1/s", "v1", "r1", seconds(60));
  Join("u1/s", "r1");
  ASSERT_TRUE(await->decided());
  const std::vector<PredicateView> views = await->Views();
  EXPECT_FALSE(views[0].satisfied);
  EXPECT_THAT(views[0].matching, ElementsAre(0u));
  EXPECT_EQ(views[0].count, 1u);
  EXPECT_TRUE(views[1].satisfied);
  EXPECT_EQ(views[1].count, 2u);
  EXPECT_FALSE(views[2].satisfied);
  EXPECT_THAT(views[2].from, ElementsAre("u1"));
  EXPECT_EQ(views[3].count, 0u);
  EXPECT_THAT(views[3].from, IsEmpty());
}

TEST_F(RoomAwaitTest, WhatIsToldAfterItIsDecidedChangesNothing) {
  const auto await = Begin({OfMembers("r1", State::kActive)});
  Login("u1/a", {.rooms = {{"r1"}}});
  ASSERT_TRUE(await->decided());
  Login("u2/a", {.rooms = {{"r1"}}});
  Leave("u1/a");
  EXPECT_EQ(await->Views()[0].count, 1u);
  EXPECT_EQ(listener_->woken(), 1);
}

// What "n of them are ACTIVE" comes to may be read off a watch, too.
TEST_F(RoomAwaitTest, OccupancySaysTheSameByState) {
  const auto await = Begin({OfMembers("r1", State::kIdle, 3)});
  Login("u1/a", {.rooms = {{"r1"}}});
  Open("u2/a", {.rooms = {{"r1"}}});
  Open("u3/a", {.with = SignalKind::kBackground, .rooms = {{"r1"}}});
  const auto ready = [&] {
    const MemberCounts users = In("r1").users_by_state;
    return users[static_cast<std::size_t>(State::kActive)] +
           users[static_cast<std::size_t>(State::kIdle)];
  };
  EXPECT_EQ(ready(), 2);
  EXPECT_FALSE(await->decided());
  Active("u3/a");
  EXPECT_EQ(ready(), 3);
  EXPECT_TRUE(await->decided());
}

}  // namespace
}  // namespace lifesign
