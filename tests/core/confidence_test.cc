// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 6: a probability, and a calibrated one.
#include "server/core/derive/confidence.h"

#include <cmath>
#include <functional>
#include <random>

#include "absl/types/optional.h"
#include "gtest/gtest.h"

namespace lifesign {
namespace {

constexpr Duration kTtl = seconds(240);

Silence Of(Duration length, Duration promised = seconds(10),
           Lifecycle lifecycle = Lifecycle::kActive) {
  return {lifecycle, length, promised, kTtl, 10};
}

double At(double second, Duration promised = seconds(10)) {
  return Confidence(
      ShippedConfidence(),
      Of(Duration(static_cast<std::int64_t>(second * 1e6)), promised));
}

TEST(ConfidenceTest, IsOneUntilThePromiseWithJitterAndFivePercent) {
  EXPECT_EQ(At(0), 1.0);
  EXPECT_EQ(At(11.5), 1.0);
  EXPECT_EQ(At(11.55), 1.0);
  EXPECT_LT(At(11.56), 1.0);
  // C35: 59 s of 69.3; 120 s of 69.3.
  EXPECT_EQ(At(59, seconds(60)), 1.0);
  EXPECT_EQ(At(69.3, seconds(60)), 1.0);
  EXPECT_LT(At(69.31, seconds(60)), 1.0);
}

TEST(ConfidenceTest, IsZeroFromTheTtlOn) {
  EXPECT_GT(At(239.999999), 0.0);
  EXPECT_EQ(At(240), 0.0);
  EXPECT_EQ(At(1e9), 0.0);
  EXPECT_EQ(Confidence(ShippedConfidence(), Of(Duration::max())), 0.0);
}

// C36: finite and in [0, 1], never rising in silence.
TEST(ConfidenceTest, IsFiniteAndNeverRisesInSilence) {
  for (const Lifecycle lifecycle :
       {Lifecycle::kActive, Lifecycle::kIdle, Lifecycle::kBackground}) {
    for (const Duration promised : std::initializer_list<Duration>{
             Duration(0), Duration(1), milliseconds(1), seconds(1), seconds(10),
             seconds(60), seconds(10'000)}) {
      double before = 1;
      for (Duration length(0); length <= kTtl + seconds(1);
           length += milliseconds(10)) {
        const double now =
            Confidence(ShippedConfidence(), Of(length, promised, lifecycle));
        ASSERT_TRUE(std::isfinite(now));
        ASSERT_GE(now, 0);
        ASSERT_LE(now, before) << length.count();
        before = now;
      }
    }
  }
}

TEST(ConfidenceTest, TheShippedTableIsOfProbabilitiesThatNeverRise) {
  for (const ConfidenceCurve& curve : ShippedConfidence().curves) {
    float before = 1;
    for (const float share : curve) {
      EXPECT_TRUE(std::isfinite(share));
      EXPECT_GE(share, 0);
      EXPECT_LE(share, before);
      before = share;
    }
  }
}

TEST(ConfidenceTest, TheStepsAreLogSpaced) {
  EXPECT_DOUBLE_EQ(ConfidenceStepSilence(0), kFirstConfidenceStep);
  EXPECT_NEAR(ConfidenceStepSilence(kConfidenceSteps - 1), kLastConfidenceStep,
              1e-6);
  const double ratio = ConfidenceStepSilence(1) / ConfidenceStepSilence(0);
  for (std::size_t i = 1; i < kConfidenceSteps; ++i) {
    EXPECT_NEAR(ConfidenceStepSilence(i) / ConfidenceStepSilence(i - 1), ratio,
                1e-9);
  }
}

TEST(SilenceCountsTest, TheUsualHeartbeatCountsNothing) {
  SilenceCounts counts;
  counts.Count(Of(seconds(10)), true);
  counts.Count(Of(Duration(11'550'000)), true);
  EXPECT_EQ(counts.total(), 0u);
  counts.Count(Of(Duration(11'560'000)), true);
  EXPECT_EQ(counts.total(), 1u);
}

TEST(SilenceCountsTest, WithoutCountsTheTableIsThePrior) {
  const ConfidenceTable learned =
      SilenceCounts().Learn(ShippedConfidence(), 1'000);
  for (std::size_t l = 0; l < kLifecycles; ++l) {
    for (std::size_t i = 0; i < kConfidenceSteps; ++i) {
      EXPECT_NEAR(learned.curves[l][i], ShippedConfidence().curves[l][i], 1e-5);
    }
  }
}

TEST(SilenceCountsTest, WithNeitherCountsNorPriorItIsFinite) {
  const ConfidenceTable learned = SilenceCounts().Learn(ShippedConfidence(), 0);
  for (const ConfidenceCurve& curve : learned.curves) {
    for (const float share : curve) EXPECT_TRUE(std::isfinite(share));
  }
}

TEST(SilenceCountsTest, LifecyclesLearnApart) {
  SilenceCounts counts;
  for (int i = 0; i < 1'000; ++i) {
    counts.Count(Of(seconds(100), seconds(10), Lifecycle::kActive), true);
    counts.Count(Of(kTtl, seconds(10), Lifecycle::kIdle), false);
  }
  const ConfidenceTable learned = counts.Learn(ShippedConfidence(), 1);
  EXPECT_GT(Confidence(learned, Of(seconds(90))), 0.99);
  EXPECT_LT(Confidence(learned, Of(seconds(90), seconds(10), Lifecycle::kIdle)),
            0.01);
}

TEST(SilenceCountsTest, MergingAddsAndHalvingForgetsHalf) {
  SilenceCounts a;
  SilenceCounts b;
  for (int i = 0; i < 10; ++i) a.Count(Of(seconds(50)), true);
  for (int i = 0; i < 30; ++i) b.Count(Of(kTtl), false);
  a.Merge(b);
  EXPECT_EQ(a.total(), 40u);
  const ConfidenceTable learned = a.Learn(ShippedConfidence(), 0);
  EXPECT_NEAR(Confidence(learned, Of(seconds(20))), 0.25, 0.01);
  a.Halve();
  EXPECT_EQ(a.total(), 20u);
  EXPECT_NEAR(Confidence(a.Learn(ShippedConfidence(), 0), Of(seconds(20))),
              0.25, 0.01);
  a.Clear();
  EXPECT_EQ(a.total(), 0u);
}

// A population of silences: how long each lasts, none if the client is gone.
using Population =
    std::function<absl::optional<double>(std::mt19937_64& random)>;

// Learns from one half of a population, and looks at the other: of all that
// were reported at a confidence, so many came back before the ttl.
void ExpectCalibrated(const Population& population) {
  std::mt19937_64 random(7);
  const double ttl = 240;
  SilenceCounts counts;
  for (int i = 0; i < 50'000; ++i) {
    const auto lasts = population(random);
    const bool returns = lasts.has_value() && *lasts < ttl;
    counts.Count(
        Of(Duration(static_cast<std::int64_t>((returns ? *lasts : ttl) * 1e6))),
        returns);
  }
  const ConfidenceTable learned = counts.Learn(ShippedConfidence(), 1'000);

  struct Bucket {
    double reported = 0;
    int returned = 0;
    int all = 0;
  };
  std::array<Bucket, 10> buckets;
  // Within the promise it is 1 by definition.
  std::uniform_real_distribution<double> somewhen(11.6, ttl);
  for (int i = 0; i < 200'000; ++i) {
    const auto lasts = population(random);
    const double looked_at = somewhen(random);
    if (lasts.has_value() && *lasts <= looked_at) continue;
    const double confidence = Confidence(
        learned, Of(Duration(static_cast<std::int64_t>(looked_at * 1e6))));
    Bucket& bucket = buckets[std::min<std::size_t>(
        static_cast<std::size_t>(confidence * 10), 9)];
    bucket.reported += confidence;
    bucket.returned += lasts.has_value() && *lasts < ttl ? 1 : 0;
    ++bucket.all;
  }
  int looked_at = 0;
  for (const Bucket& bucket : buckets) {
    if (bucket.all < 500) continue;
    ++looked_at;
    EXPECT_NEAR(bucket.reported / bucket.all,
                static_cast<double>(bucket.returned) / bucket.all, 0.05);
  }
  EXPECT_GT(looked_at, 2);
}

TEST(CalibrationTest, OfTenReportedAtNineTenthsNineComeBack) {
  ExpectCalibrated([](std::mt19937_64& random) -> absl::optional<double> {
    if (random() % 100 < 30) return absl::nullopt;
    return std::exponential_distribution<double>(1 / 60.0)(random);
  });
}

// An accrual detector is wrong by up to 0.7 on such a one: most silences are
// short, and some very long ones come back as a rule.
TEST(CalibrationTest, HoldsForAPopulationOfTwoHabits) {
  ExpectCalibrated([](std::mt19937_64& random) -> absl::optional<double> {
    const auto kind = random() % 100;
    if (kind < 20) return absl::nullopt;
    if (kind < 80) return std::normal_distribution<double>(20, 3)(random);
    return std::uniform_real_distribution<double>(120, 230)(random);
  });
}

}  // namespace
}  // namespace lifesign
