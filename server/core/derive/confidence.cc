// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/derive/confidence.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace lifesign {
namespace {

// How far above the promise, jitter included, a silence is still the usual one.
constexpr double kTolerance = 1.05;

const double kLogFirst = std::log(kFirstConfidenceStep);
const double kLogSpan = std::log(kLastConfidenceStep) - kLogFirst;

// Where `intervals` lies among the steps: 0 to kConfidenceSteps - 1.
double StepPosition(double intervals) {
  const double position = (std::log(intervals) - kLogFirst) / kLogSpan *
                          static_cast<double>(kConfidenceSteps - 1);
  return std::clamp(position, 0.0, static_cast<double>(kConfidenceSteps - 1));
}

double Intervals(const Silence& silence) {
  return static_cast<double>(silence.length.count()) /
         static_cast<double>(
             std::max<Duration::rep>(silence.promised.count(), 1));
}

bool WithinPromise(const Silence& silence) {
  return Intervals(silence) <=
         (1 + silence.jitter_percent / 100.0) * kTolerance * (1 + 1e-12);
}

struct Share {
  double value;
  double weight;
  std::size_t steps;
};

// The closest curve that never rises: pool adjacent violators (Ayer et al.,
// 1955).
ConfidenceCurve NeverRising(const std::vector<Share>& shares) {
  std::vector<Share> pools;
  for (Share pool : shares) {
    while (!pools.empty() && pools.back().value < pool.value) {
      const Share& last = pools.back();
      const double weight = last.weight + pool.weight;
      pool.value =
          (last.value * last.weight + pool.value * pool.weight) / weight;
      pool.weight = weight;
      pool.steps += last.steps;
      pools.pop_back();
    }
    pools.push_back(pool);
  }
  ConfidenceCurve curve{};
  std::size_t step = 0;
  for (const Share& pool : pools) {
    for (std::size_t i = 0; i < pool.steps; ++i) {
      curve[step++] = static_cast<float>(std::clamp(pool.value, 0.0, 1.0));
    }
  }
  return curve;
}

}  // namespace

double ConfidenceStepSilence(std::size_t step) {
  return std::exp(kLogFirst + kLogSpan * static_cast<double>(step) /
                                  static_cast<double>(kConfidenceSteps - 1));
}

const ConfidenceTable& ShippedConfidence() {
  static const ConfidenceTable table = {{{
#include "server/core/derive/shipped_confidence.inc"
  }}};
  return table;
}

double Confidence(const ConfidenceTable& table, const Silence& silence) {
  if (silence.length >= silence.ttl) return 0;
  if (WithinPromise(silence)) return 1;
  const ConfidenceCurve& curve =
      table.curves[static_cast<std::size_t>(silence.lifecycle)];
  const double position = StepPosition(Intervals(silence));
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, kConfidenceSteps - 1);
  const double part = position - static_cast<double>(below);
  return curve[below] * (1 - part) + curve[above] * part;
}

void SilenceCounts::Count(const Silence& silence, bool returned) {
  if (WithinPromise(silence)) return;
  const auto step = static_cast<std::size_t>(StepPosition(Intervals(silence)));
  const auto lifecycle = static_cast<std::size_t>(silence.lifecycle);
  ++(returned ? returned_ : ended_)[lifecycle][step];
  ++total_;
}

void SilenceCounts::Merge(const SilenceCounts& other) {
  for (std::size_t l = 0; l < kLifecycles; ++l) {
    for (std::size_t i = 0; i < kConfidenceSteps; ++i) {
      returned_[l][i] += other.returned_[l][i];
      ended_[l][i] += other.ended_[l][i];
    }
  }
  total_ += other.total_;
}

void SilenceCounts::Halve() {
  total_ = 0;
  for (std::size_t l = 0; l < kLifecycles; ++l) {
    for (std::size_t i = 0; i < kConfidenceSteps; ++i) {
      returned_[l][i] /= 2;
      ended_[l][i] /= 2;
      total_ += returned_[l][i] + ended_[l][i];
    }
  }
}

void SilenceCounts::Clear() { *this = SilenceCounts(); }

ConfidenceTable SilenceCounts::Learn(const ConfidenceTable& prior,
                                     double prior_weight) const {
  ConfidenceTable table;
  for (std::size_t l = 0; l < kLifecycles; ++l) {
    std::vector<Share> shares(kConfidenceSteps);
    double returned = 0;
    double all = 0;
    // Of the silences that lasted to step i: those that reached it or more.
    for (std::size_t i = kConfidenceSteps; i-- > 0;) {
      returned += returned_[l][i];
      all += returned_[l][i] + ended_[l][i];
      const double weight = all + prior_weight;
      const double value =
          weight > 0 ? (returned + prior_weight * prior.curves[l][i]) / weight
                     : 0;
      shares[i] = {value, std::max(weight, 1e-9), 1};
    }
    table.curves[l] = NeverRising(shares);
  }
  return table;
}

}  // namespace lifesign
