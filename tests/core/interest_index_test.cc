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
  static std::shared_ptr<Watch> NewWatch(const WatchTerms& terms = {}) {
    return std::make_shared<Watch>(std::weak_ptr<WatchListener>(), terms);
  }
  // Returns how many watches are to be woken.
  std::size_t Deliver(const std::string& user, Revision revision,
                      State before = State::kOffline,
                      State after = State::kActive, std::uint32_t slot = 0,
                      Audience audience = Audience::kEverybody) {
    Change change;
    change.slot = slot;
    change.audience = audience;
    change.before = before;
    change.after.user = user;
    change.after.state = after;
    change.after.revision = revision;
    std::vector<std::shared_ptr<Watch>> to_wake;
    index_.Deliver(
        std::move(change),
        [this](const Change&, Detail) {
          ++encoded_;
          return wire_;
        },
        to_wake);
    return to_wake.size();
  }

  const std::shared_ptr<const void> wire_ = std::make_shared<int>(0);
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
  EXPECT_EQ(a->Take(1).mail[0], b->Take(1).mail[0]);
}

// docs/concepts.md § 13.
TEST_F(InterestIndexTest, EachViewIsLeftWhatIsForIt) {
  const auto shown = NewWatch();
  const auto truth = NewWatch({.view = View::kTrue});
  index_.Register("u1", shown, 1);
  index_.Register("u1", truth, 1);
  const auto deliver = [&](Revision revision, Audience audience) {
    Deliver("u1", revision, State::kOffline, State::kActive, 0, audience);
    return std::make_pair(!shown->Take(9).mail.empty(),
                          !truth->Take(9).mail.empty());
  };
  EXPECT_EQ(deliver(5, Audience::kPublic), std::make_pair(true, false));
  EXPECT_EQ(deliver(6, Audience::kTrue), std::make_pair(false, true));
  EXPECT_EQ(deliver(7, Audience::kEverybody), std::make_pair(true, true));
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

TEST_F(InterestIndexTest, EachDetailIsEncodedOnceAndOnlyIfWanted) {
  const auto state = NewWatch();
  const auto devices = NewWatch({.detail = Detail::kDevices});
  const auto more = NewWatch({.detail = Detail::kDevices});
  index_.Register("u1", state, 0);
  index_.Register("u1", devices, 0);
  index_.Register("u1", more, 0);
  index_.Register("u2", state, 0);
  EXPECT_EQ(Deliver("u1", 1), 3u);
  EXPECT_EQ(encoded_, 2);
  EXPECT_EQ(Deliver("u2", 2), 0u);
  EXPECT_EQ(encoded_, 3);
  const Mail mail = state->Take(2).mail;
  ASSERT_EQ(mail.size(), 2u);
  EXPECT_NE(mail[0]->wire(Detail::kState), nullptr);
  EXPECT_NE(mail[0]->wire(Detail::kDevices), nullptr);
  EXPECT_EQ(mail[1]->wire(Detail::kDevices), nullptr);
}

TEST_F(InterestIndexTest, WhoWatchesEveryoneIsLeftWhatIsNewerThanItsCopies) {
  const auto watch = NewWatch();
  index_.RegisterAll(watch, 10, 100);
  index_.RegisterAll(watch, 20, 200);
  const auto leaves = [&](std::uint32_t slot, Revision revision) {
    Deliver("u", revision, State::kOffline, State::kActive, slot);
    return !watch->Take(10).mail.empty();
  };
  EXPECT_FALSE(leaves(3, 99));
  EXPECT_FALSE(leaves(3, 100));
  EXPECT_TRUE(leaves(3, 101));
  EXPECT_FALSE(leaves(10, 102));
  EXPECT_FALSE(leaves(20, 103));
  EXPECT_TRUE(leaves(9, 200));
  EXPECT_FALSE(leaves(10, 200));
  EXPECT_TRUE(leaves(19, 201));
  EXPECT_FALSE(leaves(20, 202));
  index_.RegisterAll(watch, InterestIndex::kAllSlots, 202);
  EXPECT_TRUE(leaves(20, 203));
  EXPECT_TRUE(leaves(1'000'000, 204));
  index_.UnregisterAll(*watch);
  EXPECT_FALSE(leaves(1, 205));
  EXPECT_EQ(index_.size(), 0u);
}

// Of what only those are told who see through, revisions may run ahead of the
// others.
TEST_F(InterestIndexTest, WhatWasLostIsNotToldByWhatWasLeftAheadOfIt) {
  const auto truth = NewWatch({.view = View::kTrue, .mailbox_bytes = 1});
  truth->OpenMailbox();
  index_.RegisterAll(truth, InterestIndex::kAllSlots, 100, 100);
  Deliver("u1", 205, State::kOffline, State::kActive, 1, Audience::kTrue);
  ASSERT_TRUE(truth->IsFull());
  Deliver("u2", 203, State::kOffline, State::kActive, 2);
  const auto told = index_.UnregisterAll(*truth);
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(told->up_to, 202u);
}

// More than are searched one by one; and back.
TEST_F(InterestIndexTest, ACrowdOfWatchesIsKeptAsAFewAre) {
  constexpr std::size_t kCrowd = 100;
  std::vector<std::shared_ptr<Watch>> watches;
  for (std::size_t i = 0; i < kCrowd; ++i) {
    watches.push_back(NewWatch());
    index_.Register("u1", watches.back(), 0);
    // Again: it is found.
    index_.Register("u1", watches[i / 2], 0);
  }
  EXPECT_EQ(index_.size(), kCrowd);
  Revision revision = 0;
  State state = State::kOffline;
  for (std::size_t left = kCrowd; left > 0; --left) {
    const State after =
        state == State::kOffline ? State::kActive : State::kOffline;
    EXPECT_EQ(Deliver("u1", ++revision, state, after), left);
    state = after;
    for (const auto& watch : watches) {
      EXPECT_EQ(watch->Take(10).mail.size(), 1u);
    }
    // From the front, the middle and the end.
    const std::size_t gone = left % 3 == 0   ? 0
                             : left % 3 == 1 ? left / 2
                                             : left - 1;
    index_.Unregister("u1", *watches[gone]);
    index_.Unregister("u1", *watches[gone]);
    watches.erase(watches.begin() + static_cast<std::ptrdiff_t>(gone));
  }
  EXPECT_EQ(index_.size(), 0u);
  EXPECT_EQ(Deliver("u1", ++revision), 0u);
}

TEST_F(InterestIndexTest, AWatchLivesAsLongAsItIsRegistered) {
  auto watch = NewWatch();
  const std::weak_ptr<Watch> weak = watch;
  index_.Register("u1", watch, 0);
  index_.Register("u2", watch, 0);
  index_.RegisterAll(watch, 1, 0);
  watch.reset();
  ASSERT_FALSE(weak.expired());
  EXPECT_EQ(Deliver("u1", 1), 1u);
  index_.Unregister("u1", *weak.lock());
  index_.Unregister("u2", *weak.lock());
  ASSERT_FALSE(weak.expired());
  index_.UnregisterAll(*weak.lock());
  EXPECT_TRUE(weak.expired());
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
