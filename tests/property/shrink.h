// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// From a script that fails to a short one that fails.
#ifndef LIFESIGN_TESTS_PROPERTY_SHRINK_H_
#define LIFESIGN_TESTS_PROPERTY_SHRINK_H_

#include <functional>
#include <vector>

#include "tests/property/step.h"

namespace lifesign::property {

using Script = std::vector<Step>;

// Leaves out what is not needed to make `fails` true, steps first, then what
// they carry, until nothing more can be left out (delta debugging: Zeller and
// Hildebrandt, 2002). REQUIRES: fails(script).
Script Shrink(Script script, const std::function<bool(const Script&)>& fails);

}  // namespace lifesign::property

#endif  // LIFESIGN_TESTS_PROPERTY_SHRINK_H_
