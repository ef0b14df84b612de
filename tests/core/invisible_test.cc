// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Users who are invisible, as those see them who see through, and what becomes
// of them: concepts.md § 13. That nobody else sees anything is held by
// tests/transport/invisible.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/presence_story.h"

namespace lifesign {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsNan;

constexpr AvailabilityDeclaration kAvailable = {AvailabilityKind::kAvailable,
                                                "", absl::nullopt};
constexpr AvailabilityDeclaration kBusy = {AvailabilityKind::kBusy, "",
                                           absl::nullopt};
constexpr AvailabilityDeclaration kInvisible = {AvailabilityKind::kInvisible,
                                                "", absl::nullopt};

AvailabilityDeclaration InvisibleFor(Duration length) {
  AvailabilityDeclaration said = kInvisible;
  said.expires_in = length;
  return said;
}

class InvisibleTest : public PresenceStory {
 protected:
  // What everybody was told, and what those were who see through.
  void ExpectStory(const std::vector<std::string>& texts) {
    EXPECT_THAT(EventsOf("u"), ElementsAreArray(Tells(texts)));
  }
  void ExpectTruth(const std::vector<std::string>& texts) {
    EXPECT_THAT(TrueEventsOf("u"), ElementsAreArray(Tells(texts)));
  }
  UserView Truth() { return User("u", View::kTrue); }
};

TEST_F(InvisibleTest, OthersSeeALeaveAndThoseWhoSeeThroughAnAvailability) {
  Login("u/a");
  At(5);
  Declare("u/a", kInvisible);
  At(6);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→OFFLINE LEAVE @5"});
  ExpectTruth({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→ACTIVE AVAILABILITY @5"});
  EXPECT_EQ(StateOf("u"), State::kOffline);
  EXPECT_EQ(AvailabilityOf("u"), "AVAILABLE");
  EXPECT_EQ(SessionsOf("u"), 0u);
  EXPECT_EQ(Truth().record.state, State::kActive);
  EXPECT_EQ(Text(Truth().record.availability), "INVISIBLE");
  EXPECT_EQ(engine().ListSessions("u", now(), View::kTrue).size(), 1u);
}

TEST_F(InvisibleTest, TheSignalThatSaysSoIsNoActivityToOthers) {
  Open("u/a", {.with = SignalKind::kIdle});
  At(5);
  Declare("u/a", kInvisible);
  ExpectStory({"OFFLINE→IDLE SIGNAL @0", "IDLE→OFFLINE LEAVE @5"});
  ExpectTruth({"OFFLINE→IDLE SIGNAL @0", "IDLE→ACTIVE SIGNAL @5"});
  const PresenceRecord shown = User("u").record;
  EXPECT_EQ(OnTheWall(shown.since), 5);
  EXPECT_EQ(OnTheWall(shown.last_seen), 5);
  EXPECT_THAT(OnTheWall(shown.last_active), IsNan());
  EXPECT_EQ(OnTheWall(Truth().record.last_active), 5);
}

// "Until the user is visible again nothing public moves."
TEST_F(InvisibleTest, NothingPublicMovesAndWhatIsTrueGoesOn) {
  Login("u/a");
  At(5);
  Declare("u/a", kInvisible);
  const Revision frozen = User("u").record.revision;
  Beat("u/a", 10, 45);
  At(50);
  Login("u/b");
  At(100);
  EXPECT_EQ(User("u").record.revision, frozen);
  EXPECT_EQ(OnTheWall(User("u").record.last_seen), 5);
  EXPECT_EQ(OnTheWall(User("u").record.last_active), 0);
  EXPECT_EQ(User("u").confidence, 0);
  EXPECT_EQ(OnTheWall(Truth().record.last_seen), 50);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→OFFLINE LEAVE @5"});
  ExpectTruth({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→ACTIVE AVAILABILITY @5",
               "ACTIVE→IDLE DECAY @65"});
}

// C69.
TEST_F(InvisibleTest, BecomingVisibleWhileLiveIsARise) {
  Login("u/a");
  At(5);
  Declare("u/a", kInvisible);
  At(20);
  Login("u/b");
  Beat("u/b", 10, 310);
  At(320);
  Declare("u/b", kAvailable);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→OFFLINE LEAVE @5",
               "OFFLINE→ACTIVE SIGNAL @320"});
  const PresenceRecord shown = User("u").record;
  EXPECT_EQ(OnTheWall(shown.since), 320);
  EXPECT_EQ(OnTheWall(shown.last_seen), 320);
  EXPECT_EQ(OnTheWall(shown.last_active), 320);
  const PresenceRecord truth = Truth().record;
  EXPECT_EQ(truth.cause, Cause::kAvailability);
  EXPECT_EQ(OnTheWall(truth.since), 0);
}

TEST_F(InvisibleTest, ItRunsOutAndNothingOfBeforeIsTold) {
  Login("u/a");
  Declare("u/a", InvisibleFor(seconds(100)));
  At(95);
  Active("u/a");
  Login("u/b", {.device = DeviceClass::kMobile});
  At(99);
  EXPECT_EQ(StateOf("u"), State::kOffline);
  At(101);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→OFFLINE LEAVE @0",
               "OFFLINE→ACTIVE SIGNAL @100 (a tick)"});
  EXPECT_EQ(OnTheWall(User("u").record.last_seen), 0);
  EXPECT_EQ(OnTheWall(User("u").record.last_active), 0);
  const SessionView session = Session("u/a");
  EXPECT_FALSE(session.opened_at.has_value());
  EXPECT_FALSE(session.last_seen.has_value());
  EXPECT_FALSE(session.last_active.has_value());
  EXPECT_EQ(session.attachment, kNoAttachment);
  EXPECT_EQ(session.confidence, 1);
  for (const auto& explained : engine().Explain("u", now()).sessions) {
    EXPECT_FALSE(explained.signal_age.has_value());
    EXPECT_FALSE(explained.activity_age.has_value());
  }
  // Who sees through is told all of it.
  EXPECT_EQ(OnTheWall(Truth().record.last_seen), 95);
  EXPECT_EQ(
      OnTheWall(engine().ListSessions("u", now(), View::kTrue)[0].opened_at),
      0);
  // An activity from before, told later, is not told to others.
  At(102);
  Send("u/a", SignalKind::kActive, seconds(4));
  EXPECT_EQ(OnTheWall(User("u").record.last_seen), 102);
  EXPECT_EQ(OnTheWall(User("u").record.last_active), 0);
  At(103);
  Active("u/a");
  EXPECT_EQ(OnTheWall(User("u").record.last_active), 103);
  EXPECT_EQ(OnTheWall(Session("u/a").last_active), 103);
}

TEST_F(InvisibleTest, AReadAtTheInstantFindsThemVisible) {
  Login("u/a");
  Declare("u/a", InvisibleFor(seconds(5)));
  JumpTo(4.999);
  EXPECT_EQ(StateOf("u"), State::kOffline);
  JumpTo(5);
  EXPECT_EQ(StateOf("u"), State::kActive);
  EXPECT_EQ(SessionsOf("u"), 1u);
}

// "While offline it shows nothing."
TEST_F(InvisibleTest, WhoLeftMeanwhileLeftBefore) {
  Login("u/a");
  At(5);
  Declare("u/a", kInvisible);
  At(50);
  Active("u/a");
  Leave("u/a");
  DeclareAlone("u", kAvailable);
  At(60);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→OFFLINE LEAVE @5"});
  EXPECT_EQ(OnTheWall(User("u").record.last_seen), 5);
  EXPECT_EQ(OnTheWall(Truth().record.last_seen), 50);
  EXPECT_EQ(Truth().record.cause, Cause::kLeave);
  At(70);
  Login("u/a");
  At(71);
  Leave("u/a");
  EXPECT_EQ(OnTheWall(User("u").record.last_seen), 71);
  EXPECT_EQ(OnTheWall(Truth().record.last_seen), 71);
}

// "Survives going offline": a login of an invisible user is none.
TEST_F(InvisibleTest, ALoginIsNoneWhileItHolds) {
  Login("u/a");
  Declare("u/a", kInvisible);
  Leave("u/a");
  At(30);
  const Client again = Login("u/a");
  EXPECT_FALSE(again.opened.resumed);
  At(31);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→OFFLINE LEAVE @0"});
  EXPECT_EQ(Truth().record.state, State::kActive);
  // The session is there for whoever speaks for it.
  EXPECT_TRUE(Login("u/a").opened.resumed);
  EXPECT_TRUE(Active("u/a").ok());
}

TEST_F(InvisibleTest, WhoComesInvisiblyWasNeverHere) {
  Login("u/a", {.declaring = kInvisible});
  EXPECT_FALSE(User("u").record.known);
  EXPECT_THAT(EventsOf("u"), ElementsAre());
  EXPECT_EQ(Truth().record.state, State::kActive);
  At(5);
  DeclareAlone("u", kBusy);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @5"});
  EXPECT_EQ(AvailabilityOf("u"), "BUSY");
  EXPECT_THAT(OnTheWall(User("u").record.last_seen), IsNan());
}

TEST_F(InvisibleTest, FromBusyToInvisibleAndBack) {
  Login("u/a");
  Declare("u/a", kBusy);
  At(5);
  Declare("u/a", kInvisible);
  At(10);
  Declare("u/a", kBusy);
  At(11);
  ExpectStory({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→ACTIVE AVAILABILITY @0",
               "ACTIVE→OFFLINE LEAVE @5", "OFFLINE→ACTIVE SIGNAL @10"});
  EXPECT_EQ(AvailabilityOf("u"), "BUSY");
  ExpectTruth({"OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→ACTIVE AVAILABILITY @0",
               "ACTIVE→ACTIVE AVAILABILITY @5",
               "ACTIVE→ACTIVE AVAILABILITY @10"});
}

// Both views order what they tell of a user.
TEST_F(InvisibleTest, TrueRevisionsRiseAndMeetThePublicOnesAgain) {
  Login("u/a");
  Declare("u/a", kInvisible);
  for (int i = 0; i < 5; ++i) {
    Open("u/a", {.with = SignalKind::kActive, .device = DeviceClass::kTv});
    Declare("u/a", {AvailabilityKind::kInvisible, i % 2 == 0 ? "a" : "b",
                    absl::nullopt});
  }
  Declare("u/a", kAvailable);
  At(20);
  Revision newest = 0;
  for (const Event& event : TrueEventsOf("u")) {
    EXPECT_GT(event.change.after.revision, newest);
    newest = event.change.after.revision;
  }
  EXPECT_EQ(User("u").record.revision, Truth().record.revision);
}

// Revisions, attachments and confidence of others do not tell.
TEST_F(InvisibleTest, NumbersOfOthersDoNotTell) {
  std::vector<Attachment> attachments;
  std::vector<Revision> revisions;
  for (const bool hides : {true, false}) {
    PresenceEngine::Options options;
    options.shards = 1;
    Begin(std::move(options));
    Login("u/a");
    if (hides) Declare("u/a", kInvisible);
    if (!hides) Leave("u/a");
    for (int i = 0; hides && i < 3; ++i) {
      Login("u/b");
      Open("u/c", {.with = SignalKind::kIdle});
    }
    attachments.push_back(Login("v/a").opened.ref.attachment);
    revisions.push_back(User("v").record.revision);
  }
  EXPECT_EQ(attachments[0], attachments[1]);
  EXPECT_EQ(revisions[0], revisions[1]);
}

// "Never forgotten before its expiry."
TEST_F(InvisibleTest, OutlastsWhatIsRememberedOfThem) {
  Policy policy;
  policy.offline_retention = seconds(10);
  BeginWith(policy);
  Login("u/a");
  Declare("u/a", kInvisible);
  Leave("u/a");
  At(30);
  EXPECT_FALSE(Truth().record.known);
  Login("u/a", {.declaring = kBusy});
  At(31);
  EXPECT_FALSE(User("u").record.known);
  EXPECT_EQ(Text(Truth().record.availability), "INVISIBLE");
}

TEST_F(InvisibleTest, RoomForThemIsCountedApart) {
  PresenceEngine::Options options;
  options.shards = 1;
  options.max_declared_availabilities = 1;
  Begin(std::move(options));
  for (const char* name : {"u/a", "v/a", "w/a"}) Login(name);
  EXPECT_TRUE(Declare("u/a", kInvisible).ok());
  EXPECT_TRUE(Declare("v/a", kBusy).ok());
  EXPECT_EQ(Declare("w/a", kBusy).refusal, Refusal::kTooManyAvailabilities);
  EXPECT_EQ(Declare("w/a", kInvisible).refusal,
            Refusal::kTooManyAvailabilities);
  EXPECT_EQ(Declare("u/a", kBusy).refusal, Refusal::kTooManyAvailabilities);
  EXPECT_EQ(Truth().record.state, State::kActive);
  EXPECT_EQ(StateOf("u"), State::kOffline);
}

}  // namespace
}  // namespace lifesign
