// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// `lifesign` itself, against a real server whose time is moved by hand.
#include <gmock/gmock.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "lifesign/v1/presence_service.pb.h"
#include "tests/cli/testing/program.h"
#include "tests/integration/testing/test_server.h"
#include "tests/integration/testing/unary_client.h"
#include "tests/testing/eventually.h"

namespace lifesign::testing {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

using Input = Program::Input;

constexpr std::uint64_t kOtherInstance = 4711;

std::string Binary() {
  const char* path = std::getenv("LIFESIGN_CLI");
  EXPECT_NE(path, nullptr);
  return path == nullptr ? "lifesign" : path;
}

google::protobuf::Struct ParseJson(const std::string& json) {
  google::protobuf::Struct object;
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(json, &object).ok())
      << json;
  return object;
}

class CommandsTest : public ::testing::Test {
 protected:
  CommandsTest() : server_(clock_, {}), calls_(server_.NewChannel()) {
    // Past the time in which a server that has just started waits for people.
    server_.Advance(seconds(90));
  }

  std::vector<std::string> Command(const std::string& arguments) const {
    std::vector<std::string> command =
        absl::StrSplit(arguments, ' ', absl::SkipEmpty());
    command.insert(command.begin(), Binary());
    return command;
  }
  std::vector<std::string> Environment() const {
    return {absl::StrCat("LIFESIGN_TARGET=127.0.0.1:", server_.port())};
  }
  Ended Run(const std::string& arguments) const {
    return RunToEnd(Command(arguments), Environment());
  }

  void Login(const std::string& user, const std::string& session,
             v1::DeviceClass device = v1::DEVICE_CLASS_WEB) {
    v1::SendSignalRequest request;
    request.set_user_id(user);
    request.set_session_id(session);
    request.mutable_open()->set_device_class(device);
    request.set_kind(v1::SIGNAL_KIND_ACTIVE);
    v1::SendSignalResponse response;
    EXPECT_TRUE(calls_.Send(request, response).ok());
  }
  v1::PresenceState StateOf(const std::string& user) {
    return calls_.Get(user).presence().state();
  }

  SimulatedClock clock_;
  TestServer server_;
  UnaryClient calls_;
};

TEST_F(CommandsTest, GetSpeaksToPeopleByTheServersClock) {
  Login("ann", "phone", v1::DEVICE_CLASS_MOBILE);
  server_.Advance(seconds(60));
  Login("ann", "tab");
  server_.Advance(seconds(30));
  const Ended ended = Run("get ann bob");
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.out,
              MatchesRegex("ann  idle     active 30 s ago on web, 2 sessions; "
                           "[0-9]+ % sure\n"
                           "bob  offline  never seen\n"));
  EXPECT_THAT(ended.errors, IsEmpty());
}

TEST_F(CommandsTest, GetOfNobodyWhoIsLiveSaysNo) {
  const Ended ended = Run("get bob");
  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(ended.out, "bob  offline  never seen\n");
}

TEST_F(CommandsTest, GetAsJsonIsOneObjectALineInTheNamesOfTheApi) {
  Login("ann", "tab");
  const Ended ended = Run("get ann bob --json");
  const std::vector<std::string> lines = absl::StrSplit(ended.out, '\n');
  ASSERT_EQ(lines.size(), 3u);
  const auto ann = ParseJson(lines[0]);
  const auto& presence = ann.fields().at("presence").struct_value().fields();
  EXPECT_EQ(presence.at("user_id").string_value(), "ann");
  EXPECT_EQ(presence.at("state").string_value(), "PRESENCE_STATE_ACTIVE");
  EXPECT_EQ(presence.at("confidence").number_value(), 1);
  EXPECT_EQ(ann.fields().at("read_time").string_value(),
            "2026-01-01T00:01:30Z");
  ParseJson(lines[1]);
}

TEST_F(CommandsTest, WhoTellsEverybodyWhoIsOnlineOrSaysNo) {
  EXPECT_EQ(Run("who").code, 1);
  EXPECT_EQ(Run("who").out, "");
  Login("ann", "tab");
  server_.Advance(seconds(20));
  Login("bo", "tab");
  const Ended ended = Run("who");
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(
      ended.out,
      AllOf(HasSubstr("ann  idle     active 20 s ago on web, 1 session;"),
            HasSubstr("bo   active   active now on web, 1 session;")));
  EXPECT_EQ(Run("who --state IDLE,away").out, Run("get ann").out);
  EXPECT_EQ(Run("who --seen-within 19s").out, Run("get bo").out);
  EXPECT_EQ(Run("who --state offline").code, 1);
  const auto json = ParseJson(Run("who --state active --json").out);
  EXPECT_EQ(json.fields()
                .at("presence")
                .struct_value()
                .fields()
                .at("user_id")
                .string_value(),
            "bo");
}

TEST_F(CommandsTest, WhoCountsUsersAndSessionsApart) {
  EXPECT_EQ(Run("who --count").code, 1);
  Login("ann", "tab");
  Login("ann", "phone", v1::DEVICE_CLASS_MOBILE);
  server_.Advance(seconds(20));
  Login("bo", "tab");
  server_.Advance(milliseconds(100));
  const Ended ended = Run("who --count");
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.out,
            "2 users online: 1 active, 1 idle; 2 remembered\n"
            "3 sessions: 1 active, 2 idle\n"
            "web     2 users, 2 sessions\n"
            "mobile  1 user, 1 session\n");
  v1::CountPresencesResponse counts;
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(
                  Run("who --count --json").out, &counts)
                  .ok());
  EXPECT_EQ(counts.sessions(), 3);
  EXPECT_EQ(Run("who --count --state idle").code, 2);
}

TEST_F(CommandsTest, WhoAsksForPageAfterPageAndEndsWhenNobodyReads) {
  for (int i = 0; i < 1'001; ++i) Login(absl::StrCat("u", i), "tab");
  const std::vector<std::string> lines = absl::StrSplit(Run("who").out, '\n');
  EXPECT_EQ(lines.size(), 1'002u);
  const Ended head =
      RunToEnd({"bash", "-c",
                absl::StrCat(absl::StrJoin(Command("who"), " "), " | head -1")},
               Environment());
  EXPECT_EQ(head.code, 0);
  EXPECT_THAT(head.errors, IsEmpty());
}

TEST_F(CommandsTest, AwaitWaitsUntilTheyAreThere) {
  Login("ann", "tab");
  EXPECT_EQ(Run("await ann bob").out, "ann is active\n");
  Program await(Command("await ann bob --all --state idle"), Input::kNothing,
                Environment());
  ASSERT_TRUE(server_.ReachesAwaits(1));
  server_.Advance(seconds(20));
  Login("bob", "tab");
  EXPECT_TRUE(await.AwaitOutput("ann is at least idle\n"));
  EXPECT_TRUE(await.AwaitOutput("bob is at least idle\n"));
  EXPECT_EQ(await.Wait(), 0);
}

TEST_F(CommandsTest, AwaitOfThoseWhoDoNotComeSaysNo) {
  Login("ann", "tab");
  Program await(Command("await ann bob cid --need 2 --wait 1m"),
                Input::kNothing, Environment());
  ASSERT_TRUE(server_.ReachesAwaits(1));
  server_.Advance(seconds(10));
  Login("ann", "tab");
  server_.Advance(seconds(10));
  Login("ann", "tab");
  server_.Advance(seconds(40));
  EXPECT_EQ(await.Wait(), 1);
  EXPECT_EQ(await.out(), "");
  EXPECT_EQ(await.errors(), "lifesign: 0 of the 2 needed\n");
  const Ended json = Run("await bob --wait 0s --json");
  EXPECT_EQ(json.code, 1);
  EXPECT_FALSE(ParseJson(json.out).fields().at("satisfied").bool_value());
}

TEST_F(CommandsTest, SessionsAreListedOrThereIsNone) {
  EXPECT_EQ(Run("sessions ann").code, 1);
  EXPECT_EQ(Run("sessions ann").out, "ann has no open session\n");
  EXPECT_EQ(Run("sessions ann --json").out, "");
  Login("ann", "tab");
  server_.Advance(seconds(5));
  const Ended ended = Run("sessions ann");
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.out,
            "tab  active   web, connected, in use; active 5 s ago, heard 5 s "
            "ago; 100 % sure\n");
  const auto json = ParseJson(Run("sessions ann --json").out);
  EXPECT_EQ(json.fields()
                .at("session")
                .struct_value()
                .fields()
                .at("session_id")
                .string_value(),
            "tab");
}

// concepts.md § 10: each session, its timers and caps, the rule that fired, why
// the user is what they are, the next change if nothing happens.
TEST_F(CommandsTest, ExplainSaysWhyAndWhatComesNext) {
  Login("ann", "tab");
  server_.Advance(seconds(5));
  const Ended ended = Run("explain ann");
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(
      ended.out,
      AllOf(StartsWith("ann is active since 00:01:30 (5 s; heard of): active "
                       "5 s ago on web, 1 session; 100 % sure\n"),
            HasSubstr("  > rule 3  last activity 5 s ago: active under 15 s"),
            HasSubstr("    rule 4  no cap runs\n"),
            EndsWith("\nIf nothing more is heard, ann becomes idle in 10 s, at "
                     "00:01:45.\n")));
  v1::ExplainPresenceResponse explained;
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(
                  Run("explain ann --json").out, &explained)
                  .ok());
  EXPECT_EQ(explained.next_change().state(), v1::PRESENCE_STATE_IDLE);
}

TEST_F(CommandsTest, RoomSaysHowManyAreThere) {
  Ended empty = Run("room lobby");
  EXPECT_EQ(empty.code, 1);
  EXPECT_THAT(empty.out, StartsWith("lobby  0 users, 0 sessions\n"));
  Program beat(Command("beat ann --session s1 --room lobby --room help"),
               Input::kPipe, Environment());
  ASSERT_TRUE(beat.AwaitOutput("ann/s1 is active"));
  ASSERT_TRUE(Eventually([&] { return Run("room lobby").code == 0; }));
  EXPECT_THAT(Run("room lobby").out,
              AllOf(StartsWith("lobby  1 user, 1 session: 1 active\n"),
                    HasSubstr("       last 1 min: at most 1, on average ")));
  const auto json = ParseJson(Run("room help --json").out);
  EXPECT_EQ(json.fields()
                .at("occupancy")
                .struct_value()
                .fields()
                .at("users")
                .number_value(),
            1);
}

TEST_F(CommandsTest, ExplainSaysWhetherTheUserIsInARoom) {
  Program beat(Command("beat ann --session s1 --room lobby"), Input::kPipe,
               Environment());
  ASSERT_TRUE(beat.AwaitOutput("ann/s1 is active"));
  const Ended there = Run("explain ann --room lobby");
  EXPECT_EQ(there.code, 0);
  EXPECT_THAT(there.out, AllOf(HasSubstr("\nIn lobby ann is active since "),
                               HasSubstr("; heard of), by s1.\n"),
                               HasSubstr("; not there any more in ")));
  EXPECT_THAT(
      Run("explain ann --room help").out,
      HasSubstr("\nIn help ann is not: no session of theirs is there.\n"));
  EXPECT_THAT(Run("explain ann").out, Not(HasSubstr("lobby")));
}

TEST_F(CommandsTest, WhoIsInARoomAndHowMany) {
  EXPECT_EQ(Run("who --room lobby").code, 1);
  EXPECT_EQ(Run("who --room lobby --count").code, 1);
  Login("bob", "tab");
  Program beat(Command("beat ann --session s1 --room lobby"), Input::kPipe,
               Environment());
  ASSERT_TRUE(beat.AwaitOutput("ann/s1 is active"));
  ASSERT_TRUE(Eventually([&] { return Run("who --room lobby").code == 0; }));
  EXPECT_THAT(Run("who --room lobby").out, StartsWith("ann  active"));
  EXPECT_EQ(Run("who --room lobby --state idle").code, 1);
  EXPECT_EQ(Run("who --room lobby --count").out,
            "1 user in lobby: 1 active\n1 session\n");
}

TEST_F(CommandsTest, AwaitOfARoomWaitsUntilEnoughAreThere) {
  Program await(Command("await --room standup --at-least 2 --state active"),
                Input::kNothing, Environment());
  ASSERT_TRUE(server_.ReachesAwaits(1));
  Program ann(Command("beat ann --session s1 --room standup"), Input::kPipe,
              Environment());
  ASSERT_TRUE(ann.AwaitOutput("ann/s1 is active"));
  Program bob(Command("beat bob --session s1 --room standup"), Input::kPipe,
              Environment());
  EXPECT_TRUE(await.AwaitOutput("standup: 2 active\n"));
  EXPECT_EQ(await.Wait(), 0);
  const Ended no = Run("await --room standup --at-least 3 --wait 0s");
  EXPECT_EQ(no.code, 1);
  EXPECT_EQ(no.out, "standup: 2 active\n");
  EXPECT_EQ(no.errors, "lifesign: 2 of the 3 needed\n");
}

TEST_F(CommandsTest, WatchOfARoomTellsWhoComesOrHowMany) {
  Program beat(Command("beat ann --session s1 --room lobby"), Input::kPipe,
               Environment());
  ASSERT_TRUE(beat.AwaitOutput("ann/s1 is active"));
  Program members(Command("watch --room lobby"), Input::kNothing,
                  Environment());
  ASSERT_TRUE(members.AwaitOutput("  active  "));
  Program many(Command("watch --room lobby --occupancy"), Input::kNothing,
               Environment());
  ASSERT_TRUE(many.AwaitOutput("lobby  1 user, 1 session: 1 active\n"));
  Program json(Command("watch --room lobby --occupancy --json"),
               Input::kNothing, Environment());
  ASSERT_TRUE(json.AwaitOutput("{\"event\":\"occupancy\""));
  beat.Say("leave\n");
  EXPECT_TRUE(members.AwaitOutput("  offline  "));
  server_.Advance(milliseconds(200));
  EXPECT_TRUE(many.AwaitOutput("lobby  0 users, 0 sessions\n"));
  EXPECT_EQ(Run("watch ann --room lobby").code, 2);
  EXPECT_EQ(Run("watch ann --occupancy").code, 2);
}

// concepts.md § 13.
TEST_F(CommandsTest, SetDeclaresForWhoeverIsLive) {
  Login("ann", "tab");
  const Ended ended = RunToEnd(
      {Binary(), "set", "ann", "dnd", "--for", "30m", "--text", "in a meeting"},
      Environment());
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.out, "ann is do not disturb (in a meeting), for 30 min\n");
  server_.Advance(seconds(5));
  EXPECT_THAT(Run("get ann").out,
              EndsWith("; do not disturb (in a meeting), for another 29 min "
                       "55 s\n"));
  EXPECT_EQ(Run("set ann available").out, "ann is available\n");
  EXPECT_THAT(Run("get ann").out, Not(HasSubstr("disturb")));
  const auto json = ParseJson(Run("set ann busy --json").out);
  EXPECT_EQ(json.fields()
                .at("availability")
                .struct_value()
                .fields()
                .at("kind")
                .string_value(),
            "AVAILABILITY_KIND_BUSY");
}

TEST_F(CommandsTest, InvisibleIsSeenByWhoMaySeeThrough) {
  Login("ann", "tab");
  EXPECT_EQ(Run("set ann invisible").out, "ann is invisible\n");
  EXPECT_EQ(Run("get ann").code, 1);
  EXPECT_EQ(Run("sessions ann").out, "ann has no open session\n");
  const Ended refused = Run("get ann --see-through");
  EXPECT_EQ(refused.code, 4);
  EXPECT_THAT(refused.errors, HasSubstr("SEE_THROUGH_DENIED"));
  for (const char* question :
       {"watch ann", "sessions ann", "explain ann", "room lobby", "who",
        "who --count", "await ann", "watch --room lobby"}) {
    EXPECT_EQ(Run(absl::StrCat(question, " --see-through")).code, 4)
        << question;
  }

  PresenceRuntime::Options options;
  options.may_see_through = true;
  SimulatedClock clock;
  TestServer open(clock, options);
  UnaryClient calls(open.NewChannel());
  calls.Open("ann", "tab", v1::SIGNAL_KIND_ACTIVE, 0);
  const auto ask = [&](const std::string& arguments) {
    return RunToEnd(Command(arguments),
                    {absl::StrCat("LIFESIGN_TARGET=127.0.0.1:", open.port())});
  };
  EXPECT_EQ(ask("set ann invisible").code, 0);
  EXPECT_THAT(ask("get ann").out, StartsWith("ann  offline"));
  EXPECT_THAT(ask("get ann --see-through").out, EndsWith("; invisible\n"));
  EXPECT_THAT(ask("sessions ann --see-through").out, StartsWith("tab  active"));
  EXPECT_EQ(ask("who").code, 1);
  EXPECT_THAT(ask("who --see-through").out, StartsWith("ann  active"));
  EXPECT_EQ(ask("await ann --wait 0s").code, 1);
  EXPECT_EQ(ask("await ann --wait 0s --see-through").out, "ann is active\n");
}

TEST_F(CommandsTest, SetThatTheServerRefusesIsFour) {
  const Ended ended =
      Run(absl::StrCat("set ann busy --text ", std::string(257, 'x')));
  EXPECT_EQ(ended.code, 4);
  EXPECT_THAT(ended.errors, HasSubstr("availability.text"));
}

TEST_F(CommandsTest, EveryCommandHelpsWithExamplesAndExitCodes) {
  for (const char* command : {"", "get", "who", "await", "sessions", "explain",
                              "watch", "room", "beat", "set", "simulate"}) {
    SCOPED_TRACE(command);
    const Ended ended = Run(absl::StrCat(command, " --help"));
    EXPECT_EQ(ended.code, 0);
    EXPECT_THAT(ended.out, AllOf(HasSubstr("Examples:\n  lifesign"),
                                 HasSubstr("Exit codes: 0 yes")));
  }
}

TEST_F(CommandsTest, WrongUsageIsTwo) {
  for (const char* arguments : {"",
                                "nonsense",
                                "get",
                                "explain ann bob",
                                "get ann --timeout 5",
                                "await",
                                "await ann --room lobby",
                                "await --room lobby --all",
                                "await ann --wait 301s",
                                "await ann --need 0",
                                "await ann --all --need 1",
                                "await ann --state offline",
                                "who ann",
                                "who --state online",
                                "who --seen-within 5",
                                "beat ann --device watch",
                                "beat ann --linger 11s",
                                "simulate --people 0",
                                "watch ann --count 0",
                                "set ann",
                                "set ann asleep"}) {
    SCOPED_TRACE(arguments);
    const Ended ended = Run(arguments);
    EXPECT_EQ(ended.code, 2);
    EXPECT_THAT(ended.errors, Not(IsEmpty()));
  }
  EXPECT_THAT(Run("nonsense").errors, HasSubstr("no command 'nonsense'"));
  EXPECT_THAT(Run("--nonsense").errors, HasSubstr("no option '--nonsense'"));
}

TEST_F(CommandsTest, NoServerIsThree) {
  for (const char* command :
       {"get ann", "who", "await ann", "sessions ann", "explain ann",
        "watch ann", "room lobby", "beat ann", "set ann busy", "simulate"}) {
    SCOPED_TRACE(command);
    const Ended ended =
        Run(absl::StrCat(command, " --target 127.0.0.1:1 --timeout 3s"));
    EXPECT_EQ(ended.code, 3);
    EXPECT_THAT(ended.errors, HasSubstr("127.0.0.1:1"));
  }
}

TEST_F(CommandsTest, WhatTheServerRefusesIsFour) {
  for (const char* command :
       {"get ann", "who", "await ann", "sessions ann", "explain ann",
        "watch ann", "room lobby", "beat ann", "simulate"}) {
    SCOPED_TRACE(command);
    const Ended ended = Run(absl::StrCat(command, " --tenant nobody"));
    EXPECT_EQ(ended.code, 4);
    EXPECT_THAT(ended.errors, HasSubstr("TENANT_DENIED"));
  }
  EXPECT_EQ(Run(absl::StrCat("get ", std::string(129, 'x'))).code, 4);
}

TEST_F(CommandsTest, WatchTellsTheSnapshotAndEachChange) {
  Login("ann", "tab");
  Program watch(Command("watch ann bob"), Input::kNothing, Environment());
  ASSERT_TRUE(watch.AwaitOutput("00:01:30  ann  active   for 0 s; active now"));
  ASSERT_TRUE(watch.AwaitOutput("bob  offline  never seen\n"));
  server_.Advance(milliseconds(15'100));
  ASSERT_TRUE(
      watch.AwaitOutput("00:01:45  ann  idle     was active; time ran out\n"));
  watch.Signal(SIGINT);
  EXPECT_EQ(watch.Wait(), 0);
}

TEST_F(CommandsTest, WatchEndsAfterSoManyChanges) {
  Login("ann", "tab");
  Program watch(Command("watch ann --count 1 --json"), Input::kNothing,
                Environment());
  ASSERT_TRUE(watch.AwaitOutput("{\"event\":\"synced\"}\n"));
  server_.Advance(milliseconds(15'100));
  EXPECT_EQ(watch.Wait(), 0);
  const std::vector<std::string> lines = absl::StrSplit(watch.out(), '\n');
  ASSERT_EQ(lines.size(), 4u);
  const auto change = ParseJson(lines[2]);
  EXPECT_EQ(change.fields().at("event").string_value(), "change");
  EXPECT_EQ(change.fields()
                .at("after")
                .struct_value()
                .fields()
                .at("cause")
                .string_value(),
            "CAUSE_DECAY");
}

TEST_F(CommandsTest, WatchOfAllTellsWhoIsLiveAndWhoComes) {
  Login("ann", "tab");
  Program watch(Command("watch --all --states active --devices --count 1"),
                Input::kNothing, Environment());
  ASSERT_TRUE(
      watch.AwaitOutput("ann               active   for 0 s; active "
                        "now; web active\n"));
  Login("bob", "phone", v1::DEVICE_CLASS_MOBILE);
  server_.Advance(milliseconds(100));
  EXPECT_TRUE(watch.AwaitOutput("bob "));
  EXPECT_EQ(watch.Wait(), 0);
}

TEST_F(CommandsTest, WatchOfNobodyOrOfSomeAndAllIsWrongUsage) {
  for (const char* command :
       {"watch", "watch ann --all", "watch ann --states here"}) {
    SCOPED_TRACE(command);
    EXPECT_EQ(Run(command).code, 2);
  }
}

TEST_F(CommandsTest, WatchThatResumesTellsOnlyWhatHasChangedSince) {
  const std::string file =
      absl::StrCat(::testing::TempDir(), "watch_token.", getpid());
  const std::string command =
      absl::StrCat("watch --all --json --resume ", file);
  const auto run = [&] {
    Program watch(Command(command), Input::kNothing, Environment());
    EXPECT_TRUE(watch.AwaitOutput("{\"event\":\"synced\"}\n"));
    watch.Signal(SIGINT);
    EXPECT_EQ(watch.Wait(), 0);
    return watch.out();
  };
  Login("ann", "tab");
  Login("bob", "tab");
  server_.Advance(milliseconds(100));
  EXPECT_THAT(run(), AllOf(HasSubstr("\"ann\""), HasSubstr("\"bob\"")));
  server_.Advance(seconds(1));
  Login("cid", "tab");
  server_.Advance(milliseconds(100));
  EXPECT_THAT(run(), AllOf(HasSubstr("\"cid\""), Not(HasSubstr("\"ann\""))));
  EXPECT_THAT(run(), Not(HasSubstr("\"user_id\"")));
  std::remove(file.c_str());
}

TEST_F(CommandsTest, WatchSaysWhenTheServerIsLost) {
  Program watch(Command("watch ann --json"), Input::kNothing, Environment());
  ASSERT_TRUE(watch.AwaitOutput("{\"event\":\"synced\"}\n"));
  server_.Kill();
  EXPECT_TRUE(watch.AwaitOutput("{\"event\":\"lost\"}\n"));
}

TEST_F(CommandsTest, BeatHoldsASessionAndLinesSteerIt) {
  Program beat(Command("beat ann --session tab --device web"), Input::kPipe,
               Environment());
  ASSERT_TRUE(beat.AwaitOutput("ann/tab is active; a beat every 10 s\n"));
  EXPECT_EQ(StateOf("ann"), v1::PRESENCE_STATE_ACTIVE);
  beat.Say("background\n");
  ASSERT_TRUE(beat.AwaitOutput("a beat every 1 min\n"));
  server_.Advance(milliseconds(2'100));
  EXPECT_EQ(StateOf("ann"), v1::PRESENCE_STATE_AWAY);
  beat.Say("active\n");
  ASSERT_TRUE(beat.AwaitOutput("ann/tab is active; a beat every 10 s\n"));
  beat.Say("dance\nleave\n");
  EXPECT_TRUE(beat.AwaitOutput("ann/tab has left\n"));
  EXPECT_EQ(beat.Wait(), 0);
  EXPECT_THAT(beat.errors(), HasSubstr("'dance' is not one of active, idle"));
  EXPECT_EQ(StateOf("ann"), v1::PRESENCE_STATE_OFFLINE);
}

TEST_F(CommandsTest, BeatStaysWhenItsInputEndsAndLeavesAtCtrlC) {
  Program beat(Command("beat ann --session tab"), Input::kPipe, Environment());
  beat.Say("idle\n");
  beat.CloseInput();
  ASSERT_TRUE(beat.AwaitOutput("a beat every 30 s\n"));
  EXPECT_NE(StateOf("ann"), v1::PRESENCE_STATE_OFFLINE);
  beat.Signal(SIGINT);
  EXPECT_EQ(beat.Wait(), 0);
  EXPECT_EQ(StateOf("ann"), v1::PRESENCE_STATE_OFFLINE);
}

// concepts.md § 5: a closed stream changes no state.
TEST_F(CommandsTest, BeatThatVanishesLeavesTheUserAsTheyWere) {
  Program beat(Command("beat ann --session tab"), Input::kPipe, Environment());
  ASSERT_TRUE(beat.AwaitOutput("ann/tab is active"));
  beat.Say("vanish\n");
  EXPECT_EQ(beat.Wait(), 0);
  EXPECT_EQ(StateOf("ann"), v1::PRESENCE_STATE_ACTIVE);
}

TEST_F(CommandsTest, BeatThatIsTakenOverSaysNo) {
  Program beat(Command("beat ann --session tab --json"), Input::kNothing,
               Environment());
  ASSERT_TRUE(beat.AwaitOutput("\"link\":\"connected\""));
  calls_.Open("ann", "tab", v1::SIGNAL_KIND_ACTIVE, kOtherInstance);
  EXPECT_TRUE(beat.AwaitOutput("\"end\":\"taken_over\""));
  EXPECT_EQ(beat.Wait(), 1);
  EXPECT_EQ(StateOf("ann"), v1::PRESENCE_STATE_ACTIVE);
}

TEST_F(CommandsTest, ColoursAreForTerminalsOnly) {
  Login("ann", "tab");
  EXPECT_THAT(Run("get ann").out, Not(HasSubstr("\x1b")));

  Program coloured(Command("get ann"), Input::kTerminal, Environment());
  EXPECT_EQ(coloured.Wait(), 0);
  EXPECT_THAT(coloured.out(), HasSubstr("\x1b[1;32mactive "));

  auto environment = Environment();
  environment.emplace_back("NO_COLOR=1");
  Program plain(Command("get ann"), Input::kTerminal, environment);
  EXPECT_EQ(plain.Wait(), 0);
  EXPECT_THAT(plain.out(), Not(HasSubstr("\x1b")));
}

bool SameModes(const termios& one, const termios& two) {
  return one.c_iflag == two.c_iflag && one.c_oflag == two.c_oflag &&
         one.c_cflag == two.c_cflag && one.c_lflag == two.c_lflag;
}

TEST_F(CommandsTest, BeatTakesSingleKeysAndGivesTheTerminalBack) {
  Program beat(Command("beat ann --session tab"), Input::kTerminal,
               Environment());
  const termios before = beat.ModesAtStart();
  ASSERT_TRUE(beat.AwaitOutput("keys: a active"));
  ASSERT_TRUE(beat.AwaitOutput("ann/tab is "));
  EXPECT_FALSE(SameModes(beat.Modes(), before));
  beat.Say("b");
  ASSERT_TRUE(beat.AwaitOutput("a beat every 1 min"));
  beat.Say("q");
  EXPECT_EQ(beat.Wait(), 0);
  EXPECT_TRUE(SameModes(beat.Modes(), before));
}

TEST_F(CommandsTest, SimulateShowsATableAndGivesTheScreenBackAtCtrlC) {
  Program simulate(Command("simulate --people 5 --gateways 1 --clients 5"),
                   Input::kTerminal, Environment());
  const termios before = simulate.ModesAtStart();
  ASSERT_TRUE(simulate.AwaitOutput("\x1b[?1049h\x1b[?25l"));
  ASSERT_TRUE(simulate.AwaitOutput("signals sent "));
  ASSERT_TRUE(simulate.AwaitOutput("is really"));
  simulate.Say("\x03");
  ASSERT_TRUE(simulate.AwaitOutput("\x1b[?25h\x1b[?1049l"));
  ASSERT_TRUE(simulate.AwaitOutput("run: users="));
  EXPECT_EQ(simulate.Wait(), 0);
  EXPECT_TRUE(SameModes(simulate.Modes(), before));
  EXPECT_THAT(simulate.out(), EndsWith("false_offline=0\r\n"));
}

TEST_F(CommandsTest, CompletionKnowsWhatHelpSays) {
  const auto complete = [](const std::string& words, int at) {
    return RunToEnd(
               {"bash", "-c",
                absl::StrCat("source client/cli/lifesign.bash; COMP_WORDS=(",
                             Binary(), " ", words, "); COMP_CWORD=", at,
                             "; _lifesign; echo \"${COMPREPLY[*]}\"")})
        .out;
  };
  EXPECT_EQ(complete("si", 1), "simulate\n");
  EXPECT_EQ(complete("beat --li", 2), "--lifecycle --linger\n");
  EXPECT_EQ(complete("get --ta", 2), "--target\n");
  EXPECT_EQ(complete("-", 1), complete("--", 1));
}

}  // namespace
}  // namespace lifesign::testing
