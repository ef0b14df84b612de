// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/run.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/property/shrink.h"
#include "tests/property/step.h"
#include "tests/sim/generator.h"
#include "tests/sim/world.h"

namespace lifesign::sim {
namespace {

// Ends `world`, and says what it came to.
Outcome Finish(World& world, std::vector<Step> script) {
  world.Settle();
  Outcome outcome;
  outcome.fault = world.fault();
  outcome.script = std::move(script);
  outcome.digest = world.journal().digest();
  outcome.tally = world.journal().tally();
  return outcome;
}

const property::Simplifications<Step>& Simplifications() {
  static const property::Simplifications<Step> all = {
      [](Step& step) { step.signals.clear(); },
      [](Step& step) { step.opens.clear(); },
      [](Step& step) {
        if (step.signals.size() > 1) step.signals.pop_back();
      },
      [](Step& step) {
        if (step.signals.size() > 1) step.signals.erase(step.signals.begin());
      },
      [](Step& step) {
        if (step.opens.size() > 1) step.opens.pop_back();
      },
      [](Step& step) {
        if (step.opens.size() > 1) step.opens.erase(step.opens.begin());
      },
      [](Step& step) {
        for (SignalStep& signal : step.signals) {
          signal.times = 1;
          signal.join.clear();
          signal.leave.clear();
        }
      },
      [](Step& step) {
        for (SignalStep& signal : step.signals) {
          if (!signal.availability.has_value()) continue;
          signal.availability->text = "";
          signal.availability->expires_in.reset();
        }
      },
      [](Step& step) {
        if (step.kind == Step::Kind::kDeclare) return;
        for (SignalStep& signal : step.signals) signal.availability.reset();
        for (OpenStep& open : step.opens) open.availability.reset();
      },
      [](Step& step) {
        for (OpenStep& open : step.opens) {
          open.device.reset();
          open.rooms.reset();
          open.metadata.reset();
        }
      },
      [](Step& step) {
        for (OpenStep& open : step.opens) open.signal.reset();
      },
      [](Step& step) {
        for (SignalStep& signal : step.signals) signal.signal.idle_for.reset();
      },
      [](Step& step) {
        if (step.predicates.size() > 1) step.predicates.pop_back();
      },
      [](Step& step) {
        if (step.predicates.size() > 1) {
          step.predicates.erase(step.predicates.begin());
        }
      },
      [](Step& step) { step.flag = false; },
  };
  return all;
}

std::string Words(const WorldOptions& options) {
  return absl::StrCat(
      "policy ", options.policy, ", ", options.shards, " shards, tick ",
      property::Seconds(options.tick), " s, rounds within ",
      property::Seconds(options.round_within), " s, at most ",
      options.max_sessions_per_user, " sessions a user and ",
      options.max_sessions_per_stream, " a stream, ", options.max_mailbox_bytes,
      " bytes a mailbox, messages take ",
      property::Seconds(options.least_delay), " to ",
      property::Seconds(options.most_delay), " s, window ", options.window);
}

}  // namespace

Outcome RunSeed(std::uint64_t seed, int steps, std::ostream* follower) {
  Generator generator(seed);
  World world(generator.options(), follower);
  std::vector<Step> script;
  for (int i = 0; i < steps && !world.fault().has_value(); ++i) {
    script.push_back(generator.Next(world));
    world.Run(script.back());
  }
  return Finish(world, std::move(script));
}

Outcome RunScript(std::uint64_t seed, const std::vector<Step>& script,
                  std::ostream* follower) {
  const Generator generator(seed);
  World world(generator.options(), follower);
  for (const Step& step : script) world.Run(step);
  return Finish(world, script);
}

std::string Report(std::uint64_t seed, const Outcome& outcome) {
  const Outcome again = RunScript(seed, outcome.script, nullptr);
  if (again.digest != outcome.digest) {
    return absl::StrCat("seed ", seed, ": ", *outcome.fault,
                        "\n  but it went otherwise when it was repeated: ",
                        again.fault.value_or("nothing wrong"), "\n");
  }
  const std::vector<Step> shortest = property::Shrink<Step>(
      outcome.script,
      [&](const std::vector<Step>& shorter) {
        return RunScript(seed, shorter, nullptr).fault.has_value();
      },
      Simplifications());
  std::string report =
      absl::StrCat("seed ", seed, ": ", *outcome.fault, "\n  ",
                   Words(Generator(seed).options()), "; of ",
                   outcome.script.size(), " steps these are needed:\n");
  for (const Step& step : shortest) {
    absl::StrAppend(&report, "    ", Line(step), "\n");
  }
  absl::StrAppend(&report,
                  "  then: ", *RunScript(seed, shortest, nullptr).fault, "\n");
  return report;
}

}  // namespace lifesign::sim
