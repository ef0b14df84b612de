// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/property/step.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace lifesign::property {

std::string Seconds(Duration duration) {
  return absl::StrFormat("%.6f", static_cast<double>(duration.count()) / 1e6);
}

namespace {

const char* Word(SignalKind kind) {
  switch (kind) {
    case SignalKind::kActive:
      return "ACTIVE";
    case SignalKind::kIdle:
      return "IDLE";
    case SignalKind::kBackground:
      return "BACKGROUND";
    case SignalKind::kDetach:
      return "DETACH";
    case SignalKind::kLeave:
      break;
  }
  return "LEAVE";
}

std::string SecondsIfAny(const absl::optional<Duration>& duration) {
  return duration.has_value() ? Seconds(*duration) : "unset";
}

std::string At(const absl::optional<WallTime>& time, const Now& start) {
  return time.has_value() ? Seconds(*time - start.wall) : "unset";
}

const char* Word(AvailabilityKind kind) {
  switch (kind) {
    case AvailabilityKind::kAvailable:
      return "AVAILABLE";
    case AvailabilityKind::kBusy:
      return "BUSY";
    case AvailabilityKind::kDoNotDisturb:
      return "DO_NOT_DISTURB";
    case AvailabilityKind::kInvisible:
      break;
  }
  return "INVISIBLE";
}

std::string Words(const AvailabilityViewPtr& view, const Now& start) {
  if (view == nullptr) return "";
  return absl::StrCat(" ", Word(view->kind), " '", view->text, "' until ",
                      At(view->expires_at, start));
}

std::string Attachment(int back) {
  if (back == kNobody) return " without attachment";
  if (back == 0) return "";
  return absl::StrCat(" by attachment newest-", back);
}

std::string OpenWords(const Step& step) {
  std::string words = step.unary ? "open unary" : "open stream";
  if (step.instance != kNoInstance) {
    absl::StrAppend(&words, " instance ", step.instance);
  }
  if (step.device.has_value()) {
    absl::StrAppend(&words, " on ", DeviceClassName(*step.device));
  }
  if (step.metadata.has_value()) {
    absl::StrAppend(&words, " metadata ", *step.metadata);
  }
  if (step.signal.has_value()) {
    absl::StrAppend(&words, " with ", property::Words(*step.signal));
  }
  absl::StrAppend(&words, property::Words(step.availability),
                  step.replaces_availability ? " in any case" : "");
  return words;
}

}  // namespace

std::string Words(const Signal& signal) {
  std::string words = Word(signal.kind);
  if (signal.idle_for.has_value()) {
    absl::StrAppend(&words, " idle_for ", Seconds(*signal.idle_for));
  }
  if (signal.linger.count() != 0) {
    absl::StrAppend(&words, " linger ", Seconds(signal.linger));
  }
  return words;
}

std::string UserName(int user) { return absl::StrCat("u", user); }
std::string SessionId(int session) { return absl::StrCat("s", session); }

std::string Line(const Step& step, const Now& start) {
  std::string line =
      absl::StrCat("@", Seconds(step.now.presence - start.presence));
  const Duration frozen =
      (step.now.real - start.real) - (step.now.presence - start.presence);
  const Duration jumped =
      (step.now.wall - start.wall) - (step.now.real - start.real);
  if (frozen.count() != 0) {
    absl::StrAppend(&line, " (real +", Seconds(frozen), ")");
  }
  if (jumped.count() != 0) {
    absl::StrAppend(&line, " (wall ", Seconds(jumped), ")");
  }
  const std::string user = absl::StrCat(" ", UserName(step.user));
  const std::string session =
      absl::StrCat(user, "/", SessionId(step.session), " ");
  switch (step.kind) {
    case Step::Kind::kOpen:
      return absl::StrCat(line, session, OpenWords(step));
    case Step::Kind::kApply:
      return absl::StrCat(line, session, "stream ", Words(*step.signal),
                          Words(step.availability), Attachment(step.back));
    case Step::Kind::kUnary:
      return absl::StrCat(line, session, "unary ", Words(*step.signal),
                          Words(step.availability), Attachment(step.back));
    case Step::Kind::kDeclare:
      return absl::StrCat(line, user, Words(step.availability));
    case Step::Kind::kDisconnect:
      return absl::StrCat(line, session, "stream closes",
                          Attachment(step.back));
    case Step::Kind::kRead:
      return absl::StrCat(line, user, " is read");
    case Step::Kind::kCopy:
      return absl::StrCat(line, user, " is copied and watched");
    case Step::Kind::kUnwatch:
      return absl::StrCat(line, user, " is not watched any more");
    case Step::Kind::kTakeMail:
      return absl::StrCat(line, " the watcher takes ", step.most);
    case Step::Kind::kTick:
      return absl::StrCat(line, " tick");
    case Step::Kind::kSetPolicy:
      break;
  }
  return absl::StrCat(line, " policy ", step.policy);
}

const char* Word(State state) {
  switch (state) {
    case State::kActive:
      return "ACTIVE";
    case State::kIdle:
      return "IDLE";
    case State::kAway:
      return "AWAY";
    case State::kStale:
      return "STALE";
    case State::kOffline:
      break;
  }
  return "OFFLINE";
}

const char* Word(Cause cause) {
  switch (cause) {
    case Cause::kNone:
      break;
    case Cause::kSignal:
      return "SIGNAL";
    case Cause::kDecay:
      return "DECAY";
    case Cause::kExpiry:
      return "EXPIRY";
    case Cause::kLeave:
      return "LEAVE";
    case Cause::kReconvergence:
      return "RECONVERGENCE";
    case Cause::kAvailability:
      return "AVAILABILITY";
  }
  return "NONE";
}

const char* Word(Refusal refusal) {
  switch (refusal) {
    case Refusal::kNone:
      break;
    case Refusal::kSessionNotOpen:
      return "SESSION_NOT_OPEN";
    case Refusal::kStaleAttachment:
      return "STALE_ATTACHMENT";
    case Refusal::kTooManyTakeOvers:
      return "TOO_MANY_TAKE_OVERS";
    case Refusal::kTooManySessions:
      return "TOO_MANY_SESSIONS";
    case Refusal::kTooManyRooms:
      return "TOO_MANY_ROOMS";
    case Refusal::kTooManyIntents:
      return "TOO_MANY_INTENTS";
    case Refusal::kTooManyAvailabilities:
      return "TOO_MANY_AVAILABILITIES";
  }
  return "OK";
}

std::string Words(const absl::optional<AvailabilityDeclaration>& said) {
  if (!said.has_value()) return "";
  std::string words =
      absl::StrCat(" declaring ", Word(said->kind), " '", said->text, "'");
  if (said->expires_in.has_value()) {
    absl::StrAppend(&words, " for ", Seconds(*said->expires_in));
  }
  return words;
}

std::string Words(const DeviceStates& devices) {
  return absl::StrJoin(devices, ",", [](std::string* out, State state) {
    absl::StrAppend(out, Word(state));
  });
}

std::string Words(const OpenOutcome& outcome) {
  if (!outcome.ok()) {
    return absl::StrCat(Word(outcome.refusal), " retry after ",
                        Seconds(outcome.retry_after));
  }
  std::string words =
      absl::StrCat(outcome.resumed ? "resumed " : "begun ", Word(outcome.state),
                   " interval ", Seconds(outcome.next_interval),
                   " report after ", Seconds(outcome.report_after));
  if (outcome.taken_over.has_value()) {
    absl::StrAppend(&words, " taken over from stream ",
                    outcome.taken_over->stream, " handle ",
                    outcome.taken_over->handle);
  }
  return words;
}

std::string Words(const SignalOutcome& outcome) {
  if (!outcome.ok()) return Word(outcome.refusal);
  return absl::StrCat(Word(outcome.state), " interval ",
                      Seconds(outcome.next_interval),
                      outcome.is_news ? " news" : " no news",
                      outcome.bound ? " bound" : " free");
}

std::string Words(const PresenceRecord& record, const Now& start) {
  return absl::StrCat(
      record.user, record.known ? " " : " (unknown) ", Word(record.state), " [",
      Words(record.devices), "] ", Word(record.cause), " revision ",
      record.revision, " since ", At(record.since, start), " last_seen ",
      At(record.last_seen, start), " last_active ",
      At(record.last_active, start), Words(record.availability, start));
}

std::string Words(const Change& change, const Now& start) {
  return absl::StrCat(Word(change.before), " [", Words(change.devices_before),
                      "]", Words(change.availability_before, start), " -> ",
                      Words(change.after, start));
}

std::string Words(const SessionView& view, const Now& start) {
  std::string words = absl::StrCat(
      view.session, " ", Word(view.state), " on ", DeviceClassName(view.device),
      view.connected ? " connected" : " not connected", " attachment ",
      view.attachment, " opened ", At(view.opened_at, start), " last_seen ",
      At(view.last_seen, start), " last_active ", At(view.last_active, start),
      " interval ", Seconds(view.next_interval), " lifecycle ",
      view.lifecycle.has_value() ? static_cast<int>(*view.lifecycle) : -1);
  for (const auto& [key, value] : view.metadata) {
    absl::StrAppend(&words, " ", key, "=", value);
  }
  return words;
}

std::string Words(const absl::optional<NextChangeView>& change,
                  const Now& start) {
  if (!change.has_value()) return "nothing";
  return absl::StrCat(Word(change->state), " at ", At(change->at, start));
}

std::string Words(const SessionExplanation& explanation, const Now& start) {
  const auto cap = [&](const absl::optional<CapView>& view) {
    if (!view.has_value()) return std::string("none");
    return absl::StrCat(At(view->started_at, start), " to ",
                        At(view->in_force_at, start),
                        view->in_force ? " in force" : "");
  };
  const PolicyRow& row = explanation.row;
  return absl::StrCat(Words(explanation.session, start), " rule ",
                      static_cast<int>(explanation.rule), " signal age ",
                      SecondsIfAny(explanation.signal_age), " activity age ",
                      SecondsIfAny(explanation.activity_age), " idle cap ",
                      cap(explanation.idle_cap), " background cap ",
                      cap(explanation.background_cap), " linger until ",
                      At(explanation.linger_until, start), " next ",
                      Words(explanation.next_change, start),
                      explanation.holds_user_state ? " holds the state" : "",
                      " windows ", Seconds(row.active_window), " ",
                      Seconds(row.idle_window), " ", Seconds(row.away_window),
                      " ", Seconds(row.ttl), " debounce ",
                      Seconds(explanation.downgrade_debounce));
}

}  // namespace lifesign::property
