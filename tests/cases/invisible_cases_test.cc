// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Cases of who is invisible: see README.md.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cases/core_cases.h"

namespace lifesign {
namespace {

constexpr AvailabilityDeclaration kAvailable = {AvailabilityKind::kAvailable,
                                                "", absl::nullopt};
constexpr AvailabilityDeclaration kInvisible = {AvailabilityKind::kInvisible,
                                                "", absl::nullopt};

class InvisibleCases : public CoreCases {
 protected:
  // u1, who is invisible, is to everybody what u2 is, who left at 50.
  void ExpectGone() {
    for (const char* name : {"u1", "u2"}) {
      SCOPED_TRACE(name);
      const UserView user = User(name);
      EXPECT_EQ(user.record.state, State::kOffline);
      EXPECT_EQ(user.record.cause, Cause::kLeave);
      EXPECT_EQ(user.record.devices, kNoDevices);
      EXPECT_EQ(user.record.availability, nullptr);
      EXPECT_DOUBLE_EQ(OnTheWall(user.record.since), 50);
      EXPECT_DOUBLE_EQ(OnTheWall(user.record.last_seen), 50);
      EXPECT_DOUBLE_EQ(OnTheWall(user.record.last_active), 45);
      EXPECT_EQ(user.confidence, 0);
      EXPECT_EQ(SessionsOf(name), 0u);
      EXPECT_TRUE(engine().Explain(name, now()).sessions.empty());
    }
    EXPECT_EQ(In("r1").users, 0);
    EXPECT_EQ(In("r2").users, 0);
    const PresencePage online = engine().List(
        {{State::kActive, State::kIdle, State::kAway, State::kStale},
         absl::nullopt},
        absl::nullopt, 10, now());
    EXPECT_TRUE(online.users.empty());
    const PresencePage offline =
        engine().List({{State::kOffline}, {}}, absl::nullopt, 10, now());
    EXPECT_EQ(offline.users.size(), 2u);
  }
};

TEST_F(InvisibleCases, C69_WhoIsInvisibleIsAsGone) {
  for (const char* name : {"u1/s1", "u2/s1"}) {
    Login(name, {.device = DeviceClass::kMobile, .rooms = {{"r1"}}});
  }
  for (int second = 5; second <= 45; second += 10) {
    At(second);
    Active("u1/s1");
    Active("u2/s1");
  }
  At(50);
  Declare("u1/s1", kInvisible);
  Leave("u2/s1");
  ExpectGone();
  const Revision frozen = User("u1").record.revision;
  for (int second = 60; second <= 310; second += 10) {
    At(second);
    if (second == 60) {
      Join("u1/s1", "r2");
    } else {
      Active("u1/s1");
    }
    if (second == 100) Login("u1/s2", {.device = DeviceClass::kWeb});
    ExpectGone();
  }
  EXPECT_EQ(User("u1").record.revision, frozen);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→OFFLINE LEAVE @50"});
  At(320);
  Declare("u1/s1", kAvailable);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→OFFLINE LEAVE @50",
               "OFFLINE→ACTIVE SIGNAL @320"});
  EXPECT_DOUBLE_EQ(OnTheWall(User("u1").record.since), 320);
  At(321);
  EXPECT_EQ(In("r2").users, 1);
}

}  // namespace
}  // namespace lifesign
