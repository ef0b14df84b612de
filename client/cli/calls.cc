// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/calls.h"

#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/cli/text/words.h"
#include "lifesign/client/channel.h"
#include "server/base/duration_text.h"

namespace lifesign::cli {
namespace {

void Say(const std::string& text) {
  std::fputs(absl::StrCat("lifesign: ", text, "\n").c_str(), stderr);
}

}  // namespace

ExitCode ExitCodeFor(const client::Error& error) {
  switch (error.code) {
    case grpc::StatusCode::OK:
      return kExitOk;
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::CANCELLED:
      return kExitUnreachable;
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::UNKNOWN:
    case grpc::StatusCode::DATA_LOSS:
      return kExitFault;
    default:
      return kExitRefused;
  }
}

ExitCode Report(const Settings& settings, const client::Error& error) {
  const ExitCode code = ExitCodeFor(error);
  if (code == kExitUnreachable) {
    Say(absl::StrCat("cannot reach a server at ", settings.target, ": ",
                     Printable(client::ToString(error))));
  } else if (code != kExitOk) {
    Say(absl::StrCat(code == kExitRefused ? "refused: " : "server fault: ",
                     Printable(client::ToString(error))));
  }
  return code;
}

ExitCode ReportNoAnswer(const Settings& settings, const client::Error& last) {
  if (!last.ok()) return Report(settings, last);
  Say(absl::StrCat("no answer from ", settings.target, " within ",
                   FormatDuration(settings.timeout)));
  return kExitUnreachable;
}

Server::Server(const Settings& settings)
    : timeout_(settings.timeout),
      channel_(client::MakeChannel(settings.target)),
      stub_(v1::PresenceService::NewStub(channel_)) {}

}  // namespace lifesign::cli
