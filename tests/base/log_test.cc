// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/base/log.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lifesign {
namespace {

using testing::ElementsAre;

class Recorder : public LogSink {
 public:
  Recorder() { SetLogSink(this); }
  ~Recorder() override {
    SetLogSink(nullptr);
    SetMinLogLevel(LogLevel::kInfo);
  }

  void Write(const LogRecord& record) override {
    lines.push_back(absl::StrCat(LogLevelName(record.level), " ",
                                 record.message, " ", record.fields.size()));
    for (const LogField& field : record.fields) {
      kinds.push_back(field.value().index());
    }
  }

  std::vector<std::string> lines;
  std::vector<std::size_t> kinds;
};

TEST(LogTest, LinesGoToTheSinkWithTheirFields) {
  Recorder recorder;
  LogInfo("started");
  LogError("failed", {{"code", 3}, {"why", "no"}});
  EXPECT_THAT(recorder.lines, ElementsAre("info started 0", "error failed 2"));
}

TEST(LogTest, LinesBelowTheLevelAreDropped) {
  Recorder recorder;
  LogDebug("dropped");
  SetMinLogLevel(LogLevel::kError);
  LogWarning("dropped");
  SetMinLogLevel(LogLevel::kDebug);
  LogDebug("kept");
  EXPECT_THAT(recorder.lines, ElementsAre("debug kept 0"));
}

TEST(LogTest, FieldsKeepTheirKind) {
  Recorder recorder;
  LogInfo("all", {{"text", "literal"},
                  {"signed", -1},
                  {"unsigned", 1u},
                  {"real", 0.5},
                  {"switch", true},
                  {"span", seconds(1)}});
  EXPECT_THAT(recorder.kinds, ElementsAre(0u, 1u, 2u, 3u, 4u, 5u));
}

TEST(LogThrottleTest, LetsOneThroughAPeriodAndCountsTheRest) {
  LogThrottle throttle(seconds(10));
  const RealTime start(seconds(1));
  EXPECT_EQ(throttle.Admit(start), 0);
  EXPECT_EQ(throttle.Admit(start + seconds(1)), absl::nullopt);
  EXPECT_EQ(throttle.Admit(start + seconds(10) - Duration(1)), absl::nullopt);
  EXPECT_EQ(throttle.Admit(start + seconds(10)), 2);
  EXPECT_EQ(throttle.Admit(start + seconds(20)), 0);
}

}  // namespace
}  // namespace lifesign
