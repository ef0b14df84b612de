// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/text/json_line.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace lifesign::cli {
namespace {

std::string Quoted(absl::string_view text) {
  google::protobuf::Value value;
  value.set_string_value(std::string(text));
  return JsonOf(value);
}

}  // namespace

std::string JsonOf(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status =
      google::protobuf::util::MessageToJsonString(message, &json, options);
  // Only a time outside years 1 to 9999 can bring this about.
  return status.ok() ? json : "null";
}

JsonLine& JsonLine::Raw(absl::string_view name, absl::string_view json) {
  absl::StrAppend(&fields_, fields_.empty() ? "" : ",", "\"", name,
                  "\":", json);
  return *this;
}

JsonLine& JsonLine::Text(absl::string_view name, absl::string_view value) {
  return Raw(name, Quoted(value));
}

JsonLine& JsonLine::Number(absl::string_view name, std::int64_t value) {
  return Raw(name, absl::StrCat(value));
}

JsonLine& JsonLine::Fraction(absl::string_view name, double value) {
  return Raw(name, absl::StrFormat("%.6g", value));
}

JsonLine& JsonLine::Bool(absl::string_view name, bool value) {
  return Raw(name, value ? "true" : "false");
}

JsonLine& JsonLine::Null(absl::string_view name) { return Raw(name, "null"); }

JsonLine& JsonLine::Message(absl::string_view name,
                            const google::protobuf::Message& message) {
  return Raw(name, JsonOf(message));
}

std::string JsonLine::Done() const { return absl::StrCat("{", fields_, "}"); }

}  // namespace lifesign::cli
