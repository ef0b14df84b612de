// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 11: intents.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/limits.h"
#include "server/core/room/intent.h"
#include "tests/testing/presence_story.h"

namespace lifesign {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class IntentTest : public PresenceStory {
 protected:
  IntentTest() {
    Login("u1/s");
    Login("u2/s");
  }
};

TEST_F(IntentTest, ItIsVisibleToItsTargetAndOnlyWhereTheyAre) {
  Login("v1/s", {.rooms = {{"r1"}}});
  Want("u1/s", "v1", "r1", seconds(60));
  Want("u1/s", "v1", "r2", seconds(60));
  EXPECT_THAT(WhoWants("v1", "r1"), ElementsAre("u1"));
  EXPECT_THAT(WhoWants("v1", "r2"), IsEmpty());
  EXPECT_THAT(WhoWants("u2", "r1"), IsEmpty());
  Join("v1/s", "r2");
  EXPECT_THAT(WhoWants("v1", "r2"), ElementsAre("u1"));
  Leave("v1/s");
  EXPECT_THAT(WhoWants("v1", "r1"), IsEmpty());
}

TEST_F(IntentTest, ItExpiresOnTheRealClockPausesIncluded) {
  Login("v1/s", {.rooms = {{"r1"}}});
  Want("u1/s", "v1", "r1", seconds(10));
  At(9);
  EXPECT_THAT(WhoWants("v1", "r1"), ElementsAre("u1"));
  Want("u1/s", "v1", "r1", seconds(10));
  At(15);
  EXPECT_THAT(WhoWants("v1", "r1"), ElementsAre("u1"));
  Freeze(5);
  EXPECT_THAT(WhoWants("v1", "r1"), IsEmpty());
}

TEST_F(IntentTest, ItIsWithdrawnByZeroAndEndsWithItsUser) {
  Login("v1/s", {.rooms = {{"r1"}}});
  Want("u1/s", "v1", "r1", seconds(60));
  Want("u2/s", "v1", "r1", seconds(60));
  EXPECT_THAT(WhoWants("v1", "r1"), ElementsAre("u1", "u2"));
  Want("u1/s", "v1", "r1", Duration(0));
  EXPECT_THAT(WhoWants("v1", "r1"), ElementsAre("u2"));
  Leave("u2/s");
  EXPECT_THAT(WhoWants("v1", "r1"), IsEmpty());
  Login("u2/s");
  EXPECT_THAT(WhoWants("v1", "r1"), IsEmpty());
}

TEST_F(IntentTest, AUserWantsToReachSixteenAtMost) {
  for (std::size_t i = 0; i < limits::kMaxIntentsPerUser; ++i) {
    EXPECT_TRUE(Want("u1/s", absl::StrCat("v", i), "r1", seconds(60)).ok());
  }
  At(20);
  EXPECT_EQ(Want("u1/s", "one too many", "r1", seconds(60)).refusal,
            Refusal::kTooManyIntents);
  // Nothing of the signal was applied.
  EXPECT_EQ(StateOf("u1"), State::kIdle);
  // One that is held already is renewed; one that has run out makes place.
  EXPECT_TRUE(Want("u1/s", "v3", "r1", seconds(60)).ok());
  At(61);
  Active("u1/s");
  EXPECT_TRUE(Want("u1/s", "another", "r1", seconds(60)).ok());
}

TEST_F(IntentTest, OfThoseTowardsOneUserTheOldestGiveWay) {
  Login("v1/s", {.rooms = {{"r1"}}});
  for (std::size_t i = 0; i <= limits::kMaxIntentsPerTarget; ++i) {
    const std::string user = absl::StrCat("fan", i, "/s");
    Login(user);
    Want(user, "v1", "r1", seconds(60));
  }
  EXPECT_THAT(WhoWants("v1", "r1"), SizeIs(limits::kMaxIntentsPerTarget));
  EXPECT_EQ(WhoWants("v1", "r1").front(), "fan1");
}

TEST_F(IntentTest, ARoomOfIntentsAloneIsForgottenWithThem) {
  Want("u1/s", "v1", "r1", seconds(30));
  EXPECT_EQ(engine().rooms(), 1u);
  At(29);
  EXPECT_EQ(engine().rooms(), 1u);
  At(31);
  EXPECT_EQ(engine().rooms(), 0u);
}

TEST_F(IntentTest, ARoomIsVisitedAsEachRunsOutThoughTheLastToComeIsTheFirst) {
  for (int i = 0; i < 10; ++i) {
    Want(absl::StrCat("u", 1 + i % 2, "/s"), absl::StrCat("v", i), "r1",
         seconds(60 - 5 * i));
  }
  At(14);
  for (int i = 0; i < 10; ++i) Want("u1/s", "w", "r1", seconds(60 - 5 * i));
  At(58);
  EXPECT_EQ(engine().rooms(), 1u);
  At(61);
  EXPECT_EQ(engine().rooms(), 0u);
}

class IntentWatchTest : public PresenceStory {};

TEST_F(IntentWatchTest, WhoWatchesForATargetIsToldOfThatOneAlone) {
  PresenceEngine::Options options;
  options.encode_rooms.intents = [](absl::string_view,
                                    absl::Span<const IntentView> intents) {
    return std::make_shared<const std::size_t>(intents.size());
  };
  Begin(std::move(options));
  for (const char* user : {"u1/s", "v1/s", "v2/s"}) {
    Login(user, {.rooms = {{"r1"}}});
  }
  std::vector<std::shared_ptr<Watch>> watches;
  const auto told = [&](std::size_t watch) {
    const auto whole = watches[watch]->Take(1).whole;
    if (whole == nullptr) return -1;
    return static_cast<int>(*static_cast<const std::size_t*>(whole.get()));
  };
  for (const char* target : {"v1", "v1", "v2", "nobody"}) {
    watches.push_back(std::make_shared<Watch>(std::weak_ptr<WatchListener>()));
    engine().WatchIntents(watches.back(), "r1", target, now());
    EXPECT_EQ(told(watches.size() - 1), 0);
  }
  const auto all_told = [&] {
    return std::vector<int>{told(0), told(1), told(2), told(3)};
  };
  Want("u1/s", "v1", "r1", seconds(60));
  At(1);
  EXPECT_THAT(all_told(), ElementsAre(1, 1, -1, -1));
  // One of the two for v1 turns to v2, another one ends.
  engine().WatchIntents(watches[0], "r1", "v2", now());
  engine().UnregisterFromRoom(*watches[3], "r1");
  EXPECT_THAT(all_told(), ElementsAre(0, -1, -1, -1));
  Want("u1/s", "v2", "r1", seconds(60));
  At(2);
  EXPECT_THAT(all_told(), ElementsAre(1, -1, 1, -1));
  At(62);
  EXPECT_THAT(all_told(), ElementsAre(0, 0, 0, -1));
}

// --- The intents of a room, by themselves ---

constexpr RealTime kStart{};

std::vector<std::string> FromOf(const std::vector<Intent>& intents) {
  std::vector<std::string> from;
  for (const Intent& one : intents) from.push_back(one.from);
  return from;
}

TEST(IntentsTest, TwentyThousandTargetsAreHeldAndRunOutInOrder) {
  constexpr int kTargets = 20'000;
  // Each runs out at a second of its own, and not in the order in which they
  // come: 7 and kTargets have no factor in common.
  const auto expiry = [](int i) {
    return kStart + seconds(1 + i * 7 % kTargets);
  };
  Intents intents;
  for (int i = 0; i < kTargets; ++i) {
    const std::string target = absl::StrCat("v", i);
    EXPECT_TRUE(intents.Apply({"u1", target, kStart + seconds(kTargets + 1)}));
    EXPECT_TRUE(intents.Apply({"u2", target, expiry(i)}));
    EXPECT_TRUE(intents.Apply({"u1", target, RealTime::min()}));
    EXPECT_FALSE(intents.Apply({"u1", target, RealTime::min()}));
  }
  EXPECT_EQ(intents.size(), std::size_t{kTargets});
  for (int i = 0; i < kTargets; ++i) {
    const std::string target = absl::StrCat("v", i);
    EXPECT_THAT(FromOf(intents.Towards(target, kStart)), ElementsAre("u2"));
    EXPECT_THAT(intents.Towards(target, expiry(i)), IsEmpty());
  }
  const Intents copy = intents;
  for (int second = 1; second <= kTargets; ++second) {
    EXPECT_EQ(intents.NextExpiry(), kStart + seconds(second));
    const std::vector<Intent> taken =
        intents.TakeExpired(kStart + seconds(second));
    ASSERT_THAT(taken, SizeIs(1));
    EXPECT_EQ(taken[0].from, "u2");
    EXPECT_EQ(taken[0].expires_at, kStart + seconds(second));
    EXPECT_THAT(intents.Towards(taken[0].target, kStart), IsEmpty());
    EXPECT_THAT(copy.Towards(taken[0].target, kStart), SizeIs(1));
  }
  EXPECT_TRUE(intents.empty());
  EXPECT_EQ(intents.NextExpiry(), RealTime::max());
  EXPECT_EQ(copy.size(), std::size_t{kTargets});
}

TEST(IntentsTest, AreInTheOrderDeclaredLastWhateverRunsOutFirst) {
  Intents intents;
  intents.Apply({"u1", "v", kStart + seconds(30)});
  intents.Apply({"u2", "v", kStart + seconds(10)});
  intents.Apply({"u3", "v", kStart + seconds(20)});
  intents.Apply({"u1", "v", kStart + seconds(5)});
  EXPECT_THAT(FromOf(intents.Towards("v", kStart)),
              ElementsAre("u2", "u3", "u1"));
  EXPECT_EQ(intents.NextExpiry(), kStart + seconds(5));
  EXPECT_THAT(FromOf(intents.TakeExpired(kStart + seconds(10))),
              ElementsAre("u1", "u2"));
  EXPECT_THAT(FromOf(intents.Towards("v", kStart)), ElementsAre("u3"));
}

TEST(IntentsTest, WhatGaveWayIsNotWaitedFor) {
  Intents intents;
  for (std::size_t i = 0; i <= limits::kMaxIntentsPerTarget; ++i) {
    intents.Apply(
        {absl::StrCat("u", i), "v", kStart + seconds(i == 0 ? 1 : 9)});
  }
  EXPECT_EQ(intents.size(), limits::kMaxIntentsPerTarget);
  EXPECT_EQ(intents.NextExpiry(), kStart + seconds(9));
  EXPECT_THAT(intents.TakeExpired(kStart + seconds(9)),
              SizeIs(limits::kMaxIntentsPerTarget));
  EXPECT_TRUE(intents.empty());
}

}  // namespace
}  // namespace lifesign
