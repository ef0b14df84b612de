// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Who is left which change. docs/concepts.md § 9.
#include "server/core/watch/interest_index.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lifesign {
namespace {

class InterestIndexTest : public ::testing::Test {
 protected:
  static std::shared_ptr<Watch> NewWatch() {
    return std::make_shared<Watch>(std::weak_ptr<WatchListener>());
  }
  // Returns how many watches are to be woken.
  std::size_t Deliver(const std::string& user, Revision revision,
                      State before = State::kOffline,
                      State after = State::kActive) {
    Change change;
    change.before = before;
    change.after.user = user;
    change.after.state = after;
    change.after.revision = revision;
    std::vector<std::shared_ptr<Watch>> to_wake;
    index_.Deliver(
        std::move(change),
        [this](const Change&) {
          ++encoded_;
          return std::shared_ptr<const void>();
        },
        to_wake);
    return to_wake.size();
  }

  InterestIndex index_;
  int encoded_ = 0;
};

TEST_F(InterestIndexTest, WithoutWatchersNothingIsEncoded) {
  EXPECT_EQ(Deliver("u1", 5), 0u);
  EXPECT_EQ(encoded_, 0);
}

TEST_F(InterestIndexTest, AChangeIsEncodedOnceForAllWhoWatch) {
  const auto a = NewWatch();
  const auto b = NewWatch();
  index_.Register("u1", a, 1);
  index_.Register("u1", b, 1);
  EXPECT_EQ(Deliver("u1", 5), 2u);
  EXPECT_EQ(encoded_, 1);
  EXPECT_EQ(a->Take(1)[0], b->Take(1)[0]);
}

TEST_F(InterestIndexTest, WhatIsInTheCopyIsNotDeliveredAgain) {
  const auto watch = NewWatch();
  index_.Register("u1", watch, 5);
  EXPECT_EQ(Deliver("u1", 5), 0u);
  EXPECT_FALSE(watch->HasMail());
  EXPECT_EQ(Deliver("u1", 6), 1u);
  EXPECT_TRUE(watch->HasMail());
}

TEST_F(InterestIndexTest, WhoHasMailAlreadyIsNotWokenAgain) {
  const auto watch = NewWatch();
  index_.Register("u1", watch, 0);
  EXPECT_EQ(Deliver("u1", 1), 1u);
  EXPECT_EQ(Deliver("u1", 2, State::kActive, State::kIdle), 0u);
}

TEST_F(InterestIndexTest, ACopyReplacesWhatWaits) {
  const auto watch = NewWatch();
  index_.Register("u1", watch, 0);
  Deliver("u1", 1);
  index_.Register("u1", watch, 1);
  EXPECT_FALSE(watch->HasMail());
  EXPECT_EQ(index_.size(), 1u);
}

TEST_F(InterestIndexTest, ACopyReplacesWhatWasLeftBeforeAPause) {
  const auto watch = NewWatch();
  index_.Register("u1", watch, 0);
  Deliver("u1", 1);
  index_.Unregister("u1", *watch);
  index_.Register("u1", watch, 1);
  EXPECT_FALSE(watch->HasMail());
}

TEST_F(InterestIndexTest, WhoDoesNotWatchAnyMoreIsLeftNothing) {
  const auto watch = NewWatch();
  index_.Register("u1", watch, 0);
  index_.Register("u2", watch, 0);
  index_.Unregister("u1", *watch);
  index_.Unregister("u9", *watch);
  Deliver("u1", 1);
  EXPECT_FALSE(watch->HasMail());
  EXPECT_EQ(Deliver("u2", 2), 1u);
  EXPECT_EQ(index_.size(), 1u);
}

TEST_F(InterestIndexTest,
       WhatDiffersOnlyByDeviceIsToldToNobodyWhoWatchesStates) {
  const auto watch = NewWatch();
  index_.Register("u1", watch, 0);
  EXPECT_EQ(Deliver("u1", 1, State::kActive, State::kActive), 0u);
  EXPECT_EQ(encoded_, 0);
  EXPECT_FALSE(watch->HasMail());
}

class Listener : public WatchListener {
 public:
  void OnMail() override { ++woken; }
  int woken = 0;
};

TEST(WatchTest, WakesWhoListensAndSurvivesWhoDoesNotAnyMore) {
  auto listener = std::make_shared<Listener>();
  Watch watch(listener);
  watch.Wake();
  EXPECT_EQ(listener->woken, 1);
  listener.reset();
  watch.Wake();
}

}  // namespace
}  // namespace lifesign
