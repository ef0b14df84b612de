// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The confidence table that servers start from. docs/concepts.md § 6.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "server/core/derive/confidence.h"
#include "server/core/policy/policy.h"

namespace lifesign {
namespace {

constexpr char kFile[] = "server/core/derive/shipped_confidence.inc";

std::string OutputOf(const std::string& program) {
  std::string text;
  FILE* pipe = popen(program.c_str(), "r");
  if (pipe == nullptr) return text;
  char buffer[4096];
  while (const std::size_t n = fread(buffer, 1, sizeof buffer, pipe)) {
    text.append(buffer, n);
  }
  EXPECT_EQ(pclose(pipe), 0);
  return text;
}

TEST(ShippedConfidenceTest, IsWhatTheProgramComputes) {
  const char* program = std::getenv("LIFESIGN_CONFIDENCE_TABLE");
  ASSERT_NE(program, nullptr);
  std::ifstream file(kFile);
  std::ostringstream committed;
  committed << file.rdbuf();
  EXPECT_TRUE(OutputOf(program) == committed.str())
      << "renew it: " << program << " >" << kFile;
}

constexpr Lifecycle kAll[] = {Lifecycle::kActive, Lifecycle::kIdle,
                              Lifecycle::kBackground};

Silence SilentFor(Lifecycle lifecycle, Duration length) {
  const Policy policy;
  return {lifecycle, length, policy.defaults.Interval(lifecycle),
          policy.defaults.ttl, policy.jitter_percent};
}

TEST(ShippedConfidenceTest, NeverRisesInSilence) {
  for (const Lifecycle lifecycle : kAll) {
    double last = 1;
    for (Duration length(0); length < seconds(250);
         length += milliseconds(100)) {
      const double confidence =
          Confidence(ShippedConfidence(), SilentFor(lifecycle, length));
      ASSERT_LE(confidence, last);
      ASSERT_GE(confidence, 0);
      last = confidence;
    }
    EXPECT_EQ(last, 0);
  }
}

// Who kept the promise is certain; who broke it is not; who is about to expire
// hardly ever comes back.
TEST(ShippedConfidenceTest, TellsAKeptPromiseFromABrokenOne) {
  for (const Lifecycle lifecycle : kAll) {
    const auto at = [lifecycle](double intervals) {
      const Silence silence = SilentFor(lifecycle, Duration(0));
      return Confidence(
          ShippedConfidence(),
          SilentFor(
              lifecycle,
              Duration(static_cast<Duration::rep>(
                  intervals * static_cast<double>(silence.promised.count())))));
    };
    EXPECT_EQ(at(1.15), 1);
    EXPECT_LT(at(1.2), 1);
    EXPECT_GT(at(1.2), 0.5);
    EXPECT_LT(at(3.9), at(1.2));
  }
  const auto near = SilentFor(Lifecycle::kActive, seconds(239));
  EXPECT_LT(Confidence(ShippedConfidence(), near), 0.05);
}

}  // namespace
}  // namespace lifesign
