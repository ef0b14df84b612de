// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Measures how well confidence is calibrated: of all sessions that were said to
// be there with a probability of 0.9, nine in ten should have come back.
//
//   lifesign_calibration [CLIENTS]
//
// A population of CLIENTS (4,000) on each of four networks alone, and one of
// all four, four times as large; each lives for an hour, so that the server
// learns, and is then measured for four. Prints, separated by tabs: population,
// behaviour, bin, samples, silences, predicted, observed. The same on every
// run.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "server/base/log.h"
#include "tests/sim/calibration/population.h"

namespace lifesign::sim {
namespace {

constexpr std::uint64_t kSeed = 20260101;
constexpr Duration kLearning = hours(1);
constexpr Duration kMeasured = hours(4);
constexpr const char* kNames[] = {"steady", "mobile", "bursty loss",
                                  "sudden death"};

void Print(const char* population, const char* behaviour, const Bins& bins) {
  for (std::size_t i = 0; i < bins.size(); ++i) {
    const Bin& bin = bins[i];
    const double samples =
        bin.samples == 0 ? 1 : static_cast<double>(bin.samples);
    std::printf("%s\t%s\t%.1f\t%ju\t%ju\t%.4f\t%.4f\n", population, behaviour,
                static_cast<double>(i) / static_cast<double>(bins.size()),
                static_cast<std::uintmax_t>(bin.samples),
                static_cast<std::uintmax_t>(bin.silences),
                bin.predicted / samples, bin.observed / samples);
  }
}

void Add(const Bins& part, Bins& whole) {
  for (std::size_t i = 0; i < kBins; ++i) {
    whole[i].samples += part[i].samples;
    whole[i].silences += part[i].silences;
    whole[i].predicted += part[i].predicted;
    whole[i].observed += part[i].observed;
  }
}

void Measure(const char* name, const std::vector<simulate::Network>& networks,
             int each) {
  Population population(networks, each, kSeed);
  population.Live(kLearning, /*measured=*/false);
  population.Live(kMeasured, /*measured=*/true);
  Bins all{};
  for (const simulate::Network network : networks) {
    const auto number = static_cast<std::size_t>(network);
    Print(name, kNames[number], population.bins()[number]);
    Add(population.bins()[number], all);
  }
  if (networks.size() > 1) Print(name, "all", all);
}

}  // namespace
}  // namespace lifesign::sim

int main(int count, char** arguments) {
  using namespace lifesign;  // NOLINT(google-build-using-namespace)
  SetMinLogLevel(LogLevel::kError);
  const int each = count > 1 ? std::atoi(arguments[1]) : 4'000;
  for (const auto network : simulate::kNetworks) {
    sim::Measure(sim::kNames[static_cast<std::size_t>(network)], {network},
                 each);
  }
  sim::Measure("mixture",
               {simulate::kNetworks.begin(), simulate::kNetworks.end()}, each);
  return 0;
}
