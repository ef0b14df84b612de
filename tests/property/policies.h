// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Policies that random worlds are judged by.
#ifndef LIFESIGN_TESTS_PROPERTY_POLICIES_H_
#define LIFESIGN_TESTS_PROPERTY_POLICIES_H_

#include <vector>

#include "server/core/policy/policy.h"

namespace lifesign::property {

// Each is valid; the first is the default.
const std::vector<Policy>& Policies();

}  // namespace lifesign::property

#endif  // LIFESIGN_TESTS_PROPERTY_POLICIES_H_
