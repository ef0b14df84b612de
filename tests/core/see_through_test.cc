// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Watches of everyone, and rooms, as those see them who see through:
// concepts.md §§ 9, 11, 13.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/presence_story.h"

namespace lifesign {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr AvailabilityDeclaration kAvailable = {AvailabilityKind::kAvailable,
                                                "", absl::nullopt};
constexpr AvailabilityDeclaration kInvisible = {AvailabilityKind::kInvisible,
                                                "", absl::nullopt};

class SeeThroughTest : public PresenceStory {
 protected:
  SeeThroughTest() {
    PresenceEngine::Options options;
    options.shards = 1;
    Begin(std::move(options));
  }

  static std::shared_ptr<Watch> NewWatch(View view) {
    auto watch = std::make_shared<Watch>(std::weak_ptr<WatchListener>(),
                                         WatchTerms{.view = view});
    watch->OpenMailbox();
    return watch;
  }
  std::string Word(const PresenceRecord& record) {
    return record.user + (IsLive(record.state) ? " live " : " gone ") +
           Text(record.availability);
  }
  std::vector<std::string> Slice(const std::shared_ptr<Watch>& watch,
                                 PresenceEngine::AllCopy& copy) {
    std::vector<std::string> words;
    const auto slice = engine().CopyAllAndRegister(watch, 100'000, copy, now());
    for (const PresenceRecord& record : slice.records) {
      words.push_back(Word(record));
    }
    return words;
  }
  // All slices of a copy, to the end.
  std::vector<std::string> CopyAll(const std::shared_ptr<Watch>& watch,
                                   PresenceEngine::AllTold told = {}) {
    PresenceEngine::AllCopy copy;
    copy.told = std::move(told);
    std::vector<std::string> words;
    while (!engine().HasCopiedAll(copy)) {
      for (std::string& word : Slice(watch, copy)) {
        words.push_back(std::move(word));
      }
    }
    return words;
  }
  std::vector<std::string> MailOf(const std::shared_ptr<Watch>& watch) {
    std::vector<std::string> words;
    for (const auto& change : watch->Take(100).mail) {
      words.push_back(Word(change->change.after));
    }
    return words;
  }
};

TEST_F(SeeThroughTest, EveryoneIsListedToWhoSeesThrough) {
  Login("u/a");
  Login("v/a");
  Declare("u/a", kInvisible);
  const auto shown = NewWatch(View::kPublic);
  const auto truth = NewWatch(View::kTrue);
  EXPECT_THAT(CopyAll(shown), ElementsAre("v live AVAILABLE"));
  EXPECT_THAT(CopyAll(truth),
              UnorderedElementsAre("u live INVISIBLE", "v live AVAILABLE"));
  Leave("u/a");
  At(1);
  EXPECT_THAT(MailOf(shown), IsEmpty());
  EXPECT_THAT(MailOf(truth), ElementsAre("u gone AVAILABLE"));
}

TEST_F(SeeThroughTest, WhoHidesAndLeavesWhileEveryoneIsCopiedIsTold) {
  Login("u/a");
  const auto truth = NewWatch(View::kTrue);
  PresenceEngine::AllCopy copy;
  EXPECT_THAT(Slice(truth, copy), ElementsAre("u live AVAILABLE"));
  ASSERT_FALSE(engine().HasCopiedAll(copy));
  Declare("u/a", kInvisible);
  Leave("u/a");
  EXPECT_THAT(Slice(truth, copy), ElementsAre("u gone AVAILABLE"));
  EXPECT_TRUE(engine().HasCopiedAll(copy));
  EXPECT_THAT(MailOf(truth), IsEmpty());
}

TEST_F(SeeThroughTest, WhoIsShownWhileEveryoneIsCopiedIsTold) {
  Login("u/a");
  Declare("u/a", kInvisible);
  const auto truth = NewWatch(View::kTrue);
  PresenceEngine::AllCopy copy;
  EXPECT_THAT(Slice(truth, copy), IsEmpty());
  Declare("u/a", kAvailable);
  EXPECT_THAT(Slice(truth, copy), IsEmpty());
  EXPECT_TRUE(engine().HasCopiedAll(copy));
  EXPECT_THAT(MailOf(truth), ElementsAre("u live AVAILABLE"));
}

// What is copied is not told again, though it was not published yet.
TEST_F(SeeThroughTest, WhatIsInTheCopyIsNotDelivered) {
  const SessionRef ref = Login("u/a").opened.ref;
  Declare("u/a", kInvisible);
  Signal leave;
  leave.kind = SignalKind::kLeave;
  engine().Apply(ref, leave, now());
  const auto truth = NewWatch(View::kTrue);
  EXPECT_THAT(CopyAll(truth), ElementsAre("u gone AVAILABLE"));
  At(1);
  EXPECT_THAT(MailOf(truth), IsEmpty());
}

// Nor if what all others are told of it has the same revision.
TEST_F(SeeThroughTest, WhoBecameVisibleBeforeTheCopyIsNotToldAgain) {
  const SessionRef ref = Login("u/a").opened.ref;
  Declare("u/a", kInvisible);
  At(1);
  Declaration declaration;
  declaration.availability = &kAvailable;
  engine().ApplyDeclaring(ref, Signal(), declaration, now());
  const auto truth = NewWatch(View::kTrue);
  EXPECT_THAT(CopyAll(truth), ElementsAre("u live AVAILABLE"));
  At(2);
  EXPECT_THAT(MailOf(truth), IsEmpty());
}

TEST_F(SeeThroughTest, WhatChangedSinceIsCopiedWhereverItLies) {
  Login("u/a");
  Login("v/a");
  Login("w/a");
  Declare("u/a", kInvisible);
  Declare("w/a", kInvisible);
  const auto shown = NewWatch(View::kPublic);
  const auto truth = NewWatch(View::kTrue);
  CopyAll(shown);
  CopyAll(truth);
  At(1);
  auto shown_told = engine().UnregisterAll(*shown);
  auto true_told = engine().UnregisterAll(*truth);
  Leave("u/a");
  Declare("w/a", kAvailable);
  EXPECT_THAT(CopyAll(shown, std::move(shown_told)),
              ElementsAre("w live AVAILABLE"));
  EXPECT_THAT(CopyAll(truth, std::move(true_told)),
              UnorderedElementsAre("u gone AVAILABLE", "w live AVAILABLE"));
  At(2);
  EXPECT_THAT(MailOf(truth), IsEmpty());
}

TEST_F(SeeThroughTest, ARoomIsLeftAsFarAsOthersAreConcerned) {
  Open("u/a", {.with = SignalKind::kActive, .rooms = {{"r"}}});
  Open("v/a", {.with = SignalKind::kActive, .rooms = {{"r"}}});
  EXPECT_EQ(In("r").users, 2);
  At(5);
  Declare("u/a", kInvisible);
  EXPECT_EQ(In("r").users, 1);
  EXPECT_EQ(In("r").sessions, 1);
  At(6);
  EXPECT_EQ(In("r", View::kTrue).users, 2);
  Join("u/a", "s");
  LeaveRoom("u/a", "r");
  const Revision frozen = In("r").revision;
  At(10);
  EXPECT_EQ(In("r").users, 1);
  EXPECT_EQ(In("r").revision, frozen);
  EXPECT_EQ(In("r", View::kTrue).users, 1);
  EXPECT_EQ(In("s").users, 0);
  EXPECT_EQ(In("s", View::kTrue).users, 1);
}

// "What happened meanwhile is never shown later."
TEST_F(SeeThroughTest, BecomingVisibleIsComingToTheRoomsOneIsIn) {
  Open("u/a", {.with = SignalKind::kActive, .rooms = {{"r"}}});
  Declare("u/a", kInvisible);
  At(100);
  Join("u/a", "s");
  At(110);
  EXPECT_EQ(In("s").lately[0].peak, 0);
  Declare("u/a", kAvailable);
  At(120);
  for (const char* room : {"r", "s"}) {
    EXPECT_EQ(In(room).users, 1) << room;
    EXPECT_EQ(In(room, View::kTrue).users, 1) << room;
  }
  EXPECT_NEAR(In("s").lately[0].mean, 10.0 / 60, 0.02);
  EXPECT_NEAR(In("s", View::kTrue).lately[0].mean, 20.0 / 60, 0.02);
  Leave("u/a");
  EXPECT_EQ(In("r").users, 0);
  EXPECT_EQ(In("r", View::kTrue).users, 0);
}

std::vector<std::string> MembersOf(const std::vector<PresenceRecord>& records) {
  std::vector<std::string> users;
  for (const PresenceRecord& record : records) users.push_back(record.user);
  return users;
}

TEST_F(SeeThroughTest, AWatchedRoomIsLeftAsFarAsOthersAreConcerned) {
  Open("u/a", {.with = SignalKind::kActive, .rooms = {{"r"}}});
  Open("v/a", {.with = SignalKind::kActive, .rooms = {{"r"}}});
  const auto shown = NewWatch(View::kPublic);
  const auto truth = NewWatch(View::kTrue);
  for (const auto& watch : {shown, truth}) {
    std::vector<PresenceRecord> records;
    Revision leads_to = 0;
    ASSERT_EQ(
        engine().CopyRoomAndRegister(watch, "r", 0, now(), records, leads_to),
        Room::Copied::kCopied);
    EXPECT_THAT(MembersOf(records), UnorderedElementsAre("u", "v"));
  }
  Declare("u/a", kInvisible);
  At(1);
  EXPECT_THAT(MailOf(shown), ElementsAre("u gone AVAILABLE"));
  EXPECT_THAT(MailOf(truth), IsEmpty());
  Leave("u/a");
  At(2);
  EXPECT_THAT(MailOf(shown), IsEmpty());
  EXPECT_THAT(MailOf(truth), ElementsAre("u gone AVAILABLE"));
  Leave("v/a");
  At(3);
  EXPECT_THAT(MailOf(shown), ElementsAre("v gone AVAILABLE"));
  EXPECT_THAT(MailOf(truth), ElementsAre("v gone AVAILABLE"));
}

// Who begins to watch when the two differ already finds what is true.
TEST_F(SeeThroughTest, AWatchBegunLaterFindsWhoIsThere) {
  Open("v/a", {.with = SignalKind::kActive, .rooms = {{"r"}}});
  Open(
      "u/a",
      {.with = SignalKind::kActive, .rooms = {{"r"}}, .declaring = kInvisible});
  At(1);
  for (const View view : {View::kPublic, View::kTrue}) {
    std::vector<PresenceRecord> records;
    Revision leads_to = 0;
    engine().CopyRoomAndRegister(NewWatch(view), "r", 0, now(), records,
                                 leads_to);
    EXPECT_EQ(MembersOf(records).size(), view == View::kTrue ? 2u : 1u);
  }
}

TEST_F(SeeThroughTest, WhoIsInvisibleWantsNobodyAndIsWantedByNobody) {
  Open("u/a", {.with = SignalKind::kActive, .rooms = {{"r"}}});
  Open("v/a", {.with = SignalKind::kActive, .rooms = {{"r"}}});
  Want("u/a", "v", "r", seconds(300));
  Want("v/a", "u", "r", seconds(300));
  EXPECT_THAT(WhoWants("v", "r"), ElementsAre("u"));
  EXPECT_THAT(WhoWants("u", "r"), ElementsAre("v"));
  Declare("u/a", kInvisible);
  At(1);
  // They end as with a LEAVE, for all.
  EXPECT_THAT(WhoWants("v", "r"), IsEmpty());
  EXPECT_THAT(WhoWants("v", "r", View::kTrue), IsEmpty());
  EXPECT_THAT(WhoWants("u", "r"), IsEmpty());
  EXPECT_THAT(WhoWants("u", "r", View::kTrue), ElementsAre("v"));
  Want("u/a", "v", "r", seconds(300));
  At(2);
  EXPECT_THAT(WhoWants("v", "r"), IsEmpty());
  EXPECT_THAT(WhoWants("v", "r", View::kTrue), ElementsAre("u"));
  Declare("u/a", kAvailable);
  At(3);
  EXPECT_THAT(WhoWants("v", "r"), IsEmpty());
  EXPECT_THAT(WhoWants("v", "r", View::kTrue), IsEmpty());
  EXPECT_THAT(WhoWants("u", "r"), ElementsAre("v"));
}

TEST_F(SeeThroughTest, OfAGuestWhoIsSomebodyInvisibleNobodyIsToldWhoTheyAre) {
  Login("g/a", {.rooms = {{"r"}}});
  At(10);
  EXPECT_TRUE(
      Open("u/a", {.guest = "g", .declaring = kInvisible}).opened.resumed);
  At(11);
  EXPECT_EQ(StateOf("u"), State::kOffline);
  EXPECT_EQ(StateOf("g"), State::kOffline);
  EXPECT_EQ(User("g").record.merged_into, nullptr);
  EXPECT_EQ(User("g", View::kTrue).record.merged_into, nullptr);
  EXPECT_EQ(In("r").users, 0);
  // But the session goes on.
  EXPECT_EQ(User("u", View::kTrue).record.state, State::kActive);
  EXPECT_EQ(In("r", View::kTrue).users, 1);
}

TEST_F(SeeThroughTest, OfAGuestWhoIsInvisibleNothingGoesOver) {
  Login("g/a", {.rooms = {{"r"}}});
  Declare("g/a", kInvisible);
  At(10);
  EXPECT_FALSE(
      Open("u/a", {.with = SignalKind::kActive, .guest = "g"}).opened.resumed);
  At(11);
  EXPECT_EQ(StateOf("u"), State::kActive);
  EXPECT_EQ(In("r").users, 0);
  EXPECT_EQ(In("r", View::kTrue).users, 0);
  EXPECT_EQ(User("g", View::kTrue).record.state, State::kOffline);
  EXPECT_EQ(User("g").record.merged_into, nullptr);
}

}  // namespace
}  // namespace lifesign
