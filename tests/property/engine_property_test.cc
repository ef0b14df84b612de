// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Engine and model, driven by the same random signals, times, disconnects and
// policies: the same outcomes, the same views, the same changes, at every step.
//
//   LIFESIGN_PROPERTY_STEPS  how many steps (default 600,000)
//   LIFESIGN_PROPERTY_SEED   the first seed; a failure names the one to repeat
#include <cstdlib>
#include <iostream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/property/generator.h"
#include "tests/property/shrink.h"
#include "tests/property/world.h"

namespace lifesign::property {
namespace {

constexpr std::uint64_t kDefaultSteps = 600'000;
constexpr int kStepsPerWorld = 300;

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  std::uint64_t value = 0;
  if (text == nullptr || !absl::SimpleAtoi(text, &value)) return otherwise;
  return value;
}

using Script = std::vector<Step>;

const Simplifications<Step> kSimplifications = {
    [](Step& step) { step.metadata.reset(); },
    [](Step& step) { step.device.reset(); },
    [](Step& step) {
      if (step.kind != Step::Kind::kDeclare) step.availability.reset();
    },
    [](Step& step) {
      if (step.availability) step.availability->text = "";
    },
    [](Step& step) { step.instance = kNoInstance; },
    [](Step& step) { step.unary = false; },
    [](Step& step) { step.back = step.back == kNobody ? kNobody : 0; },
    [](Step& step) {
      if (step.signal) step.signal->idle_for.reset();
    },
    [](Step& step) {
      if (step.kind == Step::Kind::kOpen) step.signal.reset();
    },
};

// The first disagreement of a script in a world of its own, in words.
std::string Disagreement(const Generator& generator, const Script& script) {
  World world(generator.options(), generator.start());
  for (const Step& step : script) {
    if (const auto fault = world.Run(step)) {
      return absl::StrCat(Line(step, generator.start()), "\n  ", *fault);
    }
  }
  return "";
}

std::string Report(std::uint64_t seed, const Generator& generator,
                   const Script& script) {
  const Script shortest = Shrink<Step>(
      script,
      [&](const Script& shorter) {
        return !Disagreement(generator, shorter).empty();
      },
      kSimplifications);
  const WorldOptions& options = generator.options();
  std::string report = absl::StrCat(
      "engine and model disagree; repeat with LIFESIGN_PROPERTY_SEED=", seed,
      "\n  policy ", options.policy, ", ", options.shards, " shards, at most ",
      options.max_sessions_per_user, " sessions a user; ", script.size(),
      " steps, of which these are needed:\n");
  for (const Step& step : shortest) {
    absl::StrAppend(&report, "    ", Line(step, generator.start()), "\n");
  }
  absl::StrAppend(&report, "  then: ", Disagreement(generator, shortest));
  return report;
}

// Runs one world; false if it failed.
bool RunWorld(std::uint64_t seed, std::uint64_t steps, Tally& tally) {
  Generator generator(seed);
  World world(generator.options(), generator.start());
  Script script;
  for (std::uint64_t i = 0; i < steps; ++i) {
    script.push_back(generator.Next(world));
    if (world.Run(script.back())) {
      ADD_FAILURE() << Report(seed, generator, script);
      return false;
    }
  }
  for (const auto& [what, times] : world.tally()) tally[what] += times;
  tally["signal merged"] += world.model().merged();
  tally["signal that waited"] += world.model().waited();
  return true;
}

// concepts.md §§ 3-8, all of it at once.
TEST(EngineProperty, AgreesWithTheModelAtEveryStep) {
  const std::uint64_t steps =
      FromEnvironment("LIFESIGN_PROPERTY_STEPS", kDefaultSteps);
  const std::uint64_t first = FromEnvironment("LIFESIGN_PROPERTY_SEED", 1);
  Tally tally;
  std::uint64_t seed = first;
  for (std::uint64_t done = 0; done < steps; done += kStepsPerWorld, ++seed) {
    if (!RunWorld(seed, kStepsPerWorld, tally)) return;
  }
  std::cout << "seeds " << first << " to " << seed - 1 << "\n";
  for (const auto& [what, times] : tally) {
    std::cout << "  " << times << " " << what << "\n";
  }
  // What never happened was not tested.
  if (steps < kDefaultSteps) return;
  for (const char* what : {"change SIGNAL",
                           "change DECAY",
                           "change EXPIRY",
                           "change LEAVE",
                           "change SIGNAL of devices",
                           "change DECAY of devices",
                           "change EXPIRY of devices",
                           "change AVAILABILITY",
                           "change LEAVE of devices",
                           "told to few",
                           "told to others",
                           "signal merged",
                           "signal that waited",
                           "mail coalesced",
                           "mail vanished",
                           "mail taken",
                           "stream signal SESSION_NOT_OPEN",
                           "unary signal SESSION_NOT_OPEN",
                           "unary signal STALE_ATTACHMENT",
                           "open refused TOO_MANY_TAKE_OVERS",
                           "open refused TOO_MANY_SESSIONS"}) {
    EXPECT_GT(tally[what], 0) << what;
  }
}

}  // namespace
}  // namespace lifesign::property
