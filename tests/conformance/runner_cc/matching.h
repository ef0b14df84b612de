// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What scenarios say of values. tests/conformance/README.md has the rules.
#ifndef LIFESIGN_TESTS_CONFORMANCE_RUNNER_CC_MATCHING_H_
#define LIFESIGN_TESTS_CONFORMANCE_RUNNER_CC_MATCHING_H_

#include <map>
#include <string>
#include <vector>

#include "tests/conformance/runner_cc/plain.h"

namespace lifesign::conformance {

// What scenarios saved, by name.
using Saved = std::map<std::string, Value>;

// One line for each place in which something is not as it should be.
using Differences = std::vector<std::string>;

// A request with "$name", "${x*128}" and "${x#128}" replaced by what they
// stand for.
Value Resolved(const Value& value, const Saved& saved);

// What lies at "updates.0.opened.attachment" in `value`; a null value if
// nothing does.
Value At(const Value& value, const std::string& path);

// `actual` may be null: absent. `path` names the place in the lines.
Differences Differ(const Value& expected, const Value* actual,
                   const Saved& saved, const std::string& path = "it");

}  // namespace lifesign::conformance

#endif  // LIFESIGN_TESTS_CONFORMANCE_RUNNER_CC_MATCHING_H_
