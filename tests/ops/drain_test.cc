// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/mutex.h"
#include "server/ops/drain/termination_signals.h"
#include "server/ops/exit_codes.h"
#include "server/ops/port_file.h"

namespace lifesign {
namespace {

using ::testing::ExitedWithCode;
using ::testing::HasSubstr;

constexpr int kHeard = 42;

// Each in a process of its own, since signals are for a whole one.
class TerminationSignalsTest : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

// Sends `signal` to this process and ends it as `on_first` says.
[[noreturn]] void HearOne(int signal) {
  TerminationSignals signals([signal](int number) {
    _exit(number == signal ? kHeard : kExitFailure);
  });
  kill(getpid(), signal);
  for (;;) {
    pause();
  }
}

// Sends `first`, and `second` when the first was heard.
[[noreturn]] void HearTwo(int first, int second) {
  TerminationSignals signals([second](int) { kill(getpid(), second); });
  kill(getpid(), first);
  for (;;) {
    pause();
  }
}

TEST_F(TerminationSignalsTest, TheFirstIsAWish) {
  EXPECT_EXIT(HearOne(SIGTERM), ExitedWithCode(kHeard), "");
  EXPECT_EXIT(HearOne(SIGINT), ExitedWithCode(kHeard), "");
}

TEST_F(TerminationSignalsTest, TheSecondEndsTheProcessAtOnce) {
  EXPECT_EXIT(HearTwo(SIGTERM, SIGTERM),
              ExitedWithCode(kExitSignalBase + SIGTERM), "");
  EXPECT_EXIT(HearTwo(SIGTERM, SIGINT),
              ExitedWithCode(kExitSignalBase + SIGINT), "");
}

TEST_F(TerminationSignalsTest, StopsListeningWhenDestroyed) {
  const auto run = [] {
    {
      TerminationSignals signals([](int) { _exit(kExitFailure); });
    }
    _exit(kHeard);
  };
  EXPECT_EXIT(run(), ExitedWithCode(kHeard), "");
}

class PortFileTest : public ::testing::Test {
 protected:
  static std::string Read(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

TEST_F(PortFileTest, HoldsThePort) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/port_file");
  ASSERT_TRUE(WritePortFile(path, 7400).ok());
  EXPECT_EQ(Read(path), "7400\n");
  ASSERT_TRUE(WritePortFile(path, 1).ok());
  EXPECT_EQ(Read(path), "1\n");
}

TEST_F(PortFileTest, SaysWhyItCannotBeWritten) {
  const absl::Status status = WritePortFile("/nowhere/port", 1);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("No such file or directory"));
}

}  // namespace
}  // namespace lifesign
