// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/run.h"

#include "gtest/gtest.h"
#include "server/base/log.h"

namespace lifesign::sim {
namespace {

class RunTest : public ::testing::Test {
 protected:
  RunTest() { SetMinLogLevel(LogLevel::kError); }
};

// Whatever ran before, and wherever things lie in memory.
TEST_F(RunTest, ASeedGoesTheSameWayEveryTime) {
  std::vector<std::uint64_t> digests;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    digests.push_back(RunSeed(seed, kStepsPerSeed, nullptr).digest);
  }
  for (std::uint64_t seed = 40; seed > 0; --seed) {
    EXPECT_EQ(RunSeed(seed, kStepsPerSeed, nullptr).digest, digests[seed - 1])
        << "seed " << seed;
  }
}

TEST_F(RunTest, AScriptGoesAsTheSeedThatItWasDrawnFrom) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const Outcome drawn = RunSeed(seed, kStepsPerSeed, nullptr);
    EXPECT_EQ(RunScript(seed, drawn.script, nullptr).digest, drawn.digest)
        << "seed " << seed;
  }
}

}  // namespace
}  // namespace lifesign::sim
