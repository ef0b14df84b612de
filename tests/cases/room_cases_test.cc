// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What is seen in a room: by whoever watches its members, and how many they
// are. The engine alone.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/limits.h"
#include "tests/cases/core_cases.h"

namespace lifesign {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::SizeIs;

class Listener final : public WatchListener {
 public:
  explicit Listener(std::function<void()> on_mail)
      : on_mail_(std::move(on_mail)) {}
  void OnMail() override { on_mail_(); }

 private:
  const std::function<void()> on_mail_;
};

class RoomCases : public CoreCases {
 protected:
  RoomCases() {
    PresenceEngine::Options options;
    options.shards = 4;
    options.encode_rooms.occupancy = [](absl::string_view,
                                        const Occupancy& occupancy) {
      return std::make_shared<const Occupancy>(occupancy);
    };
    Begin(std::move(options));
  }

  // Watches who is in r1 and how many they are, from now on.
  void WatchR1() {
    WatchTerms terms;
    terms.detail = Detail::kDevices;
    members_ = std::make_shared<Watch>(members_listener_, terms);
    std::vector<PresenceRecord> records;
    Revision leads_to = 0;
    EXPECT_EQ(engine().CopyRoomAndRegister(members_, "r1", 0, now(), records,
                                           leads_to),
              Room::Copied::kCopied);
    for (const PresenceRecord& record : records) {
      snapshot_.push_back(record.user);
    }
    occupancy_ = std::make_shared<Watch>(occupancy_listener_, terms);
    engine().WatchOccupancy(occupancy_, "r1", now());
    TakeOccupancy();
  }

  // What the watcher of the members was told after the snapshot: of everyone,
  // and of one user.
  const std::vector<Event>& told_of_members() const { return told_of_members_; }
  std::vector<Event> ToldInR1(const std::string& user) const {
    std::vector<Event> events;
    for (const Event& event : told_of_members_) {
      if (event.change.after.user == user) events.push_back(event);
    }
    return events;
  }
  void ExpectInR1(const std::vector<std::string>& texts) {
    EXPECT_THAT(ToldInR1("u1"), ElementsAreArray(Tells(texts)));
  }
  // ROOM_TOO_LARGE ended the watch.
  bool ended() const { return ended_; }
  const std::vector<std::string>& snapshot() const { return snapshot_; }
  const std::vector<Occupancy>& told_of_occupancy() const {
    return told_of_occupancy_;
  }
  // "2/3": users and sessions, as told; of equal ones in a row the first.
  std::vector<std::string> Counts() const {
    std::vector<std::string> counts;
    for (const Occupancy& told : told_of_occupancy_) {
      std::string count = absl::StrCat(told.users, "/", told.sessions);
      if (counts.empty() || counts.back() != count) {
        counts.push_back(std::move(count));
      }
    }
    return counts;
  }

 private:
  void TakeMembers() {
    const Watch::Taken taken = members_->Take(limits::kChangesPerMessage);
    ended_ = ended_ || taken.ended;
    for (const PublishedChangePtr& change : taken.mail) {
      told_of_members_.push_back({second(), change->change});
    }
  }
  void TakeOccupancy() {
    const auto whole = occupancy_->Take(1).whole;
    ASSERT_NE(whole, nullptr);
    told_of_occupancy_.push_back(*static_cast<const Occupancy*>(whole.get()));
  }

  const std::shared_ptr<Listener> members_listener_ =
      std::make_shared<Listener>([this] { TakeMembers(); });
  const std::shared_ptr<Listener> occupancy_listener_ =
      std::make_shared<Listener>([this] { TakeOccupancy(); });
  std::shared_ptr<Watch> members_;
  std::shared_ptr<Watch> occupancy_;
  std::vector<std::string> snapshot_;
  std::vector<Event> told_of_members_;
  std::vector<Occupancy> told_of_occupancy_;
  bool ended_ = false;
};

TEST_F(RoomCases, C7_WhoComesBackToAFullRoomIsNoNewcomer) {
  for (int i = 1; i < limits::kMaxWatchedMembers; ++i) {
    Login(absl::StrCat("crowd", i, "/s"), {.rooms = {{"r1"}}});
  }
  Login("u1/s1", {.rooms = {{"r1"}}});
  WatchR1();
  EXPECT_THAT(snapshot(), SizeIs(limits::kMaxWatchedMembers));
  At(20);
  const Client back = Open("u1/s1", {.rooms = {{"r1"}}});
  EXPECT_TRUE(back.opened.ok());
  EXPECT_TRUE(back.opened.resumed);
  EXPECT_FALSE(back.opened.taken_over.has_value());
  EXPECT_EQ(back.opened.state, State::kIdle);
  EXPECT_EQ(In("r1").users, limits::kMaxWatchedMembers);
  EXPECT_THAT(Session("u1/s1").rooms, ElementsAre("r1"));
  At(300);
  EXPECT_FALSE(ended());
  const std::vector<std::string> decay = {
      "ACTIVE→IDLE DECAY @15", "IDLE→AWAY DECAY @60", "AWAY→STALE DECAY @200",
      "STALE→OFFLINE EXPIRY @260"};
  ExpectInR1(decay);
  std::vector<std::string> story = {"OFFLINE→ACTIVE SIGNAL @0"};
  story.insert(story.end(), decay.begin(), decay.end());
  ExpectStory(story);
  EXPECT_EQ(Counts().back(), "0/0");
}

// C67, in the room of C7: they were never there at a time.
TEST_F(RoomCases, C67_AGuestOfAFullRoomWhoLogsInIsNoNewcomer) {
  for (int i = 1; i < limits::kMaxWatchedMembers; ++i) {
    Login(absl::StrCat("crowd", i, "/s"), {.rooms = {{"r1"}}});
  }
  Login("g1/s1", {.rooms = {{"r1"}}});
  WatchR1();
  At(10);
  Open("u1/s1", {.guest = "g1"});
  At(11);
  EXPECT_FALSE(ended());
  EXPECT_EQ(In("r1").users, limits::kMaxWatchedMembers);
  for (const OccupancyFigures& figures : In("r1").lately) {
    EXPECT_EQ(figures.peak, limits::kMaxWatchedMembers);
  }
}

TEST_F(RoomCases, C21a_ARefreshUnderAnotherIdIsSilent) {
  Login("u1/s1", {.rooms = {{"r1"}}});
  WatchR1();
  At(10);
  Leave("u1/s1", seconds(5));
  At(10.8);
  Login("u1/s2", {.rooms = {{"r1"}}});
  At(15.2);
  EXPECT_EQ(SessionsOf("u1"), 1u);
  At(20);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0"});
  ExpectInR1({});
  EXPECT_THAT(Counts(), ElementsAre("1/1", "1/2", "1/1"));
}

TEST_F(RoomCases, C21b_APlainLeaveIsTakenAtItsWord) {
  Login("u1/s1", {.rooms = {{"r1"}}});
  WatchR1();
  At(10);
  Leave("u1/s1");
  At(10.8);
  Login("u1/s2", {.rooms = {{"r1"}}});
  At(12);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→OFFLINE LEAVE @10",
               "OFFLINE→ACTIVE SIGNAL @10.8"});
  ExpectInR1({"ACTIVE→OFFLINE LEAVE @10", "OFFLINE→ACTIVE SIGNAL @10.8"});
  EXPECT_THAT(Counts(), ElementsAre("1/1", "0/0", "1/1"));
}

TEST_F(RoomCases, C21c_TenRefreshesAreTenResumesAndNoTakeOver) {
  Login("u1/s1", {.rooms = {{"r1"}}});
  WatchR1();
  for (int i = 1; i <= 10; ++i) {
    At(i * 5);
    Leave("u1/s1", seconds(5));
    At(i * 5 + 0.8);
    const OpenOutcome opened =
        Login("u1/s1", {.instance = static_cast<Instance>(i) + 1}).opened;
    EXPECT_TRUE(opened.resumed);
    EXPECT_FALSE(opened.taken_over.has_value());
  }
  At(60);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0"});
  ExpectInR1({});
  EXPECT_THAT(Counts(), ElementsAre("1/1"));
}

TEST_F(RoomCases, C21d_WhoDoesNotReturnHasLeft) {
  Login("u1/s1", {.rooms = {{"r1"}}});
  WatchR1();
  At(10);
  Leave("u1/s1", seconds(5));
  At(20);
  ExpectStory(
      {"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→OFFLINE LEAVE @15 (a tick)"});
  ExpectInR1({"ACTIVE→OFFLINE LEAVE @15 (a tick)"});
  EXPECT_THAT(Counts(), ElementsAre("1/1", "0/0"));
}

TEST_F(RoomCases, C29_HowManyAreThereIsToldAsOfItsRevision) {
  for (int i = 1; i <= 6; ++i) {
    Login(absl::StrCat("u", i, "/s"), {.rooms = {{"r1"}}});
  }
  WatchR1();
  // What is derived at each revision.
  std::map<Revision, int> derived = {{In("r1").revision, In("r1").users}};
  for (int i = 1; i <= 6; ++i) {
    At(1 + 0.01 * (i - 1));
    Leave(absl::StrCat("u", i, "/s"));
    derived[In("r1").revision] = In("r1").users;
  }
  EXPECT_THAT(derived, SizeIs(7));
  At(2);
  int before = 6;
  for (const Occupancy& told : told_of_occupancy()) {
    ASSERT_EQ(derived.count(told.revision), 1u);
    EXPECT_EQ(told.users, derived[told.revision]);
    EXPECT_LE(told.users, before);
    before = told.users;
  }
  EXPECT_EQ(before, 0);
  EXPECT_THAT(told_of_members(), SizeIs(6));
}

TEST_F(RoomCases, C67a_AGuestBecomesAUserWhoIsThereAlready) {
  Login("g1/s1", {.rooms = {{"r1"}}});
  Login("u1/s2", {.rooms = {{"r1"}}});
  WatchR1();
  At(10);
  EXPECT_TRUE(Open("u1/s1", {.guest = "g1"}).opened.resumed);
  At(12);
  EXPECT_THAT(Counts(), ElementsAre("2/2", "1/2"));
  // The guest's place is taken by whom everyone sees already.
  EXPECT_THAT(told_of_members(), ElementsAre(Told("ACTIVE→OFFLINE LEAVE @10")));
  const PresenceRecord& guest = told_of_members().back().change.after;
  EXPECT_EQ(guest.user, "g1");
  EXPECT_EQ(*guest.merged_into, "u1");
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0"});
  EXPECT_THAT(EventsOf("g1"),
              ElementsAreArray(Tells(
                  {"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→OFFLINE LEAVE @10"})));
  EXPECT_EQ(*EventsOf("g1").back().change.after.merged_into, "u1");
}

TEST_F(RoomCases, C67b_AGuestBecomesAUserWhoWasNotThere) {
  Login("g1/s1", {.rooms = {{"r1"}}});
  WatchR1();
  const auto both = std::make_shared<Watch>(std::weak_ptr<WatchListener>());
  engine().CopyAndRegister(both, std::vector<std::string>{"g1", "u1"}, now());
  At(10);
  EXPECT_TRUE(Open("u1/s1", {.guest = "g1"}).opened.resumed);
  At(12);
  EXPECT_THAT(Counts(), ElementsAre("1/1"));
  EXPECT_THAT(told_of_members(), ElementsAre(Told("OFFLINE→ACTIVE SIGNAL @10"),
                                             Told("ACTIVE→OFFLINE LEAVE @10")));
  EXPECT_EQ(told_of_members().front().change.after.user, "u1");
  EXPECT_EQ(*told_of_members().back().change.after.merged_into, "u1");
  // Of their own changes the user's comes first, too.
  const Mail mail = both->Take(10).mail;
  ASSERT_THAT(mail, SizeIs(2));
  EXPECT_EQ(mail[0]->change.after.user, "u1");
  EXPECT_EQ(mail[1]->change.after.user, "g1");
  EXPECT_EQ(*mail[1]->change.after.merged_into, "u1");
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @10"});
}

}  // namespace
}  // namespace lifesign
