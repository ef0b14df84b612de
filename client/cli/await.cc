// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// `await`: until somebody is there, or enough are in a room.
#include <google/protobuf/util/time_util.h>

#include <cstdio>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/cli/calls.h"
#include "client/cli/commands.h"
#include "client/cli/presence_output.h"

namespace lifesign::cli {
namespace {

using google::protobuf::util::TimeUtil;
using Stub = v1::PresenceService::Stub;

// How many of them are needed.
int Needed(const AwaitSettings& await) {
  if (await.needed > 0) return await.needed;
  return static_cast<int>(
      std::set<std::string>(await.users.begin(), await.users.end()).size());
}

v1::AwaitPresenceRequest RequestOf(const Settings& settings,
                                   const AwaitSettings& await) {
  v1::AwaitPresenceRequest request;
  request.set_tenant(settings.tenant);
  request.set_see_through(settings.see_through);
  v1::PresencePredicate& predicate = *request.add_predicates();
  if (!await.room.empty()) predicate.set_room_id(await.room);
  for (const std::string& user : await.users) {
    predicate.mutable_users()->add_user_ids(user);
  }
  predicate.set_at_least(await.at_least);
  predicate.set_needed(Needed(await));
  *request.mutable_wait() =
      TimeUtil::MicrosecondsToDuration(await.wait.count());
  return request;
}

void Print(const AwaitSettings& await,
           const v1::AwaitPresenceResponse& answer) {
  const bool highest = await.at_least == v1::PRESENCE_STATE_ACTIVE;
  const std::string state =
      absl::StrCat(highest ? "" : "at least ", StateWord(await.at_least));
  const v1::PredicateResult& result = answer.results(0);
  for (const std::string& user : result.user_ids()) {
    PrintLine(absl::StrCat(Printable(user), " is ", state));
  }
  if (!await.room.empty()) {
    PrintLine(absl::StrCat(Printable(await.room), ": ", result.matching(), " ",
                           state));
  }
  if (answer.satisfied()) return;
  std::fputs(absl::StrCat("lifesign: ", result.matching(), " of the ",
                          Needed(await), " needed\n")
                 .c_str(),
             stderr);
  NoteReconvergence(answer);
}

}  // namespace

ExitCode AwaitUsers(const Settings& settings, const AwaitSettings& await) {
  Server server(settings);
  v1::AwaitPresenceResponse answer;
  const client::Error error = server.Call(
      &Stub::AwaitPresence, RequestOf(settings, await), &answer, await.wait);
  if (!error.ok()) return Report(settings, error);
  if (settings.json) {
    PrintLine(JsonOf(answer));
  } else if (!answer.results().empty()) {
    Print(await, answer);
  }
  return answer.satisfied() ? kExitOk : kExitNegative;
}

}  // namespace lifesign::cli
