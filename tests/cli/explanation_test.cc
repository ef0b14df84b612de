// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/text/explanation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "google/protobuf/text_format.h"

namespace lifesign::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// At 10:00:00: a tab used 4 s ago, a phone in a pocket whose cap is in force.
constexpr char kTwoSessions[] = R"(
  presence {
    user_id: "ann" state: PRESENCE_STATE_ACTIVE confidence: 1
    since { seconds: 1767347820 } last_active { seconds: 1767347996 }
    session_counts { state: PRESENCE_STATE_ACTIVE sessions: 1 }
    session_counts { state: PRESENCE_STATE_AWAY sessions: 1 }
    devices { device_class: DEVICE_CLASS_WEB state: PRESENCE_STATE_ACTIVE }
  }
  last_cause: CAUSE_SIGNAL
  read_time { seconds: 1767348000 }
  next_change { at { seconds: 1767348011 } state: PRESENCE_STATE_IDLE }
  sessions {
    session {
      session_id: "tab" state: PRESENCE_STATE_ACTIVE connected: true
      device_class: DEVICE_CLASS_WEB lifecycle: SIGNAL_KIND_ACTIVE
      confidence: 1 last_active { seconds: 1767347996 }
      last_seen { seconds: 1767347996 } next_interval { seconds: 10 }
    }
    rule: DERIVATION_RULE_ACTIVITY holds_user_state: true
    signal_age { seconds: 4 } activity_age { seconds: 4 }
    next_change { at { seconds: 1767348011 } state: PRESENCE_STATE_IDLE }
    windows {
      active_window { seconds: 15 } idle_window { seconds: 60 }
      away_window { seconds: 180 } ttl { seconds: 240 }
      downgrade_debounce { seconds: 2 }
    }
  }
  sessions {
    session {
      session_id: "phone" state: PRESENCE_STATE_AWAY
      device_class: DEVICE_CLASS_MOBILE lifecycle: SIGNAL_KIND_BACKGROUND
      confidence: 0.5 last_seen { seconds: 1767347900 }
      next_interval { seconds: 60 }
    }
    rule: DERIVATION_RULE_BACKGROUND_CAP
    signal_age { seconds: 100 } activity_age { seconds: 115 }
    idle_cap {
      started_at { seconds: 1767347900 } in_force_at { seconds: 1767347902 }
      in_force: true
    }
    background_cap {
      started_at { seconds: 1767347999 } in_force_at { seconds: 1767348001 }
    }
    windows {
      active_window { seconds: 15 } idle_window { seconds: 60 }
      away_window { seconds: 180 } ttl { seconds: 240 }
      downgrade_debounce { seconds: 2 }
    }
  }
)";

std::string Explain(const std::string& text) {
  v1::ExplainPresenceResponse response;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &response));
  return ExplanationText(response, absl::UTCTimeZone(), Palette(false));
}

TEST(ExplanationTest, BeginsWithTheUserAndSinceWhen) {
  EXPECT_THAT(Explain(kTwoSessions),
              HasSubstr("ann is active since 09:57:00 (3 min; heard of): "
                        "active 4 s ago on web, 2 sessions; 100 % sure\n"));
}

TEST(ExplanationTest, GoesRuleByRuleAndMarksTheOneThatDecides) {
  EXPECT_EQ(Explain(kTwoSessions).substr(Explain(kTwoSessions).find("\ntab")),
            R"(
tab is active, as the user is: web, connected, in use; active 4 s ago, heard 4 s ago; 100 % sure
    rule 1  silent for 4 s of the ttl of 4 min
    rule 2  silent for 4 s of the away window of 3 min, promised a beat every 10 s
  > rule 3  last activity 4 s ago: active under 15 s, idle under 1 min, else away  <- decides
    rule 4  no cap runs
    idle in 11 s, at 10:00:11 if nothing more is heard of it

phone is away: mobile, not connected, in the background; never active, heard 1 min ago; 50 % sure
    rule 1  silent for 1 min 40 s of the ttl of 4 min
    rule 2  silent for 1 min 40 s of the away window of 3 min, promised a beat every 1 min
    rule 3  never active, which counts as activity 1 min 55 s ago: active under 15 s, idle under 1 min, else away
    rule 4  unattended: at most idle, in force for 1 min 38 s
  > rule 4  in the background: at most away, in force in 1 s, at 10:00:01 (the debounce is 2 s)  <- decides

If nothing more is heard, ann becomes idle in 11 s, at 10:00:11.
)");
}

TEST(ExplanationTest, AnUnknownUserHasNoSession) {
  EXPECT_EQ(Explain("presence { user_id: 'x' state: PRESENCE_STATE_OFFLINE }"),
            "x is offline: never seen\nNo session is open.\n");
}

TEST(ExplanationTest, SaysThatAServerHasJustStarted) {
  EXPECT_THAT(Explain(std::string(kTwoSessions) +
                      "reconverging_until { seconds: 1767348081 }"),
              HasSubstr("until 10:01:21 (1 min 21 s) people may be missing who "
                        "will come back"));
  EXPECT_THAT(Explain(kTwoSessions), Not(HasSubstr("just started")));
}

TEST(ExplanationTest, SaysWhetherTheUserIsInTheRoom) {
  const std::string there = Explain(std::string(kTwoSessions) + R"(
    room {
      room_id: "lobby" state: PRESENCE_STATE_AWAY last_cause: CAUSE_DECAY
      since { seconds: 1767347902 } session_ids: "phone" session_ids: "tv"
      next_change { at { seconds: 1767348080 } state: PRESENCE_STATE_STALE }
      ends_at { seconds: 1767348140 }
    })");
  EXPECT_THAT(
      there,
      HasSubstr("\nIn lobby ann is away since 09:58:22 (1 min 38 s; time ran "
                "out), by phone and tv.\n"
                "    If nothing more is heard of them: stale there in 1 min "
                "20 s, at 10:01:20; not there any more in 2 min 20 s, at "
                "10:02:20.\n"
                "\nIf nothing more is heard, ann becomes idle"));
  EXPECT_THAT(
      Explain("presence { user_id: 'x' state: PRESENCE_STATE_OFFLINE }"
              "room { room_id: 'lobby' state: PRESENCE_STATE_OFFLINE }"),
      HasSubstr("No session is open.\n\n"
                "In lobby x is not: no session of theirs is there.\n"));
}

TEST(ExplanationTest, SaysWhenALeaveEndsTheSession) {
  EXPECT_THAT(
      Explain("presence { user_id: 'x' } read_time { seconds: 1767348000 }"
              "sessions { session { session_id: 's' }"
              "           linger_until { seconds: 1767348005 } }"),
      HasSubstr("ends in 5 s, at 10:00:05 unless it is opened again"));
}

}  // namespace
}  // namespace lifesign::cli
