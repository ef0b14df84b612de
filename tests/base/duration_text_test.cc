// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/base/duration_text.h"

#include "gtest/gtest.h"

namespace lifesign {
namespace {

TEST(DurationTextTest, ReadsWhatPeopleWrite) {
  EXPECT_EQ(ParseDuration("15s"), seconds(15));
  EXPECT_EQ(ParseDuration("250ms"), milliseconds(250));
  EXPECT_EQ(ParseDuration("1m30s"), seconds(90));
  EXPECT_EQ(ParseDuration("1.5h"), seconds(5400));
  EXPECT_EQ(ParseDuration("0.000001s"), microseconds(1));
  EXPECT_EQ(ParseDuration("24h"), hours(24));
  EXPECT_EQ(ParseDuration("7us"), microseconds(7));
  EXPECT_EQ(ParseDuration("0"), seconds(0));
  EXPECT_EQ(ParseDuration("0s"), seconds(0));
}

TEST(DurationTextTest, RefusesAllElse) {
  for (const char* text : {"",
                           "15",
                           "s",
                           "-1s",
                           "+1s",
                           " 1s",
                           "1s ",
                           "1 s",
                           "1d",
                           "1S",
                           ".5s",
                           "1.s",
                           "1s1s",
                           "1s1m",
                           "0.5us",
                           "0.0000001s",
                           "1e3s",
                           "inf",
                           "1ms1s",
                           "9223372036854775808us",
                           "99999999999999999999h"}) {
    EXPECT_FALSE(ParseDuration(text).has_value()) << text;
  }
}

TEST(DurationTextTest, WritesWhatItReads) {
  EXPECT_EQ(FormatDuration(seconds(0)), "0s");
  EXPECT_EQ(FormatDuration(seconds(90)), "1m30s");
  EXPECT_EQ(FormatDuration(milliseconds(1500)), "1s500ms");
  EXPECT_EQ(FormatDuration(-milliseconds(5)), "-5ms");
  for (const Duration duration :
       {Duration(1), Duration(999'999), Duration(3'661'001'001),
        Duration::max(), Duration(seconds(240))}) {
    EXPECT_EQ(ParseDuration(FormatDuration(duration)), duration);
  }
}

}  // namespace
}  // namespace lifesign
