// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include <grpc/grpc.h>
#include <grpc/support/log.h>

#include <fstream>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/wrappers.pb.h"
#include "gtest/gtest.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/ops/logging/async_log.h"
#include "server/ops/logging/library_logs.h"
#include "server/ops/logging/log_line.h"

namespace lifesign {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

// 2026-01-02T03:04:05.678901Z
const WallTime kTime{microseconds(1'767'323'045'678'901)};

// What clients may send, and what a log must not do with it.
const char* const kHostile[] = {
    "a\nb",
    "a\r\n{\"level\":\"error\",\"message\":\"forged\"}",
    "\",\"level\":\"error",
    "\\",
    "\\\"",
    "\x1b[2J\x1b]0;title\x07",
    "\x7f\xc2\x9b"
    "31m",
    "\xe2\x80\xae"
    "evil",
    "\xe2\x80\xa8line\xe2\x80\xa9",
    "\xff\xfe\xc0\x80",
    "\xed\xa0\x80",
    "ends in half a \xe2\x82",
    "%v %s {}",
    "",
};

LogRecord Record(absl::Span<const LogField> fields) {
  return {LogLevel::kInfo, "happened", fields};
}

google::protobuf::Struct Parse(const std::string& json) {
  google::protobuf::Struct parsed;
  const auto status =
      google::protobuf::util::JsonStringToMessage(json, &parsed);
  EXPECT_TRUE(status.ok()) << json << ": " << status.ToString();
  return parsed;
}

TEST(JsonLineTest, IsOneObjectWithTimeLevelMessageAndFields) {
  const LogField fields[] = {{"text", "user 1"},
                             {"count", -3},
                             {"big", std::numeric_limits<uint64_t>::max()},
                             {"share", 0.25},
                             {"on", true},
                             {"budget", milliseconds(1500)}};
  EXPECT_EQ(JsonLine(Record(fields), kTime),
            "{\"time\":\"2026-01-02T03:04:05.678901Z\",\"level\":\"info\","
            "\"message\":\"happened\",\"text\":\"user 1\",\"count\":-3,"
            "\"big\":18446744073709551615,\"share\":0.25,\"on\":true,"
            "\"budget_s\":1.500000}");
}

TEST(JsonLineTest, HostileTextForgesNeitherLineNorField) {
  for (const char* text : kHostile) {
    const LogField fields[] = {{"user", text}, {"after", 1}};
    const std::string line = JsonLine(Record(fields), kTime);
    for (const char c : line) {
      EXPECT_GE(static_cast<unsigned char>(c), 0x20) << line;
    }
    for (const char* raw :
         {"\x7f", "\xc2\x9b", "\xe2\x80\xae", "\xe2\x80\xa8", "\xe2\x80\xa9"}) {
      EXPECT_FALSE(absl::StrContains(line, raw)) << line;
    }
    const auto parsed = Parse(line);
    EXPECT_THAT(parsed.fields(), SizeIs(5)) << line;
    EXPECT_EQ(parsed.fields().at("level").string_value(), "info");
    EXPECT_EQ(parsed.fields().at("after").number_value(), 1);
  }
}

TEST(JsonLineTest, TextThatIsUtf8ComesBackAsItWas) {
  for (const char* text : {"a\nb\t\"\\", "grüße", "日本", "🙂", "\x1b["}) {
    const LogField fields[] = {{"user", text}};
    EXPECT_EQ(Parse(JsonLine(Record(fields), kTime))
                  .fields()
                  .at("user")
                  .string_value(),
              text);
  }
}

TEST(JsonLineTest, NumbersThatJsonCannotSayAreNull) {
  const LogField fields[] = {{"a", std::numeric_limits<double>::infinity()},
                             {"b", std::numeric_limits<double>::quiet_NaN()}};
  EXPECT_THAT(JsonLine(Record(fields), kTime),
              HasSubstr("\"a\":null,\"b\":null"));
}

TEST(TextLineTest, ReadsLikeASentence) {
  const LogField fields[] = {{"streams", 3},
                             {"budget", seconds(30)},
                             {"user", "a b"},
                             {"peer", "127.0.0.1:7"}};
  EXPECT_EQ(TextLine(Record(fields), kTime),
            "2026-01-02T03:04:05.678901Z INFO happened streams=3 budget=30s "
            "user=\"a b\" peer=127.0.0.1:7");
}

TEST(TextLineTest, HostileTextStaysInItsQuotes) {
  for (const char* text : kHostile) {
    const LogField fields[] = {{"user", text}};
    const std::string line = TextLine(Record(fields), kTime);
    for (const char c : line) {
      EXPECT_GE(static_cast<unsigned char>(c), 0x20) << line;
      EXPECT_NE(c, '\x7f') << line;
    }
  }
  const LogField fields[] = {{"user", "x\" level=ERROR \n\xff"}};
  EXPECT_THAT(TextLine(Record(fields), kTime),
              HasSubstr("user=\"x\\\" level=ERROR \\n\\x{ff}\""));
}

class AsyncLogTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.file = absl::StrCat(
        testing::TempDir(), "/async_log_test.",
        testing::UnitTest::GetInstance()->current_test_info()->name());
    std::remove(options_.file.c_str());
    options_.format = AsyncLog::Format::kText;
  }
  void TearDown() override { SetMinLogLevel(LogLevel::kInfo); }

  std::vector<std::string> Lines() {
    std::ifstream file(options_.file);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) {
      lines.push_back(line);
    }
    return lines;
  }

  SimulatedClock clock_;
  AsyncLog::Options options_;
};

TEST_F(AsyncLogTest, WritesEverythingBeforeItEnds) {
  {
    const auto log = AsyncLog::Start(options_, clock_);
    ASSERT_TRUE(log.ok()) << log.status();
    for (int i = 0; i < 1'000; ++i) {
      LogInfo("line", {{"i", i}});
    }
    EXPECT_EQ((*log)->dropped_lines(), 0u);
  }
  const auto lines = Lines();
  ASSERT_THAT(lines, SizeIs(1'000));
  EXPECT_EQ(lines.front(), "2026-01-01T00:00:00.000000Z INFO line i=0");
  EXPECT_THAT(lines.back(), HasSubstr("i=999"));
}

TEST_F(AsyncLogTest, AppendsToWhatIsThere) {
  for (int run = 0; run < 2; ++run) {
    const auto log = AsyncLog::Start(options_, clock_);
    ASSERT_TRUE(log.ok()) << log.status();
    LogInfo("started");
  }
  EXPECT_THAT(Lines(), SizeIs(2));
}

TEST_F(AsyncLogTest, AFullQueueDropsTheOldestAndSaysSo) {
  options_.queued_lines = 4;
  std::uint64_t dropped = 0;
  constexpr int kLines = 20'000;
  {
    const auto log = AsyncLog::Start(options_, clock_);
    ASSERT_TRUE(log.ok()) << log.status();
    for (int i = 0; i < kLines; ++i) {
      LogInfo("line", {{"i", i}});
    }
    dropped = (*log)->dropped_lines();
  }
  std::uint64_t told = 0;
  std::uint64_t written = 0;
  for (const std::string& line : Lines()) {
    const auto lost = line.find("log lines dropped lines=");
    if (lost == std::string::npos) {
      ++written;
    } else {
      told += std::stoull(line.substr(line.rfind('=') + 1));
    }
  }
  EXPECT_GT(dropped, 0u);
  EXPECT_EQ(told, dropped);
  EXPECT_EQ(written + dropped, kLines);
}

TEST_F(AsyncLogTest, AFileThatCannotBeOpenedIsAnError) {
  options_.file = testing::TempDir();
  EXPECT_EQ(AsyncLog::Start(options_, clock_).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(AsyncLogTest, GrpcLogsHereEachPlaceOnceASecond) {
  grpc_init();
  {
    const auto log = AsyncLog::Start(options_, clock_);
    ASSERT_TRUE(log.ok()) << log.status();
    RedirectLibraryLogs();
    for (int i = 0; i < 10; ++i) {
      gpr_log("/src/core/place.cc", 7, GPR_LOG_SEVERITY_ERROR, "went\n%d", i);
    }
    gpr_log("/src/core/place.cc", 8, GPR_LOG_SEVERITY_DEBUG, "unasked");
  }
  grpc_shutdown();
  EXPECT_THAT(
      Lines(),
      ElementsAre(HasSubstr(
          "WARNING grpc text=\"went\\n0\" file=place.cc line=7 held_back=0")));
}

// A client that sends such bytes must not be able to write to standard error.
TEST_F(AsyncLogTest, ProtobufLogsHereTooEachPlaceOnceASecond) {
  grpc_init();
  {
    const auto log = AsyncLog::Start(options_, clock_);
    ASSERT_TRUE(log.ok()) << log.status();
    RedirectLibraryLogs();
    google::protobuf::StringValue text;
    for (int i = 0; i < 10; ++i) {
      EXPECT_FALSE(text.ParseFromString("\x0a\x02\xff\xfe"));
    }
  }
  grpc_shutdown();
  EXPECT_THAT(Lines(),
              ElementsAre(AllOf(HasSubstr("WARNING protobuf text="),
                                HasSubstr("UTF-8"), HasSubstr("held_back=0"))));
}

}  // namespace
}  // namespace lifesign
