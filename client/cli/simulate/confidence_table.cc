// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Computes the confidence that a server starts from: what it would have learned
// from clients on steady, mobile and lossy networks and from clients that die
// suddenly, in equal parts. docs/concepts.md § 6.
//
//   lifesign_confidence_table > server/core/derive/shipped_confidence.inc
//
// Plays each of them for an hour of simulated time, with the default policy,
// one lifecycle throughout. The same on every run.
#include <cstdint>
#include <cstdio>

#include "absl/strings/str_format.h"
#include "client/cli/simulate/behaviour.h"
#include "server/core/derive/confidence.h"
#include "server/core/policy/policy.h"

namespace lifesign::simulate {
namespace {

constexpr std::uint64_t kSeed = 20260101;
// Of each network and lifecycle. Enough that the third digit stands still.
constexpr int kClients = 3000;
constexpr Duration kObserved = std::chrono::hours(1);

struct Row {
  const char* name;
  lifesign::Lifecycle lifecycle;
  Habit habit;
};
constexpr Row kRows[] = {
    {"ACTIVE", lifesign::Lifecycle::kActive, Habit::kOnlyActive},
    {"IDLE", lifesign::Lifecycle::kIdle, Habit::kOnlyIdle},
    {"BACKGROUND", lifesign::Lifecycle::kBackground, Habit::kOnlyBackground},
};

// Lets one client live, and counts how its silences end. The silence that runs
// when the time is over is followed to its end.
void Observe(const Row& row, const Policy& policy, Life life,
             SilenceCounts& counts) {
  const PolicyRow& windows = policy.defaults;
  const Promise promise = {windows.active_interval, windows.idle_interval,
                           windows.background_interval};
  Duration heard = life.Next(promise).at;
  while (heard < kObserved) {
    const Action action = life.Next(promise);
    if (!action.heard()) continue;
    const Duration silence = action.at - heard;
    const bool returned = silence < windows.ttl;
    counts.Count(
        {row.lifecycle, returned ? silence : windows.ttl,
         windows.Interval(row.lifecycle), windows.ttl, policy.jitter_percent},
        returned);
    heard = action.at;
  }
}

ConfidenceTable Learn() {
  const Policy policy;
  SilenceCounts counts;
  std::uint64_t client = 0;
  for (const Row& row : kRows) {
    for (const Network network : kNetworks) {
      for (int i = 0; i < kClients; ++i) {
        Observe(row, policy,
                Life(row.habit, network, policy.defaults.active_interval,
                     Random(kSeed, client++)),
                counts);
      }
    }
  }
  return counts.Learn(ConfidenceTable{}, 0);
}

void Print(const ConfidenceTable& table) {
  std::fputs(
      "// SPDX-FileCopyrightText: The Lifesign Authors\n"
      "// SPDX-License-Identifier: Apache-2.0\n"
      "//\n"
      "// Made by lifesign_confidence_table; do not edit.\n",
      stdout);
  for (const Row& row : kRows) {
    std::fputs(absl::StrFormat("// %s\n{", row.name).c_str(), stdout);
    const auto& curve = table.curves[static_cast<std::size_t>(row.lifecycle)];
    for (std::size_t i = 0; i < curve.size(); ++i) {
      std::fputs(
          absl::StrFormat("%s%.6ff,", i % 8 == 0 ? "\n  " : " ", curve[i])
              .c_str(),
          stdout);
    }
    std::fputs("\n},\n", stdout);
  }
}

}  // namespace
}  // namespace lifesign::simulate

int main() {
  lifesign::simulate::Print(lifesign::simulate::Learn());
  return 0;
}
