// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 10: CountPresences. That counts are what a recount would
// be, whatever happens, is what tests/property looks at.
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/presence_story.h"

namespace lifesign {
namespace {

using ::testing::ElementsAre;

class CountsTest : public PresenceStory {
 protected:
  // By state, ACTIVE first.
  StateCounts Users() { return engine().Counts().counts.users(); }
  StateCounts UsersOn(DeviceClass device) {
    return engine().Counts().counts.users_on(device);
  }
  StateCounts SessionsOn(DeviceClass device) {
    return engine().Counts().counts.sessions_on(device);
  }
};

TEST_F(CountsTest, UsersAndSessionsAreDifferentNumbers) {
  Login("u1/a", {.device = DeviceClass::kWeb});
  Open("u1/b", {.device = DeviceClass::kWeb});
  Open("u1/c",
       {.with = SignalKind::kBackground, .device = DeviceClass::kMobile});
  Open("u2/a", {.device = DeviceClass::kMobile});
  At(0.2);
  EXPECT_THAT(Users(), ElementsAre(1, 1, 0, 0, 0));
  EXPECT_THAT(UsersOn(DeviceClass::kWeb), ElementsAre(1, 0, 0, 0, 0));
  EXPECT_THAT(UsersOn(DeviceClass::kMobile), ElementsAre(0, 1, 1, 0, 0));
  EXPECT_THAT(SessionsOn(DeviceClass::kWeb), ElementsAre(1, 1, 0, 0, 0));
  EXPECT_THAT(SessionsOn(DeviceClass::kMobile), ElementsAre(0, 1, 1, 0, 0));
  EXPECT_THAT(SessionsOn(DeviceClass::kTv), ElementsAre(0, 0, 0, 0, 0));
}

TEST_F(CountsTest, AreAsOfTheLastTickAndSayWhich) {
  EXPECT_EQ(engine().Counts().as_of.presence, now().presence);
  Login("u1/a");
  EXPECT_THAT(Users(), ElementsAre(0, 0, 0, 0, 0));
  At(0.25);
  EXPECT_THAT(Users(), ElementsAre(1, 0, 0, 0, 0));
  const PresenceTime as_of = engine().Counts().as_of.presence;
  EXPECT_LE(as_of, now().presence);
  EXPECT_GT(as_of, now().presence - milliseconds(100));
  JumpTo(240);
  EXPECT_EQ(StateOf("u1"), State::kOffline);
  EXPECT_THAT(Users(), ElementsAre(1, 0, 0, 0, 0));
  EXPECT_EQ(engine().Counts().as_of.presence, as_of);
}

TEST_F(CountsTest, FollowWhatTimeDoes) {
  Login("u1/a");
  Login("u2/a");
  At(15.2);
  EXPECT_THAT(Users(), ElementsAre(0, 2, 0, 0, 0));
  At(60.2);
  Active("u2/a");
  At(60.4);
  EXPECT_THAT(Users(), ElementsAre(1, 0, 1, 0, 0));
  At(180.2);
  EXPECT_THAT(Users(), ElementsAre(0, 0, 1, 1, 0));
  At(240.5);
  EXPECT_THAT(Users(), ElementsAre(0, 0, 0, 1, 1));
  EXPECT_THAT(SessionsOn(DeviceClass::kOther), ElementsAre(0, 0, 0, 1, 0));
}

TEST_F(CountsTest, ALingerThatRanOutCountsForNothing) {
  Login("u1/a");
  Login("u1/b");
  Leave("u1/a", seconds(5));
  At(4.9);
  EXPECT_THAT(SessionsOn(DeviceClass::kOther), ElementsAre(2, 0, 0, 0, 0));
  At(5.2);
  EXPECT_THAT(SessionsOn(DeviceClass::kOther), ElementsAre(1, 0, 0, 0, 0));
  EXPECT_THAT(Users(), ElementsAre(1, 0, 0, 0, 0));
}

TEST_F(CountsTest, ASessionThatMovesToAnotherClassIsCountedThere) {
  Login("u1/a", {.device = DeviceClass::kTv});
  At(1);
  Login("u1/a", {.device = DeviceClass::kBot});
  At(2);
  EXPECT_THAT(UsersOn(DeviceClass::kTv), ElementsAre(0, 0, 0, 0, 0));
  EXPECT_THAT(SessionsOn(DeviceClass::kTv), ElementsAre(0, 0, 0, 0, 0));
  EXPECT_THAT(UsersOn(DeviceClass::kBot), ElementsAre(1, 0, 0, 0, 0));
  EXPECT_THAT(SessionsOn(DeviceClass::kBot), ElementsAre(1, 0, 0, 0, 0));
}

TEST_F(CountsTest, WhoIsForgottenIsNotCountedAsOffline) {
  Policy policy;
  policy.offline_retention = seconds(100);
  BeginWith(policy);
  Login("u1/a");
  Leave("u1/a");
  At(1);
  EXPECT_THAT(Users(), ElementsAre(0, 0, 0, 0, 1));
  At(101);
  EXPECT_THAT(Users(), ElementsAre(0, 0, 0, 0, 0));

  PresenceEngine::Options options;
  options.shards = 1;
  options.max_retained_users = 3;
  Begin(options);
  for (int i = 0; i < 10; ++i) {
    const std::string name = absl::StrCat("u", i, "/a");
    Login(name);
    if (i < 8) Leave(name);
  }
  At(1);
  EXPECT_THAT(Users(), ElementsAre(2, 0, 0, 0, 3));
}

TEST_F(CountsTest, ATickThatIsOnlyTheEndOfAPauseCountsNothing) {
  Login("u1/a");
  At(1);
  const PresenceTime as_of = engine().Counts().as_of.presence;
  Leave("u1/a");
  Freeze(1'000);
  Tick();
  EXPECT_EQ(engine().Counts().as_of.presence, as_of);
  EXPECT_THAT(Users(), ElementsAre(1, 0, 0, 0, 0));
}

}  // namespace
}  // namespace lifesign
