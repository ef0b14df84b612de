// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/conformance/runner_cc/plain.h"

#include <google/protobuf/util/json_util.h>

#include <array>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/rpc/error_details.pb.h"

namespace lifesign::conformance {
namespace {

constexpr absl::string_view kDomain = "presence.lifesign.dev";
constexpr std::array<const char*, 17> kCodes = {
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
};

void Set(Value& object, const std::string& name, std::string text) {
  (*object.mutable_struct_value()->mutable_fields())[name].set_string_value(
      std::move(text));
}

Value& Member(Value& object, const std::string& name) {
  return (*object.mutable_struct_value()->mutable_fields())[name];
}

// Where the server's wall clock starts: "@0s".
absl::Time Start() {
  return absl::FromCivil(absl::CivilDay(2026, 1, 1), absl::UTCTimeZone());
}

void TellTimesSinceStart(Value& value) {
  if (value.has_struct_value()) {
    for (auto& [name, member] :
         *value.mutable_struct_value()->mutable_fields()) {
      TellTimesSinceStart(member);
    }
  } else if (value.has_list_value()) {
    for (Value& element : *value.mutable_list_value()->mutable_values()) {
      TellTimesSinceStart(element);
    }
  } else if (value.has_string_value()) {
    absl::Time time;
    std::string ignored;
    const std::string& text = value.string_value();
    // "2026-01-01T00:00:15Z" at least; years alone would parse, too.
    if (text.size() >= 20 && text[10] == 'T' && text.back() == 'Z' &&
        absl::ParseTime(absl::RFC3339_full, text, &time, &ignored)) {
      value.set_string_value(
          absl::StrFormat("@%.10gs", absl::ToDoubleSeconds(time - Start())));
    }
  }
}

// What one detail says, added to `said`.
void AddDetail(const google::protobuf::Any& detail, Value& said, int& infos) {
  google::rpc::ErrorInfo info;
  google::rpc::RetryInfo retry;
  google::rpc::QuotaFailure quota;
  google::rpc::BadRequest bad;
  if (detail.UnpackTo(&info)) {
    ++infos;
    Set(said, "reason", info.reason());
    Set(said, "domain", info.domain());
    for (const auto& [name, text] : info.metadata()) {
      Set(Member(said, "metadata"), name, text);
    }
  } else if (detail.UnpackTo(&retry)) {
    Member(said, "retry_delay") = OfMessage(retry.retry_delay());
  } else if (detail.UnpackTo(&quota)) {
    auto* subjects = Member(said, "quotas").mutable_list_value();
    for (const auto& violation : quota.violations()) {
      subjects->add_values()->set_string_value(violation.subject());
    }
  } else if (detail.UnpackTo(&bad)) {
    auto* fields = Member(said, "fields").mutable_list_value();
    for (const auto& violation : bad.field_violations()) {
      fields->add_values()->set_string_value(violation.field());
    }
  }
}

// `response` with its `errors`, which are in the field called `name`, as
// OfStatus has them.
template <typename Errors>
Value WithErrors(const google::protobuf::Message& response, Errors& errors,
                 const std::string& name) {
  std::vector<Value> said;
  for (auto& error : errors) {
    said.push_back(OfStatus(error.status()));
    error.clear_status();
  }
  Value value = OfMessage(response);
  for (int i = 0; i < static_cast<int>(said.size()); ++i) {
    Value& plain = *Member(value, name).mutable_list_value()->mutable_values(i);
    // An error without message and handle is an empty object.
    plain.mutable_struct_value()->MergeFrom(said[i].struct_value());
  }
  return value;
}

}  // namespace

std::string Show(const Value& value) {
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(value, &json);
  if (!status.ok()) return "nothing";
  // Escaped for browsers; people read these.
  return absl::StrReplaceAll(json, {{"\\u003e", ">"}, {"\\u003c", "<"}});
}

const Value* Find(const Value& object, const std::string& name) {
  const auto& fields = object.struct_value().fields();
  const auto found = fields.find(name);
  return found == fields.end() ? nullptr : &found->second;
}

Value OfMessage(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  Value value;
  if (google::protobuf::util::MessageToJsonString(message, &json, options)
          .ok() &&
      google::protobuf::util::JsonStringToMessage(json, &value).ok()) {
    TellTimesSinceStart(value);
  }
  return value;
}

Value OfAnswer(v1::HeartbeatResponse response) {
  return WithErrors(response, *response.mutable_errors(), "errors");
}

Value OfAnswer(v1::WatchPresenceResponse response) {
  return WithErrors(response, *response.mutable_refused(), "refused");
}

Value OfStatus(const google::rpc::Status& status) {
  Value said;
  Set(said, "code", kCodes.at(status.code()));
  Member(said, "message_given").set_bool_value(!status.message().empty());
  int infos = 0;
  for (const auto& detail : status.details()) AddDetail(detail, said, infos);
  const Value* domain = Find(said, "domain");
  if (infos != 1 || domain->string_value() != kDomain) {
    Set(said, "reason",
        "(not exactly one ErrorInfo of " + std::string(kDomain) + ")");
  }
  return said;
}

Value OfRpcError(const grpc::Status& status) {
  google::rpc::Status details;
  if (status.error_details().empty() ||
      !details.ParseFromString(status.error_details())) {
    Value said;
    Set(said, "code", kCodes.at(status.error_code()));
    Set(said, "text", status.error_message());
    return said;
  }
  Value said = OfStatus(details);
  if (details.code() != status.error_code()) {
    Set(said, "code", "(the details tell of another)");
  }
  return said;
}

bool ToMessage(const Value& value, google::protobuf::Message& message) {
  return google::protobuf::util::JsonStringToMessage(Show(value), &message)
      .ok();
}

}  // namespace lifesign::conformance
