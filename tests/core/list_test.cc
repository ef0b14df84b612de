// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 10: ListPresences.
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/core/query/list.h"
#include "server/core/session/slot_stamps.h"
#include "tests/testing/presence_story.h"

namespace lifesign {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

const ListFilter kLive{
    {State::kActive, State::kIdle, State::kAway, State::kStale}, {}};

class ListTest : public PresenceStory {};

TEST_F(ListTest, TellsWhoIsOnlineAsAReadOfEachWould) {
  Login("u1/a", {.device = DeviceClass::kWeb});
  Open("u2/a");
  Login("u3/a");
  Leave("u3/a");
  At(7);
  const PresencePage page = engine().List(kLive, {}, 10, now());
  EXPECT_FALSE(page.next.has_value());
  EXPECT_THAT(NamesOf(page), UnorderedElementsAre("u1", "u2"));
  for (const UserView& listed : page.users) {
    const UserView read = User(listed.record.user);
    EXPECT_EQ(listed.record.state, read.record.state);
    EXPECT_EQ(listed.record.revision, read.record.revision);
    EXPECT_EQ(listed.record.last_seen, read.record.last_seen);
    EXPECT_EQ(listed.confidence, read.confidence);
    EXPECT_EQ(listed.sessions_by_state, read.sessions_by_state);
  }
}

TEST_F(ListTest, IsExactAtItsInstantAlsoBetweenTicks) {
  Login("u1/a");
  JumpTo(14.999);
  EXPECT_THAT(List({{State::kActive}, {}}), UnorderedElementsAre("u1"));
  JumpTo(15);
  EXPECT_THAT(List({{State::kActive}, {}}), IsEmpty());
  EXPECT_THAT(List({{State::kIdle}, {}}), UnorderedElementsAre("u1"));
  // What it found is told.
  EXPECT_THAT(EventsOf("u1"), SizeIs(2));
}

TEST_F(ListTest, StatesMayBeAnySetOfflineTellsWhoIsRemembered) {
  Login("active/a");
  Open("idle/a");
  Open("away/a", {.with = SignalKind::kBackground});
  Login("gone/a");
  Leave("gone/a");
  EXPECT_THAT(List({{State::kIdle, State::kAway}, {}}),
              UnorderedElementsAre("idle", "away"));
  EXPECT_THAT(List({{State::kOffline}, {}}), UnorderedElementsAre("gone"));
  EXPECT_THAT(List({StateSet::All(), {}}),
              UnorderedElementsAre("active", "idle", "away", "gone"));
}

TEST_F(ListTest, SeenWithinCountsFromTheLastTimeHeardLeaveIncluded) {
  Login("u1/a");
  At(10);
  Login("u2/a");
  At(30);
  Leave("u1/a");
  At(40);
  EXPECT_THAT(List({StateSet::All(), seconds(10)}), UnorderedElementsAre("u1"));
  EXPECT_THAT(List({StateSet::All(), seconds(10) - Duration(1)}), IsEmpty());
  EXPECT_THAT(List({StateSet::All(), seconds(30)}),
              UnorderedElementsAre("u1", "u2"));
  EXPECT_THAT(List({kLive.states, seconds(30)}), UnorderedElementsAre("u2"));
  JumpWall(-3'600);
  EXPECT_THAT(List({StateSet::All(), seconds(10)}), UnorderedElementsAre("u1"));
}

TEST_F(ListTest, ACallLooksAtABoundedNumberOfUsersAndShards) {
  PresenceEngine::Options options;
  options.shards = 4'096;
  Begin(options);
  Login("u1/a");
  std::size_t pages = 0;
  std::vector<std::string> all;
  absl::optional<ListPlace> from;
  do {
    const PresencePage page = engine().List(kLive, from, 1'000, now());
    for (const std::string& name : NamesOf(page)) all.push_back(name);
    from = page.next;
    ++pages;
  } while (from.has_value());
  EXPECT_THAT(all, UnorderedElementsAre("u1"));
  EXPECT_LE(pages, 2u);

  options.shards = 1;
  Begin(options);
  for (std::uint32_t i = 0; i <= limits::kListedSlotsPerPage; ++i) {
    Open(absl::StrCat("u", i, "/a"));
  }
  const PresencePage nobody =
      engine().List({{State::kActive}, {}}, {}, 1'000, now());
  EXPECT_THAT(nobody.users, IsEmpty());
  EXPECT_TRUE(nobody.next.has_value());
}

TEST_F(ListTest, APlaceThatNeverWasIsTheEnd) {
  Login("u1/a");
  for (const ListPlace& place :
       {ListPlace{1, 1'000'000, 0}, ListPlace{1, 3, 0xFFFFFFFF}}) {
    const PresencePage page = engine().List(kLive, place, 10, now());
    EXPECT_THAT(page.users, IsEmpty());
    EXPECT_FALSE(page.next.has_value());
  }
}

// C65.
TEST_F(ListTest, APageIsFilledWithWhoMatchesNotWithWhoWasLookedAt) {
  for (int i = 0; i < 100; ++i) {
    const std::string name = absl::StrCat("u", i, "/a");
    i % 11 == 0 ? Login(name) : Open(name);
  }
  // 0, 11, …, 99: ten; one leaves.
  Leave("u99/a");
  const PresencePage page = engine().List({{State::kActive}, {}}, {}, 9, now());
  EXPECT_THAT(page.users, SizeIs(9));
  EXPECT_THAT(List({{State::kActive}, {}}, 9), SizeIs(9));
  EXPECT_THAT(List({{State::kActive}, {}}, 1), SizeIs(9));
}

TEST_F(ListTest, WhoIsForgottenAndComesBackIsNotMetTwice) {
  PresenceEngine::Options options;
  options.shards = 1;
  options.max_retained_users = 0;
  Begin(options);
  Login("early/a");
  Login("spare/a");
  Login("late/a");
  const PresencePage first = engine().List(kLive, {}, 1, now());
  const std::string met = NamesOf(first)[0];
  const std::string other = met == "early" ? "spare" : "early";
  Leave(absl::StrCat(met, "/a"));
  Login("squatter/a");  // takes the slot that became free
  Login(absl::StrCat(met, "/a"));
  std::vector<std::string> rest;
  absl::optional<ListPlace> from = first.next;
  while (from.has_value()) {
    const PresencePage page = engine().List(kLive, from, 1, now());
    for (const std::string& name : NamesOf(page)) rest.push_back(name);
    from = page.next;
  }
  EXPECT_THAT(rest, UnorderedElementsAre(other, "late"));
  // One that begins now meets all of them.
  EXPECT_THAT(List(kLive, 1),
              UnorderedElementsAre("early", "spare", "late", "squatter"));
}

// Whoever matches throughout appears exactly once, others at most once.
TEST_F(ListTest, UnderChurnNobodyWhoStayedIsMissedOrRepeated) {
  std::mt19937_64 random(65);
  for (int round = 0; round < 20; ++round) {
    PresenceEngine::Options options;
    options.shards = 1 + static_cast<int>(random() % 3);
    options.max_retained_users = static_cast<std::int64_t>(random() % 4);
    Begin(options);
    std::set<std::string> stay;
    std::set<std::string> go;
    for (int i = 0; i < 60; ++i) {
      const std::string name = absl::StrCat("u", i);
      Login(absl::StrCat(name, "/a"));
      (i % 3 == 0 ? stay : go).insert(name);
    }
    std::map<std::string, int> met;
    absl::optional<ListPlace> from;
    do {
      const PresencePage page =
          engine().List({{State::kActive}, {}}, from, 1 + random() % 5, now());
      for (const std::string& name : NamesOf(page)) ++met[name];
      from = page.next;
      for (int i = 0; i < 40; ++i) {
        const std::string name = absl::StrCat("u", random() % 80);
        if (stay.contains(name)) {
          Active(absl::StrCat(name, "/a"));
        } else if (go.insert(name).second) {
          Login(absl::StrCat(name, "/a"));
        } else {
          Leave(absl::StrCat(name, "/a"));
          go.erase(name);
        }
      }
    } while (from.has_value());
    for (const std::string& name : stay) EXPECT_EQ(met[name], 1) << name;
    for (const auto& [name, times] : met) EXPECT_LE(times, 1) << name;
  }
}

TEST(SlotStampsTest, TellWhenASlotWasTakenLast) {
  SlotStamps stamps;
  stamps.Take(0, 7);
  stamps.Take(1'000, 7);
  stamps.Take(1, 9);
  stamps.Take(0, 12);
  EXPECT_EQ(stamps.TakenAt(0), 12u);
  EXPECT_EQ(stamps.TakenAt(1), 9u);
  EXPECT_EQ(stamps.TakenAt(1'000), 7u);
}

TEST(SlotStampsTest, BeyondFourThousandMillionsTheOldestAreOnlyKnownToBeOld) {
  constexpr std::uint64_t kFirst = 100;
  constexpr std::uint64_t kSpan = std::uint64_t{1} << 32;
  SlotStamps stamps;
  stamps.Take(0, kFirst);
  stamps.Take(1, kFirst + kSpan - 1);
  EXPECT_EQ(stamps.TakenAt(0), kFirst);
  EXPECT_EQ(stamps.TakenAt(1), kFirst + kSpan - 1);
  stamps.Take(2, kFirst + kSpan);
  EXPECT_EQ(stamps.TakenAt(2), kFirst + kSpan);
  EXPECT_EQ(stamps.TakenAt(1), kFirst + kSpan - 1);
  EXPECT_LE(stamps.TakenAt(0), kFirst + kSpan / 2);
}

}  // namespace
}  // namespace lifesign
