// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Presence in words for people. Pure: what time it is comes in as a value,
// always the server's, so that ages are right on a machine whose clock is not.
#ifndef LIFESIGN_CLIENT_CLI_TEXT_WORDS_H_
#define LIFESIGN_CLIENT_CLI_TEXT_WORDS_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "lifesign/v1/presence.pb.h"

namespace lifesign::cli {

absl::Time TimeOf(const google::protobuf::Timestamp& time);
absl::Duration DurationOf(const google::protobuf::Duration& duration);

// "active"; "unknown" for a state that a newer server may send.
const char* StateWord(v1::PresenceState state);
// "web", "mobile", …
const char* DeviceWord(v1::DeviceClass device);
// "available", "busy", "do not disturb", "invisible"; "unknown" for one that a
// newer server may send.
const char* AvailabilityWords(v1::AvailabilityKind kind);
// Of a change: "heard of", "time ran out", "silent too long", "left", …
const char* CauseWords(v1::Cause cause);
// Of the last signal: "in use", "unattended", "in the background".
const char* LifecycleWords(v1::SignalKind kind);

// "1 session", "2 sessions".
std::string CountOf(long long count, absl::string_view noun);

// "now", "30 s ago", "5 min ago", "2 h 5 min ago", "3 days ago". Rounded down:
// it never says that something is older than it is. The future is "now".
std::string Ago(absl::Duration age);

// "0.4 s", "12.5 s", "1 min 5 s", "2 h 5 min", "3 days": exact where it is
// short.
std::string Span(absl::Duration duration);

// "98 % sure". Says 100 % only for certainty and 0 % only for none.
std::string Sure(double confidence);

// The time of day, and the date if it is not the day of `now`.
std::string Clock(absl::Time time, absl::Time now, absl::TimeZone zone);

// "busy (at lunch), for another 25 min"; empty for AVAILABLE without text.
std::string AvailabilityText(const v1::Availability& availability,
                             absl::Time now);

// "active 30 s ago on web, 2 sessions; 98 % sure; busy"; "last seen 5 min ago";
// "never seen".
std::string PresenceText(const v1::Presence& presence, absl::Time read_time);

// "web, connected, in use; active 4 s ago, heard 2 s ago; 98 % sure".
std::string SessionText(const v1::Session& session, absl::Time read_time);

// `text` with what could steer a terminal replaced by U+FFFD: what others named
// must not move the cursor.
std::string Printable(absl::string_view text);

// `text` and spaces up to `width` code points.
std::string Padded(absl::string_view text, std::size_t width);
std::size_t WidthOf(absl::string_view text);

}  // namespace lifesign::cli

#endif  // LIFESIGN_CLIENT_CLI_TEXT_WORDS_H_
