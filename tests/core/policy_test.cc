// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 3: the relations of a policy, each exactly at its limit.
#include "server/core/policy/policy.h"

#include <functional>
#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/limits.h"

namespace lifesign {
namespace {

using ::testing::IsEmpty;

constexpr Duration kMicrosecond(1);

std::vector<PolicyViolation> Violations(
    const std::function<void(Policy&)>& spoil) {
  Policy policy;
  spoil(policy);
  return ValidatePolicy(policy);
}

// The one violation of a policy that breaks one relation: its field.
std::string FieldOf(const std::function<void(Policy&)>& spoil) {
  const auto violations = Violations(spoil);
  EXPECT_EQ(violations.size(), 1u);
  return violations.empty() ? "" : violations[0].field;
}

TEST(PolicyTest, TheBuiltInOneHasTheDefaultsOfThePageAndIsValid) {
  const Policy policy;
  EXPECT_EQ(policy.defaults.active_window, seconds(15));
  EXPECT_EQ(policy.defaults.idle_window, seconds(60));
  EXPECT_EQ(policy.defaults.away_window, seconds(180));
  EXPECT_EQ(policy.defaults.ttl, seconds(240));
  EXPECT_EQ(policy.defaults.active_interval, seconds(10));
  EXPECT_EQ(policy.defaults.idle_interval, seconds(30));
  EXPECT_EQ(policy.defaults.background_interval, seconds(60));
  EXPECT_EQ(policy.downgrade_debounce, seconds(2));
  EXPECT_EQ(policy.jitter_percent, 10);
  EXPECT_EQ(policy.restart_grace, seconds(15));
  EXPECT_EQ(policy.offline_retention, hours(24));
  EXPECT_THAT(ValidatePolicy(policy), IsEmpty());
}

TEST(PolicyTest, WindowsAreStrictlyIncreasing) {
  EXPECT_EQ(FieldOf([](Policy& p) {
              p.defaults.idle_window = p.defaults.active_window;
            }),
            "idle_window");
  EXPECT_THAT(Violations([](Policy& p) {
                p.defaults.idle_window =
                    p.defaults.active_window + kMicrosecond;
              }),
              IsEmpty());
  EXPECT_EQ(FieldOf([](Policy& p) {
              p.defaults.idle_window = p.defaults.away_window;
            }),
            "away_window");
  EXPECT_THAT(Violations([](Policy& p) {
                p.defaults.idle_window = p.defaults.away_window - kMicrosecond;
              }),
              IsEmpty());
}

TEST(PolicyTest, TheTtlIsLongerThanTheAwayWindow) {
  EXPECT_EQ(FieldOf([](Policy& p) { p.defaults.ttl = p.defaults.away_window; }),
            "ttl");
  EXPECT_THAT(Violations([](Policy& p) {
                p.defaults.ttl = p.defaults.away_window + kMicrosecond;
              }),
              IsEmpty());
}

TEST(PolicyTest, OneLostHeartbeatNeverShowsAsStale) {
  for (Duration PolicyRow::*interval :
       {&PolicyRow::idle_interval, &PolicyRow::background_interval}) {
    const auto with = [=](int jitter_percent, Duration longest) {
      return [=](Policy& p) {
        p.jitter_percent = jitter_percent;
        p.defaults.*interval = longest;
      };
    };
    EXPECT_EQ(FieldOf(with(0, seconds(90))), "away_window");
    EXPECT_THAT(Violations(with(0, seconds(90) - milliseconds(1))), IsEmpty());
    EXPECT_EQ(FieldOf(with(25, seconds(72))), "away_window");
    EXPECT_THAT(Violations(with(25, seconds(72) - milliseconds(1))), IsEmpty());
  }
}

TEST(PolicyTest, TheActiveIntervalWithJitterIsShorterThanTheActiveWindow) {
  const auto with = [](Duration interval) {
    return [=](Policy& p) {
      p.jitter_percent = 50;
      p.defaults.idle_interval = seconds(30);
      p.defaults.background_interval = seconds(59);
      p.defaults.active_interval = interval;
    };
  };
  EXPECT_EQ(FieldOf(with(seconds(10))), "active_interval");
  EXPECT_THAT(Violations(with(seconds(10) - milliseconds(1))), IsEmpty());
}

TEST(PolicyTest, TheDebounceIsShorterThanTheActiveWindow) {
  EXPECT_EQ(FieldOf([](Policy& p) {
              p.downgrade_debounce = p.defaults.active_window;
            }),
            "downgrade_debounce");
  EXPECT_THAT(Violations([](Policy& p) {
                p.downgrade_debounce = p.defaults.active_window - kMicrosecond;
              }),
              IsEmpty());
}

TEST(PolicyTest, EachRelationHasAnErrorTextOfItsOwn) {
  const std::vector<std::function<void(Policy&)>> spoilers = {
      [](Policy& p) { p.defaults.idle_window = p.defaults.active_window; },
      [](Policy& p) { p.defaults.idle_window = p.defaults.away_window; },
      [](Policy& p) { p.defaults.ttl = p.defaults.away_window; },
      [](Policy& p) { p.defaults.background_interval = seconds(89); },
      [](Policy& p) { p.defaults.active_interval = seconds(14); },
      [](Policy& p) { p.downgrade_debounce = p.defaults.active_window; },
  };
  std::set<std::string> texts;
  for (const auto& spoil : spoilers) {
    const auto violations = Violations(spoil);
    ASSERT_EQ(violations.size(), 1u);
    texts.insert(violations[0].field + " " + violations[0].description);
  }
  EXPECT_EQ(texts.size(), spoilers.size());
}

TEST(PolicyTest, EachRowIsValidatedAsAWholeAndNamed) {
  const auto violations = Violations([](Policy& p) {
    PolicyRow phone;
    phone.ttl = phone.away_window;
    p.by_device[static_cast<std::size_t>(DeviceClass::kMobile)] = phone;
    PolicyRow bot;
    bot.active_window = p.downgrade_debounce;
    bot.active_interval = seconds(1);
    p.by_device[static_cast<std::size_t>(DeviceClass::kBot)] = bot;
  });
  ASSERT_EQ(violations.size(), 2u);
  EXPECT_EQ(violations[0].field, "mobile.ttl");
  EXPECT_EQ(violations[1].field, "bot.downgrade_debounce");
}

TEST(PolicyTest, ARowStandsInForTheDefaultsAsAWhole) {
  Policy policy;
  PolicyRow phone;
  phone.active_window = seconds(30);
  policy.by_device[static_cast<std::size_t>(DeviceClass::kMobile)] = phone;
  EXPECT_EQ(policy.RowFor(DeviceClass::kMobile), phone);
  EXPECT_EQ(policy.RowFor(DeviceClass::kWeb), policy.defaults);
}

// C56: a policy with a huge duration is refused whole, and names the field.
TEST(PolicyTest, DurationsOutOfRangeAreRefusedByName) {
  EXPECT_EQ(FieldOf([](Policy& p) {
              p.defaults.ttl = seconds(limits::kMaxDurationSeconds + 1);
            }),
            "ttl");
  EXPECT_THAT(Violations([](Policy& p) {
                p.defaults.ttl = seconds(limits::kMaxDurationSeconds);
              }),
              IsEmpty());
  EXPECT_EQ(FieldOf([](Policy& p) { p.defaults.ttl = Duration::max(); }),
            "ttl");
  EXPECT_EQ(FieldOf([](Policy& p) { p.defaults.active_window = Duration(0); }),
            "active_window");
  EXPECT_EQ(FieldOf([](Policy& p) { p.restart_grace = -kMicrosecond; }),
            "restart_grace");
  EXPECT_EQ(FieldOf([](Policy& p) { p.offline_retention = -kMicrosecond; }),
            "offline_retention");
  EXPECT_EQ(FieldOf([](Policy& p) { p.jitter_percent = -1; }),
            "jitter_percent");
}

// What a session is promised is kept in milliseconds.
TEST(PolicyTest, AnIntervalIsWholeMillisecondsAndAtMostThirtyDays) {
  const auto with = [](Duration interval) {
    return [=](Policy& p) {
      p.defaults.background_interval = interval;
      p.defaults.away_window = hours(24 * 100);
      p.defaults.ttl = hours(24 * 101);
    };
  };
  EXPECT_THAT(Violations(with(limits::kMaxInterval)), IsEmpty());
  EXPECT_EQ(FieldOf(with(limits::kMaxInterval + milliseconds(1))),
            "background_interval");
  EXPECT_EQ(FieldOf(with(seconds(60) + kMicrosecond)), "background_interval");
}

// § 5: for the policy's longest interval with jitter, and restart_grace.
TEST(PolicyTest, ReconvergenceLastsForTheLongestIntervalOfAnyRow) {
  Policy policy;
  EXPECT_EQ(policy.Reconvergence(), seconds(81));
  PolicyRow phone;
  phone.background_interval = seconds(80);
  policy.by_device[static_cast<std::size_t>(DeviceClass::kMobile)] = phone;
  EXPECT_EQ(policy.Reconvergence(), seconds(88 + 15));
}

TEST(PolicyTest, ATenthOfThePolicyIsValid) {
  const Policy scaled = ScalePolicy(Policy(), 1, 10);
  EXPECT_THAT(ValidatePolicy(scaled), IsEmpty());
  EXPECT_EQ(scaled.defaults.active_window, milliseconds(1'500));
  EXPECT_EQ(scaled.defaults.ttl, seconds(24));
  EXPECT_EQ(scaled.downgrade_debounce, milliseconds(200));
}

}  // namespace
}  // namespace lifesign
