// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The command that declares a user's availability.
#include <string>

#include "absl/strings/str_cat.h"
#include "client/cli/calls.h"
#include "client/cli/commands.h"
#include "client/cli/terminal/terminal.h"
#include "client/cli/text/json_line.h"
#include "client/cli/text/words.h"
#include "lifesign/client/internal/proto_time.h"

namespace lifesign::cli {

ExitCode Set(const Settings& settings, const SetSettings& set) {
  Server server(settings);
  v1::SendSignalRequest request;
  request.set_tenant(settings.tenant);
  request.set_user_id(set.user);
  v1::AvailabilityDeclaration& declaration = *request.mutable_availability();
  declaration.set_kind(set.kind);
  declaration.set_text(set.text);
  const bool runs_out = set.for_duration > Duration::zero();
  if (runs_out) {
    client::internal::ToProto(set.for_duration,
                              *declaration.mutable_expires_in());
  }
  v1::SendSignalResponse response;
  const client::Error error =
      server.Call(&v1::PresenceService::Stub::SendSignal, request, &response);
  if (!error.ok()) return Report(settings, error);
  if (settings.json) {
    WriteOut(absl::StrCat(JsonLine()
                              .Text("user_id", set.user)
                              .Message("availability", declaration)
                              .Message("read_time", response.read_time())
                              .Done(),
                          "\n"));
    return kExitOk;
  }
  std::string text = AvailabilityWords(set.kind);
  if (!set.text.empty()) {
    absl::StrAppend(&text, " (", Printable(set.text), ")");
  }
  if (runs_out) {
    absl::StrAppend(&text, ", for ",
                    Span(absl::Microseconds(set.for_duration.count())));
  }
  WriteOut(absl::StrCat(Printable(set.user), " is ", text, "\n"));
  return kExitOk;
}

}  // namespace lifesign::cli
