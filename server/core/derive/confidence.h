// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// How probable it is that a silent session is still there.
// docs/concepts.md § 6.
#ifndef LIFESIGN_SERVER_CORE_DERIVE_CONFIDENCE_H_
#define LIFESIGN_SERVER_CORE_DERIVE_CONFIDENCE_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "server/core/signal/signal.h"
#include "server/core/time.h"

namespace lifesign {

inline constexpr std::size_t kConfidenceSteps = 128;
// The silences that the steps stand for, measured in promised intervals:
// log-spaced from the first to the last.
inline constexpr double kFirstConfidenceStep = 1.0;
inline constexpr double kLastConfidenceStep = 1024.0;

// P(heard of again before the ttl | silent for so many promised intervals), at
// each step. Never rises from one step to the next.
using ConfidenceCurve = std::array<float, kConfidenceSteps>;

struct ConfidenceTable {
  std::array<ConfidenceCurve, kLifecycles> curves;
};

// The silence that step `step` stands for, in promised intervals.
double ConfidenceStepSilence(std::size_t step);

// The table that a server starts from.
const ConfidenceTable& ShippedConfidence();

// What of a session its confidence depends on.
struct Silence {
  Lifecycle lifecycle;
  Duration length;    // so far
  Duration promised;  // the interval handed out last, without jitter
  Duration ttl;
  int jitter_percent;
};

// In [0, 1]: 1 until promised * (1 + jitter) * 1.05, 0 from the ttl on,
// between them interpolated in `table`. Never rises with `length`.
double Confidence(const ConfidenceTable& table, const Silence& silence);

// Counts how silences end, to make the next table of. Only silences that
// outlasted the promise are of interest, so the usual heartbeat counts nothing.
// Not thread-safe.
class SilenceCounts {
 public:
  // A silence of this length came to its end: the session was heard again, by a
  // signal, an open or a take-over (`returned`), or it ended.
  void Count(const Silence& silence, bool returned);

  // Adds those of `other` to these.
  void Merge(const SilenceCounts& other);
  // Makes older silences weigh half as much as those counted from now on.
  void Halve();
  void Clear();
  std::uint64_t total() const { return total_; }

  // The table that these counts give, starting from `prior`, which weighs as
  // much as `prior_weight` silences at each step.
  ConfidenceTable Learn(const ConfidenceTable& prior,
                        double prior_weight) const;

 private:
  using Counts = std::array<std::uint32_t, kConfidenceSteps>;
  // By the step that the silence reached.
  std::array<Counts, kLifecycles> returned_{};
  std::array<Counts, kLifecycles> ended_{};
  std::uint64_t total_ = 0;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_DERIVE_CONFIDENCE_H_
