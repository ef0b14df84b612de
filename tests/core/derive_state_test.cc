// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 4, to the microsecond.
#include "server/core/derive/derive_state.h"

#include <algorithm>
#include <random>

#include "gtest/gtest.h"
#include "server/base/limits.h"

namespace lifesign {
namespace {

constexpr Duration kMicrosecond(1);

PresenceTime T(std::int64_t second) { return PresenceTime(seconds(second)); }

class DeriveStateTest : public ::testing::Test {
 protected:
  State At(PresenceTime now) const {
    return DeriveState(times_, row_, debounce_, now);
  }
  Derivation DeriveAt(PresenceTime now) const {
    return Derive(times_, row_, debounce_, now);
  }

  // One microsecond before `at` the state is `before`, and its next change is
  // at `at`; from `at` on it is `after`.
  void ExpectChangeAt(PresenceTime at, State before, State after) const {
    EXPECT_EQ(At(at - kMicrosecond), before);
    EXPECT_EQ(At(at), after);
    EXPECT_EQ(At(at + kMicrosecond), after);
    EXPECT_EQ(DeriveAt(at - kMicrosecond).state, before);
    EXPECT_EQ(DeriveAt(at - kMicrosecond).next_change, at);
    EXPECT_EQ(DeriveAt(at).state, after);
  }

  const PolicyRow row_ = Policy().defaults;
  const Duration debounce_ = Policy().downgrade_debounce;
  // ACTIVE at 1,000 s.
  SessionTimes times_{T(1'000), T(1'000), kNever, kNever};
};

TEST_F(DeriveStateTest, WithOnlyActiveSignalsItIsTheReferenceThresholds) {
  EXPECT_EQ(At(T(1'000)), State::kActive);
  ExpectChangeAt(T(1'015), State::kActive, State::kIdle);
  ExpectChangeAt(T(1'060), State::kIdle, State::kAway);
  ExpectChangeAt(T(1'180), State::kAway, State::kStale);
  ExpectChangeAt(T(1'240), State::kStale, State::kOffline);
  EXPECT_EQ(DeriveAt(T(1'240)).next_change, kNever);
  EXPECT_EQ(At(T(1'000'000)), State::kOffline);
}

TEST_F(DeriveStateTest,
       SilenceIsJudgedByTheLastSignalActivityByTheLastActivity) {
  times_.last_signal = T(1'100);  // IDLE long after the last ACTIVE
  EXPECT_EQ(At(T(1'100)), State::kAway);
  ExpectChangeAt(T(1'280), State::kAway, State::kStale);
  ExpectChangeAt(T(1'340), State::kStale, State::kOffline);
}

TEST_F(DeriveStateTest, ASessionWithoutActivityIsIdleThenAway) {
  times_.last_activity = T(1'000) - row_.active_window;
  EXPECT_EQ(At(T(1'000)), State::kIdle);
  ExpectChangeAt(T(1'045), State::kIdle, State::kAway);
}

TEST_F(DeriveStateTest, AnIdleCapIsInForceOnceItHasRunForTheDebounce) {
  times_.idle_cap_since = T(1'001);
  ExpectChangeAt(T(1'003), State::kActive, State::kIdle);
  EXPECT_EQ(DeriveAt(T(1'003)).rule, Rule::kIdleCap);
  ExpectChangeAt(T(1'060), State::kIdle, State::kAway);
}

TEST_F(DeriveStateTest, ABackgroundCapIsAtMostAwayOnceItHasRunForTheDebounce) {
  times_.idle_cap_since = T(1'001);
  times_.background_cap_since = T(1'001);
  ExpectChangeAt(T(1'003), State::kActive, State::kAway);
  EXPECT_EQ(DeriveAt(T(1'003)).rule, Rule::kBackgroundCap);
  ExpectChangeAt(T(1'180), State::kAway, State::kStale);
}

TEST_F(DeriveStateTest, NoStateAboveBothShowsBetweenAMilderCapAndAStricter) {
  times_.idle_cap_since = T(1'001);
  times_.background_cap_since = T(1'008);
  ExpectChangeAt(T(1'003), State::kActive, State::kIdle);
  ExpectChangeAt(T(1'010), State::kIdle, State::kAway);
}

TEST_F(DeriveStateTest, ACapLowersAndNeverRaises) {
  times_.idle_cap_since = T(1'000);
  EXPECT_EQ(At(T(1'070)), State::kAway);
  EXPECT_EQ(At(T(1'190)), State::kStale);
  EXPECT_EQ(At(T(1'250)), State::kOffline);
}

TEST_F(DeriveStateTest, ACapThatCountsAtOnceRunsSinceTheDebounceBefore) {
  times_.idle_cap_since = T(1'000) - debounce_;
  EXPECT_EQ(At(T(1'000)), State::kIdle);
}

TEST_F(DeriveStateTest, TheRuleThatDecidedIsNamed) {
  EXPECT_EQ(DeriveAt(T(1'001)).rule, Rule::kActivity);
  EXPECT_EQ(DeriveAt(T(1'020)).rule, Rule::kActivity);
  EXPECT_EQ(DeriveAt(T(1'100)).rule, Rule::kActivity);
  EXPECT_EQ(DeriveAt(T(1'200)).rule, Rule::kSilence);
  EXPECT_EQ(DeriveAt(T(1'250)).rule, Rule::kTtl);
}

// § 2: huge legal durations saturate.
TEST_F(DeriveStateTest, ActivityBeforeTheBeginningOfTimeIsAway) {
  times_.last_activity = PresenceTime::min();
  EXPECT_EQ(At(T(1'000)), State::kAway);
  EXPECT_EQ(DeriveAt(T(1'000)).next_change, T(1'180));
}

TEST_F(DeriveStateTest, WindowsBeyondTheEndOfTimeNeverCome) {
  PolicyRow patient;
  patient.active_window = seconds(limits::kMaxDurationSeconds) - Duration(3);
  patient.idle_window = patient.active_window + kMicrosecond;
  patient.away_window = patient.idle_window + kMicrosecond;
  patient.ttl = seconds(limits::kMaxDurationSeconds);
  times_.last_signal = PresenceTime::max() - seconds(10);
  times_.last_activity = times_.last_signal;
  const Derivation late =
      Derive(times_, patient, debounce_, PresenceTime::max() - kMicrosecond);
  EXPECT_EQ(late.state, State::kActive);
  EXPECT_EQ(late.next_change, kNever);
}

// For any session and any instant: the answer holds until `next_change`, and
// not at it; and both functions agree.
TEST_F(DeriveStateTest, TheNextChangeIsTheFirstInstantAtWhichTheAnswerDiffers) {
  std::mt19937_64 random(1);
  const auto some = [&](std::int64_t most) {
    return static_cast<std::int64_t>(random() %
                                     static_cast<std::uint64_t>(most));
  };
  for (int i = 0; i < 20'000; ++i) {
    const PresenceTime now = T(10'000);
    times_.last_signal = now - Duration(some(250'000'000));
    times_.last_activity = times_.last_signal - Duration(some(100'000'000));
    times_.idle_cap_since = times_.background_cap_since = kNever;
    if (some(2) == 0) {
      times_.idle_cap_since = times_.last_signal - Duration(some(5'000'000));
      if (some(2) == 0) {
        times_.background_cap_since =
            times_.idle_cap_since + Duration(some(2'500'000));
      }
    }
    const Derivation derived = DeriveAt(now);
    ASSERT_EQ(derived.state, At(now));
    if (derived.state == State::kOffline) {
      ASSERT_EQ(derived.next_change, kNever);
      continue;
    }
    ASSERT_GT(derived.next_change, now);
    ASSERT_EQ(At(derived.next_change - kMicrosecond), derived.state);
    ASSERT_GT(At(derived.next_change), derived.state) << "time only lowers";
    const Duration wait = derived.next_change - now;
    ASSERT_EQ(At(now + Duration(some(wait.count()))), derived.state);
  }
}

}  // namespace
}  // namespace lifesign
