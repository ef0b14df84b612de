// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/property/shrink.h"

#include <numeric>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lifesign::property {
namespace {

using ::testing::ElementsAre;

// A script that is whole shrinks to what makes it fail.
TEST(Shrink, LeavesOnlyWhatIsNeeded) {
  std::vector<int> script(50);
  std::iota(script.begin(), script.end(), 0);
  const auto seven_then_31 = [](const std::vector<int>& candidate) {
    bool first = false;
    bool second = false;
    for (const int step : candidate) {
      first |= step == 7;
      second |= first && step == 31;
    }
    return second;
  };
  EXPECT_THAT(Shrink<int>(script, seven_then_31, {}), ElementsAre(7, 31));
}

// What a step carries goes as well, if it is not needed.
TEST(Shrink, SimplifiesTheStepsThatAreLeft) {
  const auto has_odd = [](const std::vector<int>& candidate) {
    return std::any_of(candidate.begin(), candidate.end(),
                       [](int step) { return step % 2 == 1; });
  };
  EXPECT_THAT(
      Shrink<int>({2, 9, 4}, has_odd,
                  {[](int& step) { step -= 1; }, [](int& step) { step -= 2; }}),
      ElementsAre(7));
}

}  // namespace
}  // namespace lifesign::property
