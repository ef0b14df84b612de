// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/text/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "google/protobuf/text_format.h"

namespace lifesign::cli {
namespace {

// When the server read: 2026-01-02 10:00:00 UTC.
constexpr int kReadTime = 1767348000;

absl::Time Now() { return absl::FromUnixSeconds(kReadTime); }

template <typename Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message));
  return message;
}

std::string SecondsAgo(int seconds) {
  return "{ seconds: " + std::to_string(kReadTime - seconds) + " }";
}

TEST(AgoTest, SpeaksToPeople) {
  EXPECT_EQ(Ago(absl::Seconds(-5)), "now");
  EXPECT_EQ(Ago(absl::Milliseconds(999)), "now");
  EXPECT_EQ(Ago(absl::Seconds(1)), "1 s ago");
  EXPECT_EQ(Ago(absl::Milliseconds(30999)), "30 s ago");
  EXPECT_EQ(Ago(absl::Seconds(59)), "59 s ago");
  EXPECT_EQ(Ago(absl::Seconds(60)), "1 min ago");
  EXPECT_EQ(Ago(absl::Seconds(359)), "5 min ago");
  EXPECT_EQ(Ago(absl::Minutes(60)), "1 h ago");
  EXPECT_EQ(Ago(absl::Minutes(125)), "2 h 5 min ago");
  EXPECT_EQ(Ago(absl::Hours(24)), "1 day ago");
  EXPECT_EQ(Ago(absl::Hours(80)), "3 days ago");
}

TEST(SpanTest, IsExactWhereItIsShort) {
  EXPECT_EQ(Span(absl::ZeroDuration()), "0 s");
  EXPECT_EQ(Span(absl::Milliseconds(420)), "0.4 s");
  EXPECT_EQ(Span(absl::Milliseconds(1200)), "1.2 s");
  EXPECT_EQ(Span(absl::Seconds(15)), "15 s");
  EXPECT_EQ(Span(absl::Seconds(65)), "1 min 5 s");
  EXPECT_EQ(Span(absl::Seconds(240)), "4 min");
  EXPECT_EQ(Span(absl::Minutes(125)), "2 h 5 min");
  EXPECT_EQ(Span(-absl::Seconds(3)), "-3 s");
}

TEST(CountOfTest, OneHasNoPlural) {
  EXPECT_EQ(CountOf(0, "session"), "0 sessions");
  EXPECT_EQ(CountOf(1, "session"), "1 session");
  EXPECT_EQ(CountOf(2, "session"), "2 sessions");
}

// Certainty is said only when there is: concepts.md § 6.
TEST(SureTest, SaysCertainOnlyForCertain) {
  EXPECT_EQ(Sure(1), "100 % sure");
  EXPECT_EQ(Sure(0.9999), "99 % sure");
  EXPECT_EQ(Sure(0.98), "98 % sure");
  EXPECT_EQ(Sure(0.001), "1 % sure");
  EXPECT_EQ(Sure(0), "0 % sure");
}

TEST(PresenceTextTest, SaysWhenWhereAndHowSure) {
  const auto presence = Parse<v1::Presence>(
      "user_id: 'ann' state: PRESENCE_STATE_IDLE confidence: 0.98"
      " last_active " +
      SecondsAgo(30) + " last_seen " + SecondsAgo(2) +
      " session_counts { state: PRESENCE_STATE_IDLE sessions: 1 }"
      " session_counts { state: PRESENCE_STATE_AWAY sessions: 1 }"
      " devices { device_class: DEVICE_CLASS_WEB state: PRESENCE_STATE_IDLE }"
      " devices { device_class: DEVICE_CLASS_MOBILE"
      "           state: PRESENCE_STATE_AWAY }");
  EXPECT_EQ(PresenceText(presence, Now()),
            "active 30 s ago on web, 2 sessions; 98 % sure");
}

TEST(AvailabilityTextTest, SaysWhatWhyAndForHowLong) {
  const auto text = [](const std::string& availability) {
    return AvailabilityText(Parse<v1::Availability>(availability), Now());
  };
  EXPECT_EQ(text(""), "");
  EXPECT_EQ(text("kind: AVAILABILITY_KIND_AVAILABLE"), "");
  EXPECT_EQ(text("kind: AVAILABILITY_KIND_AVAILABLE text: 'back'"),
            "available (back)");
  EXPECT_EQ(text("kind: AVAILABILITY_KIND_BUSY"), "busy");
  EXPECT_EQ(text("kind: AVAILABILITY_KIND_DO_NOT_DISTURB text: 'a\\033b'"
                 " expires_at " +
                 SecondsAgo(-90)),
            "do not disturb (a\xEF\xBF\xBD"
            "b), for another 1 min 30 s");
}

TEST(PresenceTextTest, AvailabilityComesLast) {
  const auto presence = Parse<v1::Presence>(
      "user_id: 'ann' state: PRESENCE_STATE_IDLE confidence: 1 last_active " +
      SecondsAgo(30) +
      " session_counts { state: PRESENCE_STATE_IDLE sessions: 1 }"
      " availability { kind: AVAILABILITY_KIND_BUSY }");
  EXPECT_EQ(PresenceText(presence, Now()),
            "active 30 s ago, 1 session; 100 % sure; busy");
}

TEST(PresenceTextTest, ServerThatCountsBeyondReasonDoesNoHarm) {
  const auto presence = Parse<v1::Presence>(
      "user_id: 'ann' state: PRESENCE_STATE_IDLE confidence: 1 last_active " +
      SecondsAgo(30) +
      " session_counts { state: PRESENCE_STATE_IDLE sessions: 2147483647 }"
      " session_counts { state: PRESENCE_STATE_AWAY sessions: 2147483647 }");
  EXPECT_EQ(PresenceText(presence, Now()),
            "active 30 s ago, 4294967294 sessions; 100 % sure");
}

TEST(PresenceTextTest, NamesAllDevicesThatHoldTheState) {
  const auto presence = Parse<v1::Presence>(
      "user_id: 'ann' state: PRESENCE_STATE_ACTIVE confidence: 1"
      " last_active " +
      SecondsAgo(0) +
      " session_counts { state: PRESENCE_STATE_ACTIVE sessions: 3 }"
      " devices { device_class: DEVICE_CLASS_WEB"
      "           state: PRESENCE_STATE_ACTIVE }"
      " devices { device_class: DEVICE_CLASS_MOBILE"
      "           state: PRESENCE_STATE_ACTIVE }"
      " devices { device_class: DEVICE_CLASS_TV"
      "           state: PRESENCE_STATE_ACTIVE }");
  EXPECT_EQ(PresenceText(presence, Now()),
            "active now on web, mobile and tv, 3 sessions; 100 % sure");
}

// concepts.md § 4: connecting is not activity.
TEST(PresenceTextTest, WhoWasNeverActiveIsNotCalledActive) {
  const auto presence = Parse<v1::Presence>(
      "user_id: 'ann' state: PRESENCE_STATE_IDLE confidence: 1 last_seen " +
      SecondsAgo(3) +
      " session_counts { state: PRESENCE_STATE_IDLE sessions: 1 }"
      " devices { device_class: DEVICE_CLASS_BOT state: PRESENCE_STATE_IDLE }");
  EXPECT_EQ(PresenceText(presence, Now()),
            "not active yet, seen 3 s ago on bot, 1 session; 100 % sure");
}

// concepts.md § 7: unknown users are OFFLINE, never "not found".
TEST(PresenceTextTest, UnknownUsersWereNeverSeen) {
  EXPECT_EQ(PresenceText(Parse<v1::Presence>(
                             "user_id: 'x' state: PRESENCE_STATE_OFFLINE"),
                         Now()),
            "never seen");
}

TEST(PresenceTextTest, WhoIsGoneWasSeenLast) {
  EXPECT_EQ(PresenceText(Parse<v1::Presence>("state: PRESENCE_STATE_OFFLINE "
                                             "last_seen " +
                                             SecondsAgo(300)),
                         Now()),
            "last seen 5 min ago");
}

TEST(SessionTextTest, TellsASession) {
  const auto session = Parse<v1::Session>(
      "session_id: 'tab' state: PRESENCE_STATE_IDLE"
      " device_class: DEVICE_CLASS_WEB connected: true confidence: 0.7"
      " lifecycle: SIGNAL_KIND_ACTIVE last_active " +
      SecondsAgo(40) + " last_seen " + SecondsAgo(20));
  EXPECT_EQ(SessionText(session, Now()),
            "web, connected, in use; active 40 s ago, heard 20 s ago; 70 % "
            "sure");
}

TEST(ClockTest, NamesTheDayOnlyIfItIsAnother) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  EXPECT_EQ(Clock(Now() - absl::Minutes(1), Now(), utc), "09:59:00");
  EXPECT_EQ(Clock(Now() - absl::Hours(11), Now(), utc), "2026-01-01 23:00:00");
}

// What others named must not steer a terminal.
TEST(PrintableTest, ReplacesWhatMovesTheCursor) {
  EXPECT_EQ(Printable("ann"), "ann");
  EXPECT_EQ(Printable("Zoë 🙂"), "Zoë 🙂");
  EXPECT_EQ(Printable("a\x1b[2Jb"), "a\uFFFD[2Jb");
  EXPECT_EQ(Printable("a\u202Eb"), "a\uFFFDb");
  EXPECT_EQ(Printable("a\u2028b\u2029c"), "a\uFFFDb\uFFFDc");
  EXPECT_EQ(Printable("a\xFF"
                      "b"),
            "a\uFFFDb");
}

TEST(PaddedTest, CountsWhatIsSeenNotBytes) {
  EXPECT_EQ(Padded("Zoë", 5), "Zoë  ");
  EXPECT_EQ(Padded("longer", 3), "longer");
}

TEST(WordsTest, AStateOfANewerServerIsUnknown) {
  EXPECT_STREQ(StateWord(static_cast<v1::PresenceState>(99)), "unknown");
}

}  // namespace
}  // namespace lifesign::cli
