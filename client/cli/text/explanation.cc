// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/text/explanation.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "client/cli/text/words.h"

namespace lifesign::cli {
namespace {

// In place of an age that lies before its user became visible.
constexpr char kUntold[] = "we may not know how long";

// One session's part.
class SessionPart {
 public:
  SessionPart(const v1::SessionExplanation& explained, absl::Time now,
              absl::TimeZone zone, const Palette& palette)
      : explained_(explained), now_(now), zone_(zone), palette_(palette) {}

  std::string Text() {
    const v1::Session& session = explained_.session();
    absl::StrAppend(&text_, "\n",
                    palette_.Bold(Printable(session.session_id())), " is ",
                    palette_.State(session.state(), StateWord(session.state())),
                    explained_.holds_user_state() ? ", as the user is" : "",
                    ": ", SessionText(session, now_), "\n");
    Rules();
    Caps();
    if (explained_.rule() == v1::DERIVATION_RULE_RECONVERGENCE) {
      Line(true, "held",
           "the server has just started and waits for this session to report");
    }
    if (explained_.has_linger_until()) {
      Line(false, "left",
           absl::StrCat("ends ", In(TimeOf(explained_.linger_until())),
                        " unless it is opened again"));
    }
    if (explained_.has_next_change()) {
      const v1::NextChange& next = explained_.next_change();
      absl::StrAppend(&text_, "    ", StateWord(next.state()), " ",
                      In(TimeOf(next.at())),
                      " if nothing more is heard of it\n");
    }
    return text_;
  }

 private:
  void Rules() {
    const v1::PolicyWindows& windows = explained_.windows();
    const std::string silent = explained_.has_signal_age()
                                   ? Span(DurationOf(explained_.signal_age()))
                                   : std::string(kUntold);
    Line(explained_.rule() == v1::DERIVATION_RULE_TTL, "rule 1",
         absl::StrCat("silent for ", silent, " of the ttl of ",
                      Span(DurationOf(windows.ttl()))));
    Line(explained_.rule() == v1::DERIVATION_RULE_SILENCE, "rule 2",
         absl::StrCat("silent for ", silent, " of the away window of ",
                      Span(DurationOf(windows.away_window())),
                      ", promised a beat every ",
                      Span(DurationOf(explained_.session().next_interval()))));
    Line(explained_.rule() == v1::DERIVATION_RULE_ACTIVITY, "rule 3",
         absl::StrCat(
             explained_.session().has_last_active()
                 ? "last activity "
                 : "never active, which counts as activity ",
             explained_.has_activity_age()
                 ? absl::StrCat(Span(DurationOf(explained_.activity_age())),
                                " ago")
                 : std::string(kUntold),
             ": active under ", Span(DurationOf(windows.active_window())),
             ", idle under ", Span(DurationOf(windows.idle_window())),
             ", else away"));
  }

  void Caps() {
    if (explained_.has_idle_cap()) {
      Line(explained_.rule() == v1::DERIVATION_RULE_IDLE_CAP, "rule 4",
           absl::StrCat("unattended: at most idle, ",
                        Force(explained_.idle_cap())));
    }
    if (explained_.has_background_cap()) {
      Line(explained_.rule() == v1::DERIVATION_RULE_BACKGROUND_CAP, "rule 4",
           absl::StrCat("in the background: at most away, ",
                        Force(explained_.background_cap())));
    }
    if (!explained_.has_idle_cap() && !explained_.has_background_cap()) {
      Line(false, "rule 4", "no cap runs");
    }
  }

  std::string Force(const v1::Cap& cap) const {
    const absl::Time at = TimeOf(cap.in_force_at());
    if (cap.in_force() && !cap.has_in_force_at()) return "in force";
    if (cap.in_force()) {
      return absl::StrCat("in force for ", Span(now_ - at));
    }
    return absl::StrCat(
        "in force ", In(at), " (the debounce is ",
        Span(DurationOf(explained_.windows().downgrade_debounce())), ")");
  }

  // "in 4.2 s, at 10:02:31".
  std::string In(absl::Time at) const {
    return absl::StrCat("in ", Span(at - now_), ", at ",
                        Clock(at, now_, zone_));
  }

  void Line(bool decided, const char* name, const std::string& what) {
    const std::string line =
        absl::StrCat("  ", decided ? "> " : "  ", name, "  ", what,
                     decided ? "  <- decides" : "");
    absl::StrAppend(&text_, decided ? palette_.Bold(line) : line, "\n");
  }

  const v1::SessionExplanation& explained_;
  const absl::Time now_;
  const absl::TimeZone zone_;
  const Palette& palette_;
  std::string text_;
};

// "tab", "tab and phone", "tab, phone and tv".
std::string Joined(
    const google::protobuf::RepeatedPtrField<std::string>& names) {
  std::string text;
  for (int i = 0; i < names.size(); ++i) {
    const bool last = i + 1 == names.size();
    absl::StrAppend(&text,
                    i == 0 ? ""
                    : last ? " and "
                           : ", ",
                    Printable(names[i]));
  }
  return text;
}

std::string RoomText(const v1::RoomExplanation& room, const std::string& user,
                     absl::Time now, absl::TimeZone zone,
                     const Palette& palette) {
  const std::string name = palette.Bold(Printable(room.room_id()));
  if (room.state() == v1::PRESENCE_STATE_OFFLINE) {
    return absl::StrCat("\nIn ", name, " ", user,
                        " is not: no session of theirs is there.\n");
  }
  const absl::Time since = TimeOf(room.since());
  const absl::Time at = TimeOf(room.next_change().at());
  const absl::Time end = TimeOf(room.ends_at());
  std::string text = absl::StrCat(
      "\nIn ", name, " ", user, " is ",
      palette.State(room.state(), StateWord(room.state())), " since ",
      Clock(since, now, zone), " (", Span(now - since), "; ",
      CauseWords(room.last_cause()), "), by ", Joined(room.session_ids()),
      ".\n    If nothing more is heard of ",
      room.session_ids_size() == 1 ? "it" : "them", ": ");
  if (room.next_change().state() != v1::PRESENCE_STATE_OFFLINE) {
    absl::StrAppend(&text, StateWord(room.next_change().state()), " there in ",
                    Span(at - now), ", at ", Clock(at, now, zone), "; ");
  }
  absl::StrAppend(&text, "not there any more in ", Span(end - now), ", at ",
                  Clock(end, now, zone), ".\n");
  return text;
}

}  // namespace

std::string ExplanationText(const v1::ExplainPresenceResponse& explained,
                            absl::TimeZone zone, const Palette& palette) {
  const v1::Presence& presence = explained.presence();
  const absl::Time now = TimeOf(explained.read_time());
  std::string text = absl::StrCat(
      palette.Bold(Printable(presence.user_id())), " is ",
      palette.State(presence.state(), StateWord(presence.state())));
  if (presence.has_since()) {
    const absl::Time since = TimeOf(presence.since());
    absl::StrAppend(&text, " since ", Clock(since, now, zone), " (",
                    Span(now - since), "; ", CauseWords(explained.last_cause()),
                    ")");
  }
  absl::StrAppend(&text, ": ", PresenceText(presence, now), "\n");
  if (explained.has_reconverging_until()) {
    const absl::Time until = TimeOf(explained.reconverging_until());
    absl::StrAppend(&text, "The server has just started: until ",
                    Clock(until, now, zone), " (", Span(until - now),
                    ") people may be missing who will come back.\n");
  }
  if (explained.sessions().empty()) {
    absl::StrAppend(&text, "No session is open.\n");
  }
  for (const v1::SessionExplanation& session : explained.sessions()) {
    text += SessionPart(session, now, zone, palette).Text();
  }
  if (explained.has_room()) {
    text += RoomText(explained.room(), Printable(presence.user_id()), now, zone,
                     palette);
  }
  if (explained.has_next_change()) {
    const v1::NextChange& next = explained.next_change();
    const absl::Time at = TimeOf(next.at());
    absl::StrAppend(
        &text, "\nIf nothing more is heard, ", Printable(presence.user_id()),
        " becomes ", palette.State(next.state(), StateWord(next.state())),
        " in ", Span(at - now), ", at ", Clock(at, now, zone), ".\n");
  }
  return text;
}

}  // namespace lifesign::cli
