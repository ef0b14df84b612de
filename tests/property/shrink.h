// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// From a script that fails to a short one that fails.
#ifndef LIFESIGN_TESTS_PROPERTY_SHRINK_H_
#define LIFESIGN_TESTS_PROPERTY_SHRINK_H_

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

namespace lifesign::property {

// Whether a script fails.
template <typename Step>
using Fails = std::function<bool(const std::vector<Step>&)>;

// Makes a step simpler, or leaves it as it is.
template <typename Step>
using Simplifications = std::vector<std::function<void(Step&)>>;

// Tries to leave out each run of `length` steps. True if one was.
template <typename Step>
bool DropRuns(std::vector<Step>& script, std::size_t length,
              const Fails<Step>& fails) {
  bool dropped = false;
  // From the end: what comes last before the failure is needed most often, and
  // what it does not need falls away for good.
  for (std::size_t end = script.size(); end > 0;) {
    const std::size_t begin = end > length ? end - length : 0;
    std::vector<Step> shorter = script;
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

// Leaves out what is not needed to make `fails` true, steps first, then what
// they carry, until nothing more can be left out (delta debugging: Zeller and
// Hildebrandt, 2002). REQUIRES: fails(script).
template <typename Step>
std::vector<Step> Shrink(std::vector<Step> script, const Fails<Step>& fails,
                         const Simplifications<Step>& simplifications) {
  for (bool shorter = true; shorter;) {
    shorter = false;
    for (std::size_t length = script.size(); length > 0; length /= 2) {
      shorter |= DropRuns(script, std::min(length, script.size()), fails);
    }
  }
  for (std::size_t i = 0; i < script.size(); ++i) {
    for (const auto& simplify : simplifications) {
      std::vector<Step> simpler = script;
      simplify(simpler[i]);
      if (fails(simpler)) script = std::move(simpler);
    }
  }
  return script;
}

}  // namespace lifesign::property

#endif  // LIFESIGN_TESTS_PROPERTY_SHRINK_H_
