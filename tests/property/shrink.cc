// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/property/shrink.h"

#include <algorithm>
#include <utility>

namespace lifesign::property {
namespace {

using Fails = std::function<bool(const Script&)>;

// Tries to leave out each run of `length` steps. True if one was.
bool DropRuns(Script& script, std::size_t length, const Fails& fails) {
  bool dropped = false;
  // From the end: what comes last before the failure is needed most often, and
  // what it does not need falls away for good.
  for (std::size_t end = script.size(); end > 0;) {
    const std::size_t begin = end > length ? end - length : 0;
    Script shorter = script;
    shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(begin),
                  shorter.begin() + static_cast<std::ptrdiff_t>(end));
    if (fails(shorter)) {
      script = std::move(shorter);
      dropped = true;
    }
    end = std::min(begin, script.size());
  }
  return dropped;
}

// Each makes a step simpler, or leaves it as it is.
const std::vector<std::function<void(Step&)>>& Simplifications() {
  static const std::vector<std::function<void(Step&)>> all = {
      [](Step& step) { step.metadata.reset(); },
      [](Step& step) { step.device.reset(); },
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
  return all;
}

}  // namespace

Script Shrink(Script script, const Fails& fails) {
  for (bool shorter = true; shorter;) {
    shorter = false;
    for (std::size_t length = script.size(); length > 0; length /= 2) {
      shorter |= DropRuns(script, std::min(length, script.size()), fails);
    }
  }
  for (std::size_t i = 0; i < script.size(); ++i) {
    for (const auto& simplify : Simplifications()) {
      Script simpler = script;
      simplify(simpler[i]);
      if (fails(simpler)) script = std::move(simpler);
    }
  }
  return script;
}

}  // namespace lifesign::property
