// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 10: AwaitPresence, but for its transport.
#include <memory>
#include <string>
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
using ::testing::UnorderedElementsAre;

class AwaitTest : public AwaitStory {
 protected:
  using AwaitStory::Begin;
  // Begins to await that `needed` of `users` are at least `at_least`.
  std::shared_ptr<Await> Begin(std::vector<std::string> users, State at_least,
                               std::size_t needed = 1) {
    Predicate predicate;
    for (std::uint32_t i = 0; i < users.size(); ++i) {
      predicate.users.push_back(i);
    }
    predicate.at_least = at_least;
    predicate.needed = needed;
    return Begin({std::move(users), {std::move(predicate)}});
  }
  static std::vector<std::string> Matching(const Await& await,
                                           std::size_t predicate = 0) {
    std::vector<std::string> names;
    const std::vector<PredicateView> views = await.Views();
    for (const std::uint32_t user : views[predicate].matching) {
      names.push_back(await.terms().users[user]);
    }
    return names;
  }
};

TEST_F(AwaitTest, IsDecidedAtOnceByWhatHolds) {
  Login("u1/a");
  JumpTo(14);
  EXPECT_TRUE(Begin({"u1"}, State::kActive)->decided());
  EXPECT_TRUE(Begin({"u1"}, State::kStale)->decided());
  // As a read would find it, between two ticks.
  JumpTo(15);
  EXPECT_FALSE(Begin({"u1"}, State::kActive)->decided());
  EXPECT_TRUE(Begin({"u1"}, State::kIdle)->decided());
  EXPECT_EQ(listener_->woken(), 0);
}

TEST_F(AwaitTest, AllPredicatesAreReadAlsoIfTheFirstOneHolds) {
  Login("u1/a");
  Open("u2/a");
  const auto await =
      Begin({{"u1", "u2", "u3"},
             {{{0, 1, 2}, State::kActive, 1}, {{1, 2}, State::kAway, 2}}});
  EXPECT_TRUE(await->decided());
  EXPECT_THAT(Matching(*await, 0), ElementsAre("u1"));
  EXPECT_THAT(Matching(*await, 1), ElementsAre("u2"));
  EXPECT_TRUE(await->Views()[0].satisfied);
  EXPECT_FALSE(await->Views()[1].satisfied);
}

TEST_F(AwaitTest, WhatIsReadLaterDoesNotUndoWhatSatisfiedIt) {
  const auto await = Begin({"u1", "u2"}, State::kIdle);
  LeaveUnpublished(LoginUnpublished("u1"));
  Publish();
  ASSERT_TRUE(await->decided());
  // As whoever gives up does, before it is woken.
  engine().TellAndRegister(await, now());
  EXPECT_TRUE(await->Views()[0].satisfied);
  EXPECT_THAT(Matching(*await), ElementsAre("u1"));
  Login("u2/a");
  engine().TellAndRegister(await, now());
  EXPECT_THAT(Matching(*await), UnorderedElementsAre("u1", "u2"));
}

TEST_F(AwaitTest, IsDecidedByTheChangeThatMakesItHold) {
  const auto await = Begin({"u1"}, State::kActive);
  Open("u1/a");
  EXPECT_FALSE(await->decided());
  Active("u1/a");
  EXPECT_TRUE(await->decided());
  EXPECT_EQ(listener_->woken(), 1);
  EXPECT_THAT(Matching(*await), ElementsAre("u1"));
}

TEST_F(AwaitTest, ABlinkSatisfiesIt) {
  const auto await = Begin({"u1"}, State::kIdle);
  // Comes and goes between two rounds of the publisher.
  LeaveUnpublished(LoginUnpublished("u1"));
  EXPECT_FALSE(await->decided());
  Publish();
  EXPECT_TRUE(await->decided());
  EXPECT_THAT(Matching(*await), ElementsAre("u1"));
  EXPECT_EQ(StateOf("u1"), State::kOffline);
}

TEST_F(AwaitTest, OfManyWhoAwaitAUserThoseAreToldWhoHaveNotGivenUp) {
  constexpr std::size_t kAwaits = 10'000;
  std::vector<std::shared_ptr<Await>> awaits;
  for (std::size_t i = 0; i < kAwaits; ++i) {
    awaits.push_back(Begin({"u1"}, State::kActive));
  }
  // Each of those whose number 3 does not divide, in no order.
  std::size_t given_up = 0;
  for (std::size_t i = 0; i < kAwaits; ++i) {
    const std::size_t number = i * 7 % kAwaits;
    if (number % 3 == 0) continue;
    engine().Unregister(*awaits[number]);
    engine().Unregister(*awaits[number]);
    ++given_up;
  }
  Login("u1/a");
  for (std::size_t i = 0; i < kAwaits; ++i) {
    EXPECT_EQ(awaits[i]->decided(), i % 3 == 0) << i;
  }
  EXPECT_EQ(listener_->woken(), static_cast<int>(kAwaits - given_up));
}

TEST_F(AwaitTest, WhatIsToldAfterItIsDecidedChangesNothing) {
  const auto await = Begin({"u1", "u2"}, State::kActive);
  Login("u1/a");
  ASSERT_TRUE(await->decided());
  Login("u2/a");
  Leave("u1/a");
  EXPECT_THAT(Matching(*await), ElementsAre("u1"));
  EXPECT_EQ(listener_->woken(), 1);
}

TEST_F(AwaitTest, SoManyOfSoManyAreCountedAtOneTime) {
  const auto await = Begin({"u1", "u2", "u3"}, State::kIdle, 2);
  Login("u1/a");
  Leave("u1/a");
  Login("u2/a");
  EXPECT_FALSE(await->decided());
  EXPECT_THAT(Matching(*await), ElementsAre("u2"));
  Login("u3/a");
  EXPECT_TRUE(await->decided());
  EXPECT_THAT(Matching(*await), UnorderedElementsAre("u2", "u3"));
}

TEST_F(AwaitTest, TimeTakesAwayWhatASignalGave) {
  const auto await = Begin({"u1", "u2"}, State::kActive, 2);
  Login("u1/a");
  At(15.2);
  Login("u2/a");
  At(16);
  EXPECT_FALSE(await->decided());
  EXPECT_THAT(Matching(*await), ElementsAre("u2"));
}

TEST_F(AwaitTest, AnyOfSeveralPredicatesIsEnough) {
  AwaitTerms terms;
  terms.users = {"boss", "u1", "u2"};
  terms.predicates = {{{0}, State::kActive, 1},
                      {{1, 2}, State::kActive, 2},
                      {{0, 1, 2}, State::kStale, 3}};
  const auto await = Begin(terms);
  Open("boss/a");
  Login("u1/a");
  EXPECT_FALSE(await->decided());
  Login("u2/a");
  ASSERT_TRUE(await->decided());
  const auto views = await->Views();
  EXPECT_FALSE(views[0].satisfied);
  EXPECT_TRUE(views[1].satisfied);
  // What made one hold made the other hold, too.
  EXPECT_TRUE(views[2].satisfied);
  EXPECT_THAT(Matching(*await, 0), IsEmpty());
  EXPECT_THAT(Matching(*await, 2), ElementsAre("boss", "u1", "u2"));
}

TEST_F(AwaitTest, ToldAnewItKnowsWhatIsNotPublishedYet) {
  const auto await = Begin({"u1", "u2"}, State::kIdle, 2);
  LoginUnpublished("u1");
  LeaveUnpublished(LoginUnpublished("u2"));
  engine().TellAndRegister(await, now());
  EXPECT_FALSE(await->decided());
  EXPECT_THAT(Matching(*await), ElementsAre("u1"));
  // What it was told is not told again when it is published.
  Publish();
  EXPECT_FALSE(await->decided());
  EXPECT_EQ(listener_->woken(), 0);
}

TEST_F(AwaitTest, NothingIsToldAfterItIsUnregistered) {
  const auto await = Begin({"u1"}, State::kIdle);
  LoginUnpublished("u1");
  engine().Unregister(*await);
  Publish();
  EXPECT_FALSE(await->decided());
  engine().Unregister(*await);
}

TEST_F(AwaitTest, AListenerThatIsGoneIsNotWoken) {
  const auto await = Begin({"u1"}, State::kIdle);
  listener_.reset();
  Login("u1/a");
  EXPECT_TRUE(await->decided());
}

TEST_F(AwaitTest, ChangesOfDevicesAloneTellNothing) {
  Open("u1/a", {.device = DeviceClass::kWeb});
  const auto await = Begin({"u1"}, State::kActive);
  Open("u1/b", {.device = DeviceClass::kTv});
  EXPECT_FALSE(await->decided());
}

}  // namespace
}  // namespace lifesign
