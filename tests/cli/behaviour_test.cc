// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/simulate/behaviour.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/types/optional.h"

namespace lifesign::simulate {
namespace {

using std::chrono::seconds;
using ::testing::Each;
using ::testing::IsSupersetOf;

using Kind = Action::Kind;

constexpr Promise kPromise = {seconds(10), seconds(30), seconds(60)};
constexpr Duration kUnit = seconds(10);

std::vector<Action> Play(Habit habit, Network network, std::uint64_t seed,
                         int actions, const Promise& promise = kPromise,
                         Duration unit = kUnit) {
  Life life(habit, network, unit, Random(seed, 0));
  std::vector<Action> played;
  for (int i = 0; i < actions; ++i) played.push_back(life.Next(promise));
  return played;
}

std::set<Kind> KindsOf(const std::vector<Action>& actions) {
  std::set<Kind> kinds;
  for (const Action& action : actions) kinds.insert(action.kind);
  return kinds;
}

auto Fields(const Action& action) {
  return std::tuple(action.kind, action.at, action.lifecycle, action.doing,
                    action.idle_for);
}

constexpr Habit kHabits[] = {
    Habit::kOnlyActive, Habit::kOnlyIdle, Habit::kOnlyBackground, Habit::kWorks,
    Habit::kTab,        Habit::kPhone,    Habit::kVisits};

TEST(LifeTest, TheSameSeedGivesTheSameLife) {
  for (const Habit habit : kHabits) {
    for (const Network network : kNetworks) {
      const auto one = Play(habit, network, 7, 500);
      const auto two = Play(habit, network, 7, 500);
      for (std::size_t i = 0; i < one.size(); ++i) {
        ASSERT_EQ(Fields(one[i]), Fields(two[i])) << "action " << i;
      }
    }
  }
}

TEST(LifeTest, AnotherSeedGivesAnotherLife) {
  const auto one = Play(Habit::kWorks, Network::kMobile, 7, 100);
  const auto two = Play(Habit::kWorks, Network::kMobile, 8, 100);
  EXPECT_NE(one.back().at, two.back().at);
}

TEST(LifeTest, BeginsWithAnOpenAndNeverRunsBackwards) {
  for (const Habit habit : kHabits) {
    for (const Network network : kNetworks) {
      const auto actions = Play(habit, network, 3, 2000);
      EXPECT_EQ(actions[0].kind, Kind::kOpen);
      EXPECT_EQ(actions[0].at, Duration::zero());
      for (std::size_t i = 1; i < actions.size(); ++i) {
        ASSERT_GE(actions[i].at, actions[i - 1].at);
        ASSERT_GE(actions[i].idle_for, Duration::zero());
      }
    }
  }
}

// What may follow what: nobody is heard without a network or after the end.
TEST(LifeTest, IsHeardOnlyWhileConnected) {
  for (const Habit habit : kHabits) {
    for (const Network network : kNetworks) {
      bool open = false;
      bool connected = false;
      for (const Action& action : Play(habit, network, 5, 5000)) {
        switch (action.kind) {
          case Kind::kOpen:
            ASSERT_FALSE(open);
            open = connected = true;
            break;
          case Kind::kReconnect:
            ASSERT_TRUE(open);
            ASSERT_FALSE(connected);
            connected = true;
            break;
          case Kind::kLoseNetwork:
            ASSERT_TRUE(connected);
            connected = false;
            break;
          case Kind::kDie:
            ASSERT_TRUE(open);
            open = connected = false;
            break;
          case Kind::kLeave:
            ASSERT_TRUE(connected);
            open = connected = false;
            break;
          case Kind::kQuiet:
            break;
          default:
            ASSERT_TRUE(connected);
        }
      }
    }
  }
}

// concepts.md § 12: the interval is the longest silence; clients vary it by
// 10 % either way.
TEST(LifeTest, ASteadyClientKeepsItsPromise) {
  int late = 0;
  Duration last{0};
  for (const Action& action :
       Play(Habit::kOnlyIdle, Network::kSteady, 1, 10000)) {
    if (action.kind != Kind::kBeat) continue;
    const Duration silence = action.at - last;
    last = action.at;
    ASSERT_GE(silence, seconds(27));
    if (silence > seconds(33)) ++late;
  }
  EXPECT_GT(late, 50);
  EXPECT_LT(late, 200);
}

TEST(LifeTest, AClientThatWasPromisedLessBeatsSooner) {
  const Promise quick = {seconds(1), seconds(1), seconds(1)};
  const auto slow = Play(Habit::kOnlyActive, Network::kSteady, 1, 1000);
  const auto fast = Play(Habit::kOnlyActive, Network::kSteady, 1, 1000, quick);
  EXPECT_NEAR(static_cast<double>(slow.back().at.count()) /
                  static_cast<double>(fast.back().at.count()),
              10, 0.01);
}

TEST(LifeTest, AShorterUnitMakesAllQuickerByAsMuch) {
  const Promise tenth = {seconds(1), seconds(3), seconds(6)};
  const auto slow = Play(Habit::kPhone, Network::kMobile, 9, 1000);
  const auto fast =
      Play(Habit::kPhone, Network::kMobile, 9, 1000, tenth, seconds(1));
  for (std::size_t i = 0; i < slow.size(); ++i) {
    ASSERT_EQ(slow[i].kind, fast[i].kind);
  }
  EXPECT_NEAR(static_cast<double>(slow.back().at.count()) /
                  static_cast<double>(fast.back().at.count()),
              10, 0.01);
}

TEST(LifeTest, WhoDiesIsSilentForLongerThanTheTtlAndComesBackAnew) {
  absl::optional<Duration> died;
  int returns = 0;
  for (const Action& action :
       Play(Habit::kWorks, Network::kSuddenDeath, 2, 20000)) {
    if (action.kind == Kind::kDie) died = action.at;
    if (died.has_value() && action.kind == Kind::kOpen) {
      EXPECT_GT(action.at - *died, seconds(240));
      ++returns;
      died.reset();
    }
  }
  EXPECT_GT(returns, 3);
}

TEST(LifeTest, APhoneHandsOverWithinSecondsAndSometimesSitsInATunnel) {
  int hand_overs = 0;
  int tunnels = 0;
  Action lost{};
  for (const Action& action :
       Play(Habit::kOnlyActive, Network::kMobile, 4, 20000)) {
    if (action.kind == Kind::kLoseNetwork) lost = action;
    if (action.kind != Kind::kReconnect) continue;
    if (lost.doing == Doing::kHandingOver) {
      ++hand_overs;
      EXPECT_LE(action.at - lost.at, seconds(15));
    } else {
      ++tunnels;
      EXPECT_EQ(lost.doing, Doing::kInTunnel);
      EXPECT_GE(action.at - lost.at, seconds(15));
    }
  }
  EXPECT_GT(tunnels, 50);
  EXPECT_GT(hand_overs, tunnels);
}

TEST(LifeTest, EachHabitDoesWhatItIsFor) {
  const auto kinds = [](Habit habit) {
    return KindsOf(Play(habit, Network::kSteady, 6, 5000));
  };
  EXPECT_THAT(kinds(Habit::kWorks), IsSupersetOf({Kind::kInteract, Kind::kTurn,
                                                  Kind::kBeat, Kind::kQuiet}));
  EXPECT_THAT(kinds(Habit::kTab),
              IsSupersetOf({Kind::kLoseNetwork, Kind::kReconnect}));
  EXPECT_THAT(kinds(Habit::kPhone), IsSupersetOf({Kind::kTurn}));
  EXPECT_THAT(kinds(Habit::kVisits), IsSupersetOf({Kind::kLeave}));
  EXPECT_THAT(kinds(Habit::kOnlyIdle),
              ::testing::UnorderedElementsAre(Kind::kOpen, Kind::kBeat));
}

TEST(LifeTest, EverythingThatCanGoOnHasWords) {
  std::set<std::string> texts;
  for (int i = 0; i <= static_cast<int>(Doing::kDied); ++i) {
    texts.insert(DoingText(static_cast<Doing>(i)));
  }
  EXPECT_EQ(texts.size(), static_cast<std::size_t>(Doing::kDied) + 1);
  EXPECT_THAT(texts, Each(::testing::Not("")));
}

}  // namespace
}  // namespace lifesign::simulate
