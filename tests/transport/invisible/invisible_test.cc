// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/threat-model.md: two servers are told the same, but for one user, who
// leaves the one and becomes invisible on the other. Whatever a caller without
// the right to see through gets from them must be the same, byte for byte.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "tests/transport/invisible/one_server.h"
#include "tests/transport/invisible/ways_to_look.h"

namespace lifesign::testing {
namespace {

constexpr AvailabilityDeclaration kInvisible = {AvailabilityKind::kInvisible,
                                                "", absl::nullopt};
constexpr AvailabilityDeclaration kAvailable = {AvailabilityKind::kAvailable,
                                                "", absl::nullopt};
constexpr AvailabilityDeclaration kBusy = {AvailabilityKind::kBusy, "at lunch",
                                           absl::nullopt};

Signal Of(SignalKind kind) {
  Signal signal;
  signal.kind = kind;
  return signal;
}

const Cast kCast = {"ghost", "ann", "bob", "eve", "nobody"};

class InvisibleTest : public ::testing::Test {
 protected:
  InvisibleTest() { Begin(Policy()); }

  void Begin(const Policy& policy) {
    left_ = std::make_unique<OneServer>(policy);
    hidden_ = std::make_unique<OneServer>(policy);
    watches_ = 0;
  }

  // What happens on both.
  void Both(const std::function<void(OneServer&)>& happens) {
    happens(*left_);
    happens(*hidden_);
  }
  void Advance(Duration by) {
    Both([by](OneServer& server) { server.Advance(by); });
  }
  // Begins a watch of every kind on both.
  void WatchAnew() {
    ++watches_;
    for (const WayToWatch& way : WaysToWatch()) {
      Both([&](OneServer& server) {
        server.Watch(absl::StrCat(watches_, " ", way.name), way.request(kCast),
                     way.client);
      });
    }
    for (const WayToAwait& way : WaysToAwait()) {
      Both([&](OneServer& server) {
        server.Await(absl::StrCat(watches_, " ", way.name), way.request(kCast));
      });
    }
  }
  // Keeps the tokens that the first ones have by now.
  void KeepTokens() {
    for (const WayToWatch& way : WaysToWatch()) {
      Both([&](OneServer& server) {
        tokens_[{&server, way.name}] = server.TokenOf("1 " + way.name);
      });
    }
  }
  // Goes on with them, as if those watches had been cut off then.
  void Resume() {
    for (const WayToWatch& way : WaysToWatch()) {
      Both([&](OneServer& server) {
        v1::WatchPresenceRequest request = way.request(kCast);
        request.set_resume_token(tokens_.at({&server, way.name}));
        server.Watch(absl::StrCat("resumed ", resumed_, " ", way.name), request,
                     way.client);
      });
    }
    ++resumed_;
  }

  // Everything that can be looked at, in every way, is the same on both.
  void ExpectAlike(const std::string& when) {
    for (const Question& question : Questions()) {
      const std::string left = question.ask(*left_, kCast);
      const std::string hidden = question.ask(*hidden_, kCast);
      ASSERT_FALSE(left.empty()) << question.name;
      ASSERT_EQ(absl::CHexEscape(left), absl::CHexEscape(hidden))
          << question.name << ", " << when;
    }
    for (int i = 1; i <= watches_; ++i) {
      ExpectHeardAlike(absl::StrCat(i), when);
      ExpectAnsweredAlike(absl::StrCat(i), when);
    }
    for (int i = 0; i < resumed_; ++i) {
      ExpectHeardAlike(absl::StrCat("resumed ", i), when);
    }
  }
  void ExpectHeardAlike(const std::string& which, const std::string& when) {
    for (const WayToWatch& way : WaysToWatch()) {
      const std::string name = absl::StrCat(which, " ", way.name);
      const auto left = left_->HeardBy(name);
      const auto hidden = hidden_->HeardBy(name);
      ASSERT_FALSE(left.empty()) << name;
      ASSERT_EQ(left, hidden) << "watch " << name << ", " << when;
    }
  }

  void ExpectAnsweredAlike(const std::string& which, const std::string& when) {
    for (const WayToAwait& way : WaysToAwait()) {
      const std::string name = absl::StrCat(which, " ", way.name);
      ASSERT_EQ(absl::CHexEscape(left_->AnswerOf(name)),
                absl::CHexEscape(hidden_->AnswerOf(name)))
          << "await " << name << ", " << when;
    }
  }

  // The ghost and the others are here, and are watched.
  void Gather() {
    Both([](OneServer& server) {
      const std::vector<absl::string_view> lobby = {kRooms[0]};
      server.Open("ghost/a", SignalKind::kActive, DeviceClass::kWeb,
                  absl::nullopt, &lobby);
      server.Open("ann/a", SignalKind::kActive, DeviceClass::kWeb,
                  absl::nullopt, &lobby);
      server.Open("bob/a", SignalKind::kIdle, DeviceClass::kMobile);
    });
    WatchAnew();
    Advance(seconds(45));
    Both([](OneServer& server) {
      server.Send("ghost/a", Of(SignalKind::kActive));
      // Each wants the other; the ghost's ends with their leaving.
      server.Want("ghost/a", "ann", kRooms[0], seconds(300));
      server.Want("ann/a", "ghost", kRooms[0], seconds(300));
    });
    Advance(seconds(5));
  }
  // The ghost goes.
  void Part() {
    Signal leave = Of(SignalKind::kLeave);
    left_->Send("ghost/a", leave);
    hidden_->Declare("ghost/a", SignalKind::kActive, kInvisible);
  }
  // What others do, which is seen on both.
  void OthersStir(int round) {
    Both([&](OneServer& server) {
      server.Send("ann/a", Of(SignalKind::kActive));
      if (round % 3 == 0) {
        server.Open(absl::StrCat("eve/", round), SignalKind::kActive);
      }
      if (round % 3 == 1) {
        server.Send(absl::StrCat("eve/", round - 1), Of(SignalKind::kLeave));
      }
      if (round % 4 == 0) {
        server.Send("bob/a", Of(round % 8 == 0 ? SignalKind::kBackground
                                               : SignalKind::kActive));
      }
      if (round % 5 == 2) {
        server.ChangeRooms("ann/a", {{kRooms[round % 2]}, {kRooms[1]}});
      }
      if (round % 6 == 4) {
        server.Want("ann/a", round % 12 == 4 ? "ghost" : "bob", kRooms[0],
                    seconds(7));
      }
      if (round % 5 == 3) {
        server.Want("bob/a", "ann", kRooms[round % 2], seconds(5));
      }
    });
  }
  // What the ghost does where they are invisible: as much as they can.
  void GhostStirs(int round) {
    OneServer& server = *hidden_;
    const std::string more = absl::StrCat("ghost/", round);
    server.Send("ghost/a",
                Of(round % 5 == 0 ? SignalKind::kIdle : SignalKind::kActive));
    if (round % 2 == 0) {
      server.Open(more, SignalKind::kActive, DeviceClass::kMobile);
    }
    if (round % 4 == 1) {
      server.Send(absl::StrCat("ghost/", round - 1), Of(SignalKind::kLeave));
    }
    if (round % 4 == 3) server.CloseStream(absl::StrCat("ghost/", round - 1));
    if (round % 6 == 0) {
      AvailabilityDeclaration said = kInvisible;
      said.text = round % 12 == 0 ? "hiding" : "still hiding";
      server.Declare("ghost/a", SignalKind::kBackground, said);
    }
    if (round % 7 == 0) server.DeclareAlone("ghost", kInvisible);
    if (round % 3 == 1) {
      server.ChangeRooms("ghost/a", {{kRooms[1]}, {kRooms[0]}});
    } else if (round % 3 == 2) {
      server.ChangeRooms("ghost/a", {{}, {kRooms[0], kRooms[1]}}, &kInvisible);
    }
    if (round % 5 == 1) {
      server.Want("ghost/a", "ann", kRooms[round % 2], seconds(9));
    }
    for (int i = 0; round % 9 == 0 && i < 40; ++i) {
      server.Send("ghost/a", Of(SignalKind::kActive));
    }
  }

  std::unique_ptr<OneServer> left_;
  std::unique_ptr<OneServer> hidden_;
  int watches_ = 0;
  int resumed_ = 0;
  std::map<std::pair<OneServer*, std::string>, std::string> tokens_;
};

// In one signal: nobody sees them come.
TEST_F(InvisibleTest, WhoComesToARoomInvisiblyIsNotThere) {
  Gather();
  left_->Send("ghost/a", Of(SignalKind::kLeave));
  hidden_->ChangeRooms("ghost/a", {{}, {kRooms[1]}}, &kInvisible);
  ExpectAlike("at the parting");
  Advance(seconds(70));
  ExpectAlike("later");
}

// § 11: whom somebody invisible was until now nobody is told: a guest leaves.
TEST_F(InvisibleTest, AGuestWhoWasSomebodyInvisibleLeaves) {
  Gather();
  Part();
  Advance(seconds(3));
  left_->Send("bob/a", Of(SignalKind::kLeave));
  hidden_->OpenForGuest("ghost/a", "bob");
  ExpectAlike("at once");
  Advance(seconds(10));
  ExpectAlike("later");
}

// And of a guest who is invisible nothing goes over.
TEST_F(InvisibleTest, AnInvisibleGuestHadLeftBefore) {
  Gather();
  Part();
  hidden_->ChangeRooms("ghost/a", {{}, {kRooms[1]}});
  Advance(seconds(3));
  Both([](OneServer& server) { server.OpenForGuest("eve/a", "ghost"); });
  ExpectAlike("at once");
  Advance(seconds(10));
  ExpectAlike("later");
}

// What the comparison rests on: until the ghost parts, and if they do not,
// nothing differs; and that something would be seen.
TEST_F(InvisibleTest, TheServersAreAlikeBeforeAndWouldDiffer) {
  Gather();
  ExpectAlike("before");
  left_->Send("ghost/a", Of(SignalKind::kLeave));
  EXPECT_NE(Questions()[0].ask(*left_, kCast),
            Questions()[0].ask(*hidden_, kCast));
  Advance(milliseconds(200));
  for (const char* watch :
       {"1 everyone by name", "1 the whole tenant", "1 who is in the lobby",
        "1 how many are in the lobby", "1 who wants the one",
        "1 who wants another"}) {
    EXPECT_NE(left_->HeardBy(watch), hidden_->HeardBy(watch)) << watch;
  }
  for (const Question& question : Questions()) {
    if (question.name.starts_with("asking")) continue;
    EXPECT_NE(question.ask(*left_, kCast), question.ask(*hidden_, kCast))
        << question.name;
  }
}

// C69.
TEST_F(InvisibleTest, WhoIsInvisibleIsAsWhoLeft) {
  Gather();
  Part();
  ExpectAlike("at the parting");
  v1::GetPresenceRequest request;
  request.set_user_id("ghost");
  v1::GetPresenceResponse response;
  ASSERT_TRUE(response.ParseFromString(
      hidden_->Call(&UnaryCalls::GetPresence, request)));
  EXPECT_EQ(response.presence().state(), v1::PRESENCE_STATE_OFFLINE);
  EXPECT_FALSE(response.presence().has_availability());
  EXPECT_EQ(response.presence().since().seconds(),
            response.presence().last_seen().seconds());
  EXPECT_EQ(response.presence().last_active().seconds(),
            response.presence().last_seen().seconds() - 5);
  Advance(seconds(10));
  ExpectAlike("later");
}

// Who came to the room before them is on the first page.
TEST_F(InvisibleTest, AListOfARoomBegunBeforeGoesOnWithoutThem) {
  Both([](OneServer& server) {
    const std::vector<absl::string_view> lobby = {kRooms[0]};
    server.Open("eve/a", SignalKind::kActive, DeviceClass::kWeb, absl::nullopt,
                &lobby);
  });
  Advance(seconds(1));
  Gather();
  v1::ListPresencesRequest request;
  request.set_room_id(kRooms[0]);
  request.set_page_size(1);
  v1::ListPresencesResponse page;
  const std::string first = left_->Call(&UnaryCalls::ListPresences, request);
  ASSERT_EQ(first, hidden_->Call(&UnaryCalls::ListPresences, request));
  ASSERT_TRUE(page.ParseFromString(first));
  ASSERT_EQ(page.presences_size(), 1);
  ASSERT_EQ(page.presences(0).user_id(), "eve");
  request.set_page_token(page.next_page_token());
  ASSERT_FALSE(request.page_token().empty());
  Part();
  for (int round = 1; round <= 6; ++round) {
    ASSERT_EQ(absl::CHexEscape(AllPages(*left_, request)),
              absl::CHexEscape(AllPages(*hidden_, request)))
        << "in round " << round;
    GhostStirs(round);
    Advance(milliseconds(60));
  }
}

TEST_F(InvisibleTest, WhateverTheyDoNobodyIsTold) {
  Gather();
  Part();
  for (int round = 1; round <= 60; ++round) {
    GhostStirs(round);
    ExpectAlike(absl::StrCat("at once in round ", round));
    Advance(milliseconds(60));
    GhostStirs(round);
    OthersStir(round);
    ExpectAlike(absl::StrCat("between ticks in round ", round));
    Advance(milliseconds(3'970));
    ExpectAlike(absl::StrCat("in round ", round));
    if (round == 20) WatchAnew();
    if (round == 30) KeepTokens();
    if (round == 31 || round == 45) Resume();
  }
}

// "While offline it shows nothing."
TEST_F(InvisibleTest, WhoLeavesInvisiblyHadLeftBefore) {
  Gather();
  Part();
  hidden_->Open("ghost/b", SignalKind::kActive);
  Advance(seconds(7));
  hidden_->Send("ghost/a", Of(SignalKind::kLeave));
  ExpectAlike("after the first");
  hidden_->Send("ghost/b", Of(SignalKind::kLeave));
  ExpectAlike("after the last");
  hidden_->DeclareAlone("ghost", kAvailable);
  Advance(seconds(3));
  ExpectAlike("visible, and not here");
  // Who comes back comes back.
  Both([](OneServer& server) { server.Open("ghost/c", SignalKind::kActive); });
  ExpectAlike("back");
  Advance(seconds(30));
  ExpectAlike("back for long");
}

// Sessions of an invisible user that fall silent end as all do, and nobody
// learns from their silences.
TEST_F(InvisibleTest, WhoFallsSilentInvisiblyTellsNothing) {
  Gather();
  Part();
  hidden_->Open("ghost/b", SignalKind::kActive);
  for (int i = 0; i < 70; ++i) {
    Advance(seconds(10));
    if (i % 2 == 0) OthersStir(i);
    if (i % 9 == 0) hidden_->Open("ghost/c", SignalKind::kActive);
    ExpectAlike(absl::StrCat("after ", 10 * i, " s"));
  }
}

TEST_F(InvisibleTest, ALoginOfOneWhoIsInvisibleIsNone) {
  Gather();
  Part();
  hidden_->Send("ghost/a", Of(SignalKind::kLeave));
  Advance(seconds(20));
  hidden_->Open("ghost/a", SignalKind::kActive);
  ExpectAlike("at the login");
  Advance(seconds(20));
  ExpectAlike("after it");
}

// Of a user who was never seen there is nothing to freeze.
TEST_F(InvisibleTest, WhoComesInvisiblyWasNeverHere) {
  Both([](OneServer& server) { server.Open("ann/a", SignalKind::kActive); });
  WatchAnew();
  hidden_->Open("ghost/a", SignalKind::kActive, DeviceClass::kWeb, kInvisible);
  ExpectAlike("at the login");
  for (int round = 1; round <= 12; ++round) {
    GhostStirs(round);
    OthersStir(round);
    Advance(milliseconds(2'500));
    ExpectAlike(absl::StrCat("in round ", round));
  }
}

// "What is public is forgotten when it would be of one who left."
TEST_F(InvisibleTest, WhatIsPublicIsForgottenInItsTime) {
  Policy policy;
  policy.offline_retention = seconds(30);
  Begin(policy);
  Gather();
  Part();
  for (int round = 1; round <= 20; ++round) {
    GhostStirs(round);
    Advance(seconds(3));
    ExpectAlike(absl::StrCat("after ", 3 * round, " s"));
  }
  v1::GetPresenceRequest request;
  request.set_user_id("ghost");
  v1::GetPresenceResponse response;
  ASSERT_TRUE(response.ParseFromString(
      hidden_->Call(&UnaryCalls::GetPresence, request)));
  EXPECT_FALSE(response.presence().has_since());
}

// Where the declaration of one leaves, and that of another is taken back.
TEST_F(InvisibleTest, AvailabilityBeforeIsAsOfOneWhoLeft) {
  Both([](OneServer& server) {
    server.Open("ghost/a", SignalKind::kActive);
    server.Declare("ghost/a", SignalKind::kActive, kBusy);
  });
  WatchAnew();
  Advance(seconds(5));
  Part();
  ExpectAlike("at the parting");
  Advance(seconds(5));
  ExpectAlike("later");
}

// "Becoming visible while live is an upgrade with cause SIGNAL": as a login is.
// What was before shows nowhere.
TEST_F(InvisibleTest, BecomingVisibleIsTellsWhatALoginTells) {
  Gather();
  Part();
  for (int round = 1; round <= 10; ++round) {
    GhostStirs(round);
    Advance(seconds(2));
  }
  const std::vector<absl::string_view> lobby = {kRooms[0]};
  left_->Open("ghost/a", SignalKind::kActive, DeviceClass::kWeb, absl::nullopt,
              &lobby);
  for (int round = 0; round <= 10; ++round) {
    hidden_->Send(absl::StrCat("ghost/", round), Of(SignalKind::kLeave));
  }
  hidden_->ChangeRooms("ghost/a", {{kRooms[1]}, {kRooms[0]}});
  hidden_->Declare("ghost/a", SignalKind::kActive, kAvailable);
  ExpectHeardAlike("1", "at the return");
  Advance(seconds(100));
  ExpectHeardAlike("1", "when both decayed");
}

// The seeds of what happens on both, and of what the ghost does.
class InvisibleRandomTest : public InvisibleTest,
                            public ::testing::WithParamInterface<int> {
 protected:
  int Below(int most) {
    return static_cast<int>(random_() % static_cast<unsigned>(most));
  }
  // What `user` does on `server`, drawn before.
  struct Act {
    int what;
    int session;
    DeviceClass device;
    SignalKind kind;
    Duration linger;
  };
  Act Draw() {
    return {Below(20), Below(4), static_cast<DeviceClass>(Below(6)),
            static_cast<SignalKind>(Below(3)), milliseconds(Below(9'000))};
  }
  static void Play(OneServer& server, const std::string& user, const Act& act) {
    const std::string name = absl::StrCat(user, "/", act.session);
    Signal signal = Of(act.kind);
    if (act.what < 6) {
      server.Open(name, act.kind, act.device);
    } else if (act.what < 8) {
      server.Open(name, absl::nullopt, act.device);
    } else if (act.what < 15) {
      server.Send(name, signal);
    } else if (act.what < 17) {
      signal.kind = SignalKind::kLeave;
      signal.linger = act.linger;
      server.Send(name, signal);
    } else if (act.what < 18) {
      server.Send(name, Of(SignalKind::kDetach));
    } else {
      server.CloseStream(name);
    }
  }

  std::mt19937 random_{static_cast<unsigned>(GetParam())};
};

TEST_P(InvisibleRandomTest, NoBytesTellThemApart) {
  Policy policy;
  if (GetParam() % 2 == 0) policy.offline_retention = seconds(40);
  Begin(policy);
  Gather();
  Part();
  for (int step = 0; step < 150; ++step) {
    if (Below(100) < 60) {
      Play(*hidden_, "ghost", Draw());
      ExpectAlike(absl::StrCat("after the ghost stirred in step ", step));
    }
    const std::string other = kCast[1 + static_cast<std::size_t>(Below(3))];
    const Act act = Draw();
    Both([&](OneServer& server) { Play(server, other, act); });
    if (Below(100) < 5) hidden_->DeclareAlone("ghost", kInvisible);
    if (Below(100) < 4 && watches_ < 4) WatchAnew();
    ExpectAlike(absl::StrCat("in step ", step));
    Advance(Below(10) == 0 ? Duration(seconds(Below(90)))
                           : Duration(milliseconds(Below(2'000))));
    ExpectAlike(absl::StrCat("after step ", step));
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, InvisibleRandomTest, ::testing::Range(1, 21));

}  // namespace
}  // namespace lifesign::testing
