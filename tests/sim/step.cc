// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/step.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/property/step.h"

namespace lifesign::sim {
namespace {

using property::Seconds;

const char* Word(Lifecycle lifecycle) {
  switch (lifecycle) {
    case Lifecycle::kActive:
      return "active";
    case Lifecycle::kIdle:
      return "idle";
    case Lifecycle::kBackground:
      break;
  }
  return "in the background";
}

std::string Words(const OpenStep& open) {
  std::string words = absl::StrCat(" [", open.handle, "] opens u", open.user,
                                   "/s", open.session);
  if (open.instance != kNoInstance) {
    absl::StrAppend(&words, " instance ", open.instance);
  }
  if (open.device.has_value()) {
    absl::StrAppend(&words, " on ", DeviceClassName(*open.device));
  }
  if (open.metadata.has_value()) {
    absl::StrAppend(&words, " metadata ", *open.metadata);
  }
  if (open.rooms.has_value()) {
    absl::StrAppend(&words, " in rooms ", absl::StrJoin(*open.rooms, ","));
  }
  if (open.signal.has_value()) {
    absl::StrAppend(&words, " with ", property::Words(*open.signal));
  }
  return absl::StrCat(words, property::Words(open.availability),
                      open.replaces_availability ? " in any case" : "");
}

std::string Words(const SignalStep& signal) {
  std::string words =
      absl::StrCat(" [", signal.handle, "] ", property::Words(signal.signal));
  if (!signal.leave.empty()) {
    absl::StrAppend(&words, " leaving ", absl::StrJoin(signal.leave, ","));
  }
  if (!signal.join.empty()) {
    absl::StrAppend(&words, " joining ", absl::StrJoin(signal.join, ","));
  }
  absl::StrAppend(&words, property::Words(signal.availability));
  if (signal.times > 1) absl::StrAppend(&words, " ", signal.times, " times");
  return words;
}

std::string WhatPeerSays(const Step& step) {
  std::string words =
      absl::StrCat("peer ", step.who, ", stream newest-", step.back, ":");
  for (const OpenStep& open : step.opens) absl::StrAppend(&words, Words(open));
  for (const SignalStep& signal : step.signals) {
    absl::StrAppend(&words, Words(signal));
  }
  return absl::StrCat(words, step.flag ? " and asks" : "");
}

std::string WhatIsSentAlone(const Step& step) {
  std::string words =
      absl::StrCat("unary, ", Seconds(step.length), " s on its way,");
  if (!step.opens.empty()) {
    absl::StrAppend(&words, Words(step.opens.front()));
  } else if (!step.signals.empty() && !step.users.empty()) {
    absl::StrAppend(&words, " u", step.users[0], "/s", step.who,
                    " attachment newest-", step.back,
                    Words(step.signals.front()));
  }
  if (step.flag) {
    absl::StrAppend(&words, ", and again after ", Seconds(step.other), " s");
  }
  return words;
}

std::string WhatIsDeclared(const Step& step) {
  if (step.signals.empty()) return "nothing is declared";
  return absl::StrCat("unary, ", Seconds(step.length), " s on its way, u",
                      step.who,
                      property::Words(step.signals.front().availability));
}

const char* ThroughWhat(const Step& step) {
  return step.see_through ? ", seeing through" : "";
}

std::string WhatIsAwaited(const Step& step) {
  std::string words =
      absl::StrCat("awaiter ", step.who, " awaits", ThroughWhat(step));
  for (const PredicateStep& predicate : step.predicates) {
    absl::StrAppend(&words, " [", predicate.needed, " of ",
                    absl::StrJoin(predicate.users, ","), " ",
                    property::Word(predicate.at_least), "]");
  }
  if (step.flag) absl::StrAppend(&words, " for ", Seconds(step.length), " s");
  if (step.other.count() > 0) {
    absl::StrAppend(&words, ", deadline ", Seconds(step.other), " s");
  }
  return words;
}

std::string WhatIsListed(const Step& step) {
  std::string words = absl::StrCat("listing ", step.who, ": a page of ",
                                   step.size, ThroughWhat(step));
  if (step.flag) return absl::StrCat(words, ", with another filter");
  absl::StrAppend(&words, ", states ", step.back);
  if (step.length.count() > 0) {
    absl::StrAppend(&words, ", seen within ", Seconds(step.length), " s");
  }
  return words;
}

std::string What(const Step& step) {
  const std::string peer =
      absl::StrCat("peer ", step.who, ", stream newest-", step.back);
  const std::string member = absl::StrCat("member ", step.who);
  const std::string call = absl::StrCat("the call newest-", step.back);
  const std::string length = absl::StrCat(Seconds(step.length), " s");
  const std::string other = absl::StrCat(Seconds(step.other), " s");
  switch (step.kind) {
    case Step::Kind::kWait:
      return "nothing";
    case Step::Kind::kConnect:
      return absl::StrCat("peer ", step.who, " begins a stream");
    case Step::Kind::kSay:
      return WhatPeerSays(step);
    case Step::Kind::kBabble:
      return absl::StrCat(peer, ": no message");
    case Step::Kind::kHalfClose:
      return absl::StrCat(peer, ": half-closed");
    case Step::Kind::kSendSignal:
      return WhatIsSentAlone(step);
    case Step::Kind::kDeclare:
      return WhatIsDeclared(step);
    case Step::Kind::kJoin:
      return absl::StrCat(member, " joins ", Word(step.lifecycle));
    case Step::Kind::kInteract:
      return absl::StrCat(member, " interacts");
    case Step::Kind::kTurn:
      return absl::StrCat(member, " is ", Word(step.lifecycle));
    case Step::Kind::kLeave:
      return absl::StrCat(member, " leaves, linger ", length);
    case Step::Kind::kNetworkChange:
      return absl::StrCat(member, " changes networks");
    case Step::Kind::kDie:
      return absl::StrCat(member, " dies, noticed after ", length);
    case Step::Kind::kWatch:
      return absl::StrCat("watcher ", step.who, " watches ",
                          absl::StrJoin(step.users, ","), ", batching ", length,
                          ", progress ", other);
    case Step::Kind::kUnwatch:
      return absl::StrCat("watcher ", step.who, " stops");
    case Step::Kind::kObserve:
      return absl::StrCat(
          "observer ", step.who, " watches ",
          step.flag ? "everyone" : absl::StrJoin(step.users, ","), ", states ",
          step.back, step.devices ? ", devices" : "", ThroughWhat(step),
          ", batching ", length, ", progress ", other);
    case Step::Kind::kIgnore:
      return absl::StrCat("observer ", step.who, " stops");
    case Step::Kind::kAwait:
      return WhatIsAwaited(step);
    case Step::Kind::kBreak:
      return absl::StrCat(call, " breaks, noticed by the server after ", length,
                          ", by the client after ", other);
    case Step::Kind::kStall:
      return absl::StrCat(call, " stalls for ", length,
                          step.flag ? " both ways" : " towards the client");
    case Step::Kind::kTick:
      return "tick";
    case Step::Kind::kFreeze:
      return absl::StrCat("the server freezes for ", length);
    case Step::Kind::kJumpWall:
      return absl::StrCat("the wall clock jumps by ", length);
    case Step::Kind::kHoldRounds:
      return absl::StrCat("no publishing for ", length);
    case Step::Kind::kDrain:
      return absl::StrCat("the server drains within ", length,
                          ", another comes after ", other);
    case Step::Kind::kRestart:
      return absl::StrCat("the server crashes, another comes after ", length,
                          ", clients notice after ", other);
    case Step::Kind::kSetPolicy:
      return absl::StrCat("policy ", step.back);
    case Step::Kind::kRecount:
      return "everything is told and recounted";
    case Step::Kind::kList:
      return WhatIsListed(step);
    case Step::Kind::kRead:
      return absl::StrCat("user ", step.who, " is read");
  }
  return "";
}

}  // namespace

std::string Line(const Step& step) {
  return absl::StrCat("@", Seconds(step.at), " ", What(step));
}

}  // namespace lifesign::sim
