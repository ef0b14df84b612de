// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The fleet against the server as they are shipped, in real time at a tenth of
// the defaults.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/cli/testing/program.h"
#include "tests/testing/eventually.h"

namespace lifesign::testing {
namespace {

// The figures of the last line.
std::map<std::string, std::int64_t> FiguresOf(const std::string& out) {
  const std::vector<std::string> lines =
      absl::StrSplit(out, '\n', absl::SkipEmpty());
  std::map<std::string, std::int64_t> figures;
  if (lines.empty()) return figures;
  for (const absl::string_view word : absl::StrSplit(lines.back(), ' ')) {
    const std::pair<std::string, std::string> pair =
        absl::StrSplit(word, absl::MaxSplits('=', 1));
    std::int64_t value = 0;
    if (absl::SimpleAtoi(pair.second, &value)) figures[pair.first] = value;
  }
  return figures;
}

class SimulateTest : public ::testing::Test {
 protected:
  SimulateTest()
      : port_file_(
            absl::StrCat(::testing::TempDir(), "/lifesign-port-", getpid())),
        server_(
            {std::getenv("LIFESIGND"), "--server.listen_address=127.0.0.1:0",
             absl::StrCat("--server.port_file=", port_file_),
             "--server.tick=10ms", "--server.drain_budget=2s",
             "--policy.time_scale_percent=10"},
            Program::Input::kNothing) {
    EXPECT_TRUE(Eventually([this] {
      std::ifstream(port_file_) >> port_;
      return !port_.empty();
    }));
  }
  ~SimulateTest() override {
    server_.Signal(SIGTERM);
    EXPECT_EQ(server_.Wait(), 0);
    std::remove(port_file_.c_str());
  }

  Ended Simulate(const std::vector<std::string>& flags) {
    std::vector<std::string> command = {std::getenv("LIFESIGN_CLI"), "simulate",
                                        "--target",
                                        absl::StrCat("127.0.0.1:", port_)};
    command.insert(command.end(), flags.begin(), flags.end());
    return RunToEnd(command);
  }

  const std::string port_file_;
  Program server_;
  std::string port_;
};

TEST_F(SimulateTest, SendsFarMoreThanItIsToldAndNobodyIsFalselyOffline) {
  const Ended ended =
      Simulate({"--seconds", "8", "--people", "20", "--clients", "30"});
  EXPECT_EQ(ended.code, 0) << ended.errors;
  auto figures = FiguresOf(ended.out);
  ASSERT_EQ(figures.size(), 7u) << ended.out;
  EXPECT_EQ(figures["users"], 80);
  EXPECT_GE(figures["sessions"], 80);
  EXPECT_EQ(figures["watchers"], 3);
  // Everybody came.
  EXPECT_GE(figures["changes"], 80);
  EXPECT_GT(figures["signals"], 3 * figures["changes"]);
  EXPECT_EQ(figures["suppressed"], figures["signals"] - figures["changes"]);
  EXPECT_EQ(figures["false_offline"], 0);
  EXPECT_THAT(ended.out,
              ::testing::ContainsRegex(
                  "rooms: standup [1-9].*design [1-9].*lounge [1-9]"));
  EXPECT_THAT(ended.out,
              ::testing::HasSubstr("hardly read caught up with everybody"));
}

}  // namespace
}  // namespace lifesign::testing
