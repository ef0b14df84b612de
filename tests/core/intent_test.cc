// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 11: intents.
#include <string>

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

}  // namespace
}  // namespace lifesign
