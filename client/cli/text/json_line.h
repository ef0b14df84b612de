// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// One JSON object on one line, for programs.
//
// Messages of the API are told in protobuf's JSON: fields by the names that
// stand in proto/, unset ones with their defaults (those that tell absence are
// left out), enums by name, times in RFC 3339, durations as "1.5s", 64-bit
// numbers as strings.
#ifndef LIFESIGN_CLIENT_CLI_TEXT_JSON_LINE_H_
#define LIFESIGN_CLIENT_CLI_TEXT_JSON_LINE_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace lifesign::cli {

// Builds an object field by field, in the order of the calls.
class JsonLine {
 public:
  JsonLine& Text(absl::string_view name, absl::string_view value);
  JsonLine& Number(absl::string_view name, std::int64_t value);
  JsonLine& Fraction(absl::string_view name, double value);
  JsonLine& Bool(absl::string_view name, bool value);
  JsonLine& Null(absl::string_view name);
  JsonLine& Message(absl::string_view name,
                    const google::protobuf::Message& message);

  // Without the line's end.
  std::string Done() const;

 private:
  JsonLine& Raw(absl::string_view name, absl::string_view json);

  std::string fields_;
};

std::string JsonOf(const google::protobuf::Message& message);

}  // namespace lifesign::cli

#endif  // LIFESIGN_CLIENT_CLI_TEXT_JSON_LINE_H_
