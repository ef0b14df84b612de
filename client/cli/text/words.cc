// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/text/words.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "server/base/utf8.h"

namespace lifesign::cli {
namespace {

constexpr char kReplacement[] = "\xEF\xBF\xBD";

// "2 h 5 min": the unit and, if it is not 0, the next smaller one.
std::string InUnits(long long seconds) {
  constexpr long long kMinute = 60;
  constexpr long long kHour = 60 * kMinute;
  constexpr long long kDay = 24 * kHour;
  if (seconds < kMinute) return absl::StrCat(seconds, " s");
  if (seconds < kHour) {
    const long long rest = seconds % kMinute;
    return absl::StrCat(seconds / kMinute, " min",
                        rest == 0 ? "" : absl::StrCat(" ", rest, " s"));
  }
  if (seconds < kDay) {
    const long long rest = seconds % kHour / kMinute;
    return absl::StrCat(seconds / kHour, " h",
                        rest == 0 ? "" : absl::StrCat(" ", rest, " min"));
  }
  return CountOf(seconds / kDay, "day");
}

long long WholeSeconds(absl::Duration duration) {
  return absl::ToInt64Seconds(absl::Floor(duration, absl::Seconds(1)));
}

// The classes on which the user is what they are: "web", "web and mobile".
std::string OnDevices(const v1::Presence& presence) {
  std::vector<std::string> names;
  for (const v1::DevicePresence& device : presence.devices()) {
    if (device.state() != presence.state()) continue;
    names.emplace_back(DeviceWord(device.device_class()));
  }
  if (names.empty()) return "";
  if (names.size() == 1) return absl::StrCat(" on ", names[0]);
  const std::string last = names.back();
  names.pop_back();
  return absl::StrCat(" on ", absl::StrJoin(names, ", "), " and ", last);
}

std::int64_t SessionsOf(const v1::Presence& presence) {
  std::int64_t sessions = 0;
  for (const auto& count : presence.session_counts()) {
    sessions += count.sessions();
  }
  return sessions;
}

}  // namespace

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) +
         absl::Nanoseconds(time.nanos());
}

absl::Duration DurationOf(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) +
         absl::Nanoseconds(duration.nanos());
}

const char* StateWord(v1::PresenceState state) {
  switch (state) {
    case v1::PRESENCE_STATE_ACTIVE:
      return "active";
    case v1::PRESENCE_STATE_IDLE:
      return "idle";
    case v1::PRESENCE_STATE_AWAY:
      return "away";
    case v1::PRESENCE_STATE_STALE:
      return "stale";
    case v1::PRESENCE_STATE_OFFLINE:
      return "offline";
    default:
      return "unknown";
  }
}

const char* DeviceWord(v1::DeviceClass device) {
  switch (device) {
    case v1::DEVICE_CLASS_WEB:
      return "web";
    case v1::DEVICE_CLASS_MOBILE:
      return "mobile";
    case v1::DEVICE_CLASS_DESKTOP:
      return "desktop";
    case v1::DEVICE_CLASS_TV:
      return "tv";
    case v1::DEVICE_CLASS_BOT:
      return "bot";
    default:
      return "other";
  }
}

const char* AvailabilityWords(v1::AvailabilityKind kind) {
  switch (kind) {
    // What is not told is the default.
    case v1::AVAILABILITY_KIND_UNSPECIFIED:
    case v1::AVAILABILITY_KIND_AVAILABLE:
      return "available";
    case v1::AVAILABILITY_KIND_BUSY:
      return "busy";
    case v1::AVAILABILITY_KIND_DO_NOT_DISTURB:
      return "do not disturb";
    case v1::AVAILABILITY_KIND_INVISIBLE:
      return "invisible";
    default:
      return "unknown";
  }
}

std::string AvailabilityText(const v1::Availability& availability,
                             absl::Time now) {
  std::string text;
  if (!availability.text().empty()) {
    text = absl::StrCat(" (", Printable(availability.text()), ")");
  }
  if (availability.has_expires_at()) {
    absl::StrAppend(&text, ", for another ",
                    Span(absl::Ceil(TimeOf(availability.expires_at()) - now,
                                    absl::Seconds(1))));
  }
  const bool is_default =
      availability.kind() == v1::AVAILABILITY_KIND_UNSPECIFIED ||
      availability.kind() == v1::AVAILABILITY_KIND_AVAILABLE;
  if (is_default && text.empty()) return "";
  return absl::StrCat(AvailabilityWords(availability.kind()), text);
}

const char* CauseWords(v1::Cause cause) {
  switch (cause) {
    case v1::CAUSE_SIGNAL:
      return "heard of";
    case v1::CAUSE_DECAY:
      return "time ran out";
    case v1::CAUSE_EXPIRY:
      return "silent too long";
    case v1::CAUSE_LEAVE:
      return "left";
    case v1::CAUSE_RECONVERGENCE:
      return "not back after the server's start";
    case v1::CAUSE_AVAILABILITY:
      return "availability";
    default:
      return "unchanged";
  }
}

const char* LifecycleWords(v1::SignalKind kind) {
  switch (kind) {
    case v1::SIGNAL_KIND_ACTIVE:
      return "in use";
    case v1::SIGNAL_KIND_IDLE:
      return "unattended";
    case v1::SIGNAL_KIND_BACKGROUND:
      return "in the background";
    default:
      return "said nothing yet";
  }
}

std::string CountOf(long long count, absl::string_view noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

std::string Ago(absl::Duration age) {
  const long long seconds = WholeSeconds(age);
  if (seconds < 1) return "now";
  // Beyond a minute nobody counts the seconds.
  const long long told =
      seconds < 3600 && seconds >= 60 ? seconds - seconds % 60 : seconds;
  return absl::StrCat(InUnits(told), " ago");
}

std::string Span(absl::Duration duration) {
  const bool negative = duration < absl::ZeroDuration();
  const absl::Duration length = negative ? -duration : duration;
  const char* sign = negative ? "-" : "";
  if (length < absl::Minutes(1)) {
    const double tenths = std::floor(absl::ToDoubleSeconds(length) * 10 + 1e-6);
    if (std::fmod(tenths, 10) == 0) {
      return absl::StrFormat("%s%.0f s", sign, tenths / 10);
    }
    return absl::StrFormat("%s%.1f s", sign, tenths / 10);
  }
  return absl::StrCat(sign, InUnits(WholeSeconds(length)));
}

std::string Sure(double confidence) {
  if (!(confidence > 0)) return "0 % sure";
  if (confidence >= 1) return "100 % sure";
  const double percent = std::clamp(std::round(confidence * 100), 1.0, 99.0);
  return absl::StrFormat("%.0f %% sure", percent);
}

std::string Clock(absl::Time time, absl::Time now, absl::TimeZone zone) {
  const bool today =
      absl::ToCivilDay(time, zone) == absl::ToCivilDay(now, zone);
  return absl::FormatTime(today ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", time, zone);
}

std::string PresenceText(const v1::Presence& presence, absl::Time read_time) {
  if (presence.state() == v1::PRESENCE_STATE_OFFLINE) {
    if (!presence.has_last_seen()) return "never seen";
    return absl::StrCat("last seen ",
                        Ago(read_time - TimeOf(presence.last_seen())));
  }
  std::string text;
  if (presence.has_last_active()) {
    text = absl::StrCat("active ",
                        Ago(read_time - TimeOf(presence.last_active())));
  } else if (presence.has_last_seen()) {
    text = absl::StrCat("not active yet, seen ",
                        Ago(read_time - TimeOf(presence.last_seen())));
  } else {
    text = "not heard yet";
  }
  absl::StrAppend(&text, OnDevices(presence), ", ",
                  CountOf(SessionsOf(presence), "session"), "; ",
                  Sure(presence.confidence()));
  const std::string availability =
      AvailabilityText(presence.availability(), read_time);
  if (!availability.empty()) absl::StrAppend(&text, "; ", availability);
  return text;
}

std::string SessionText(const v1::Session& session, absl::Time read_time) {
  std::string activity = "never active";
  if (session.has_last_active()) {
    activity =
        absl::StrCat("active ", Ago(read_time - TimeOf(session.last_active())));
  }
  // Not told of a session whose user has become visible since.
  const std::string heard =
      session.has_last_seen()
          ? absl::StrCat("heard ", Ago(read_time - TimeOf(session.last_seen())))
          : "not heard since";
  return absl::StrCat(DeviceWord(session.device_class()), ", ",
                      session.connected() ? "connected" : "not connected", ", ",
                      LifecycleWords(session.lifecycle()), "; ", activity, ", ",
                      heard, "; ", Sure(session.confidence()));
}

std::string Printable(absl::string_view text) {
  std::string printable;
  while (!text.empty()) {
    const absl::string_view before = text;
    const std::uint32_t point = TakeCodePoint(text);
    if (point == kNotUtf8 || IsControlCodePoint(point) ||
        IsBidiControlCodePoint(point) || IsLineSeparatorCodePoint(point)) {
      printable += kReplacement;
    } else {
      absl::StrAppend(&printable,
                      before.substr(0, before.size() - text.size()));
    }
  }
  return printable;
}

std::size_t WidthOf(absl::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string Padded(absl::string_view text, std::size_t width) {
  const std::size_t length = WidthOf(text);
  return absl::StrCat(text,
                      std::string(length < width ? width - length : 0, ' '));
}

}  // namespace lifesign::cli
