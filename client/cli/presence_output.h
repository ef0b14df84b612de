// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What the commands that ask print of the presences they are answered.
#ifndef LIFESIGN_CLIENT_CLI_PRESENCE_OUTPUT_H_
#define LIFESIGN_CLIENT_CLI_PRESENCE_OUTPUT_H_

#include <google/protobuf/repeated_field.h>

#include <cstddef>
#include <string>

#include "absl/time/time.h"
#include "client/cli/text/json_line.h"
#include "client/cli/text/palette.h"
#include "client/cli/text/words.h"
#include "lifesign/v1/presence.pb.h"

namespace lifesign::cli {

using Presences = google::protobuf::RepeatedPtrField<v1::Presence>;

// All of these are false if whoever read standard output has gone, as `head`
// does.
bool PrintLine(const std::string& line);

// One line each; names padded to `name_width`.
bool PrintPresences(const Presences& presences, absl::Time read_time,
                    std::size_t name_width, const Palette& palette);
// The width of the longest name.
std::size_t NameWidth(const Presences& presences);

// One object a line, with what `response` says of the read as a whole.
template <typename Response>
bool PrintPresencesAsJson(const Response& response) {
  for (const v1::Presence& presence : response.presences()) {
    JsonLine line;
    line.Message("presence", presence)
        .Message("read_time", response.read_time());
    if (response.has_reconverging_until()) {
      line.Message("reconverging_until", response.reconverging_until());
    }
    if (!PrintLine(line.Done())) return false;
  }
  return true;
}

// To standard error: a server that has just started may not know of everybody.
void NoteReconvergence(absl::Duration left);
template <typename Response>
void NoteReconvergence(const Response& response) {
  if (!response.has_reconverging_until()) return;
  NoteReconvergence(TimeOf(response.reconverging_until()) -
                    TimeOf(response.read_time()));
}

}  // namespace lifesign::cli

#endif  // LIFESIGN_CLIENT_CLI_PRESENCE_OUTPUT_H_
