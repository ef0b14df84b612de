// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 9: what waits for a watcher.
#include "server/core/watch/mailbox.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lifesign {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using enum State;

class MailboxTest : public ::testing::Test {
 protected:
  explicit MailboxTest(const WatchTerms& terms = {}) : mailbox_(terms) {}

  void Put(const std::string& user, State before, State after,
           State web_before = kOffline, State web_after = kOffline) {
    Change change;
    change.before = before;
    change.devices_before[0] = web_before;
    change.after.user = user;
    change.after.state = after;
    change.after.devices[0] = web_after;
    change.after.revision = ++revision_;
    mailbox_.Put(std::make_shared<PublishedChange>(
        PublishedChange{std::move(change), {}}));
  }
  // While ACTIVE; null: AVAILABLE without text.
  void PutAvailability(const std::string& user, const char* before,
                       const char* after) {
    const auto view = [](const char* text) -> AvailabilityViewPtr {
      if (text == nullptr) return nullptr;
      return std::make_shared<AvailabilityView>(
          AvailabilityView{AvailabilityKind::kBusy, text, absl::nullopt});
    };
    Change change;
    change.before = change.after.state = kActive;
    change.availability_before = view(before);
    change.after.availability = view(after);
    change.after.user = user;
    change.after.revision = ++revision_;
    mailbox_.Put(std::make_shared<PublishedChange>(
        PublishedChange{std::move(change), nullptr}));
  }
  std::vector<std::string> Take(std::size_t most = 100) {
    static constexpr const char* kWords[] = {"ACTIVE", "IDLE", "AWAY", "STALE",
                                             "OFFLINE"};
    std::vector<std::string> texts;
    for (const PublishedChangePtr& mail : mailbox_.Take(most)) {
      texts.push_back(absl::StrCat(
          mail->change.after.user, " ",
          kWords[static_cast<std::size_t>(mail->change.after.state)], " ",
          mail->change.after.revision));
    }
    return texts;
  }

  Mailbox mailbox_;
  Revision revision_ = 0;
};

TEST_F(MailboxTest, KeepsTheNewestStateOfEachUser) {
  Put("u1", kOffline, kActive);
  Put("u2", kOffline, kIdle);
  Put("u1", kActive, kIdle);
  Put("u1", kIdle, kAway);
  EXPECT_EQ(mailbox_.size(), 2u);
  EXPECT_THAT(Take(), ElementsAre("u1 AWAY 4", "u2 IDLE 2"));
  EXPECT_TRUE(mailbox_.empty());
}

TEST_F(MailboxTest, ThereAndBackVanishesWhileItLies) {
  Put("u1", kActive, kIdle);
  Put("u1", kIdle, kActive);
  EXPECT_TRUE(mailbox_.empty());
  EXPECT_THAT(Take(), IsEmpty());
}

TEST_F(MailboxTest, ThereAndBackIsToldOnceItWasTaken) {
  Put("u1", kActive, kIdle);
  EXPECT_THAT(Take(), ElementsAre("u1 IDLE 1"));
  Put("u1", kIdle, kActive);
  EXPECT_THAT(Take(), ElementsAre("u1 ACTIVE 2"));
}

TEST_F(MailboxTest, WhatVanishedDoesNotHideTheNextChange) {
  Put("u1", kActive, kIdle);
  Put("u1", kIdle, kActive);
  Put("u1", kActive, kOffline);
  EXPECT_THAT(Take(), ElementsAre("u1 OFFLINE 3"));
}

TEST_F(MailboxTest, UsersComeOutInTheOrderInWhichTheyFirstWaited) {
  Put("u1", kOffline, kActive);
  Put("u2", kOffline, kActive);
  Put("u3", kOffline, kActive);
  Put("u1", kActive, kIdle);
  EXPECT_THAT(Take(2), ElementsAre("u1 IDLE 4", "u2 ACTIVE 2"));
  Put("u1", kIdle, kAway);
  EXPECT_THAT(Take(), ElementsAre("u3 ACTIVE 3", "u1 AWAY 5"));
}

// docs/concepts.md § 13.
TEST_F(MailboxTest, AvailabilityVanishesOnlyWhenItIsWhatWasTold) {
  PutAvailability("u1", nullptr, "lunch");
  PutAvailability("u2", nullptr, "lunch");
  PutAvailability("u3", "lunch", nullptr);
  PutAvailability("u4", "lunch", nullptr);
  PutAvailability("u1", "lunch", nullptr);
  PutAvailability("u2", "lunch", "meeting");
  PutAvailability("u3", nullptr, "lunch");
  PutAvailability("u4", nullptr, "meeting");
  EXPECT_THAT(Take(), ElementsAre("u2 ACTIVE 6", "u4 ACTIVE 8"));
  PutAvailability("u4", "meeting", "lunch");
  Put("u4", kActive, kActive);
  EXPECT_THAT(Take(), ElementsAre("u4 ACTIVE 10"));
}

TEST_F(MailboxTest, WhatIsDroppedIsGone) {
  Put("u1", kOffline, kActive);
  Put("u2", kOffline, kActive);
  mailbox_.Drop("u1");
  mailbox_.Drop("u9");
  EXPECT_THAT(Take(), ElementsAre("u2 ACTIVE 2"));
}

TEST_F(MailboxTest, AUserThatFlapsWithoutEndTakesNoMemory) {
  for (int i = 0; i < 100'000; ++i) {
    Put("u1", kActive, kIdle);
    Put("u1", kIdle, kActive);
    if (i % 100 == 0) Put("u2", i == 0 ? kOffline : kActive, kActive);
  }
  EXPECT_LE(mailbox_.size(), 1u);
  EXPECT_LE(Take(1'000'000).size(), 1u);
}

// Beyond a few users they are found in another way; all of it must hold there,
// on the way there, and back.
TEST_F(MailboxTest, ManyUsersAreKeptAsFewAre) {
  for (int users = 1; users <= 40; ++users) {
    std::vector<std::string> expected;
    for (int u = 0; u < users; ++u) {
      Put(absl::StrCat("u", u), kActive, kIdle);
    }
    for (int u = 0; u < users; ++u) {
      if (u % 3 == 0) Put(absl::StrCat("u", u), kIdle, kActive);
      if (u % 3 == 1) Put(absl::StrCat("u", u), kIdle, kAway);
      if (u % 3 == 1) {
        expected.push_back(absl::StrCat("u", u, " AWAY ", revision_));
      }
    }
    for (int u = 2; u < users; u += 3) mailbox_.Drop(absl::StrCat("u", u));
    ASSERT_EQ(mailbox_.size(), expected.size());
    // In two halves.
    std::vector<std::string> taken = Take(expected.size() / 2);
    EXPECT_EQ(taken.size(), expected.size() / 2);
    for (std::string& text : Take()) taken.push_back(std::move(text));
    EXPECT_EQ(taken, expected);
    EXPECT_TRUE(mailbox_.empty());
  }
}

// C45: one that never reads holds one entry a user.
TEST_F(MailboxTest, AWatcherThatNeverReadsHoldsOneEntryAUser) {
  for (int i = 0; i < 10'000; ++i) {
    Put("u1", static_cast<State>(i % 5), static_cast<State>((i + 1) % 5));
    ASSERT_LE(mailbox_.size(), 1u);
  }
}

// § 9: within a byte limit; one that is full is dropped.
class FullMailboxTest : public MailboxTest {
 protected:
  FullMailboxTest() : MailboxTest({.mailbox_bytes = kBytes}) {}
  static constexpr std::size_t kBytes = 20'000;
};

TEST_F(FullMailboxTest, HoldsAsManyBytesAsItMayAndNotOneMore) {
  int put = 0;
  while (!mailbox_.full()) {
    ASSERT_LE(mailbox_.bytes(), kBytes);
    ASSERT_EQ(mailbox_.size(), static_cast<std::size_t>(put));
    Put(absl::StrCat("u", put++), kOffline, kActive);
  }
  EXPECT_GT(put, 10);
  EXPECT_TRUE(mailbox_.empty());
  EXPECT_EQ(mailbox_.bytes(), 0u);
  // It takes nothing until it is opened.
  Put("u1", kActive, kIdle);
  EXPECT_TRUE(mailbox_.empty());
  mailbox_.Open();
  Put("u1", kIdle, kAway);
  EXPECT_THAT(Take(), ElementsAre(absl::StrCat("u1 AWAY ", revision_)));
  EXPECT_EQ(mailbox_.bytes(), 0u);
}

TEST_F(FullMailboxTest, WhatCoalescesOrVanishesDoesNotFillIt) {
  for (int i = 0; i < 10'000; ++i) {
    Put("u1", kActive, kIdle);
    Put("u1", kIdle, kAway);
    Put("u2", kActive, kIdle);
    Put("u2", kIdle, kActive);
    if (i % 7 == 0) mailbox_.Drop("u1");
    if (i % 5 == 0) Take(1);
    ASSERT_FALSE(mailbox_.full());
    ASSERT_LE(mailbox_.bytes(), kBytes / 10);
  }
}

// § 9: a change is told if its before or its after is of interest; coalesced,
// the before of the first and the after of the last. C46.
class MailboxOfActiveTest : public MailboxTest {
 protected:
  MailboxOfActiveTest() : MailboxTest({.states = {kActive}}) {}
};

TEST_F(MailboxOfActiveTest, WhatLeadsIntoOrOutOfAStateOfInterestIsKept) {
  Put("u1", kOffline, kActive);
  Put("u2", kActive, kIdle);
  Put("u3", kIdle, kAway);
  EXPECT_THAT(Take(), ElementsAre("u1 ACTIVE 1", "u2 IDLE 2"));
}

TEST_F(MailboxOfActiveTest, TheBeforeOfTheFirstAndTheAfterOfTheLastCount) {
  Put("u1", kActive, kIdle);
  Put("u1", kIdle, kAway);
  // Neither: it was not seen that they were there.
  Put("u2", kIdle, kActive);
  Put("u2", kActive, kAway);
  Put("u3", kIdle, kAway);
  Put("u3", kAway, kActive);
  EXPECT_EQ(mailbox_.size(), 2u);
  EXPECT_THAT(Take(), ElementsAre("u1 AWAY 2", "u3 ACTIVE 6"));
}

// § 9: DEVICES: the state per device class too.
class MailboxOfDevicesTest : public MailboxTest {
 protected:
  MailboxOfDevicesTest() : MailboxTest({.detail = Detail::kDevices}) {}
};

TEST_F(MailboxOfDevicesTest, ThereAndBackIsOnlyWhatIsSoOnEveryDevice) {
  Put("u1", kActive, kIdle, kActive, kIdle);
  Put("u1", kIdle, kActive, kIdle, kOffline);
  Put("u2", kActive, kActive, kIdle, kActive);
  Put("u2", kActive, kActive, kActive, kIdle);
  EXPECT_THAT(Take(), ElementsAre("u1 ACTIVE 2"));
}

}  // namespace
}  // namespace lifesign
