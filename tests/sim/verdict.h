// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The first thing that was wrong in a world.
#ifndef LIFESIGN_TESTS_SIM_VERDICT_H_
#define LIFESIGN_TESTS_SIM_VERDICT_H_

#include <string>
#include <utility>

#include "absl/types/optional.h"

namespace lifesign::sim {

class Verdict {
 public:
  // What comes after the first fault may follow from it, and is not told.
  void Fail(std::string what) {
    if (!fault_.has_value()) fault_ = std::move(what);
  }

  const absl::optional<std::string>& fault() const { return fault_; }
  bool failed() const { return fault_.has_value(); }

 private:
  absl::optional<std::string> fault_;
};

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_VERDICT_H_
