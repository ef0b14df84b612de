// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "lifesign/client/error.h"

#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "lifesign/client/internal/proto_time.h"

namespace lifesign::client {
namespace {

constexpr char kDomain[] = "presence.lifesign.dev";
constexpr char kReasonPrefix[] = "ERROR_REASON_";

std::string NameOf(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::OK:
      return "OK";
    case grpc::StatusCode::CANCELLED:
      return "CANCELLED";
    case grpc::StatusCode::UNKNOWN:
      return "UNKNOWN";
    case grpc::StatusCode::INVALID_ARGUMENT:
      return "INVALID_ARGUMENT";
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return "DEADLINE_EXCEEDED";
    case grpc::StatusCode::NOT_FOUND:
      return "NOT_FOUND";
    case grpc::StatusCode::ALREADY_EXISTS:
      return "ALREADY_EXISTS";
    case grpc::StatusCode::PERMISSION_DENIED:
      return "PERMISSION_DENIED";
    case grpc::StatusCode::UNAUTHENTICATED:
      return "UNAUTHENTICATED";
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return "RESOURCE_EXHAUSTED";
    case grpc::StatusCode::FAILED_PRECONDITION:
      return "FAILED_PRECONDITION";
    case grpc::StatusCode::ABORTED:
      return "ABORTED";
    case grpc::StatusCode::OUT_OF_RANGE:
      return "OUT_OF_RANGE";
    case grpc::StatusCode::UNIMPLEMENTED:
      return "UNIMPLEMENTED";
    case grpc::StatusCode::INTERNAL:
      return "INTERNAL";
    case grpc::StatusCode::UNAVAILABLE:
      return "UNAVAILABLE";
    case grpc::StatusCode::DATA_LOSS:
      return "DATA_LOSS";
    default:
      return absl::StrCat("CODE_", static_cast<int>(code));
  }
}

void ReadDetail(const google::protobuf::Any& detail, Error& error) {
  google::rpc::ErrorInfo info;
  if (detail.UnpackTo(&info)) {
    v1::ErrorReason reason;
    if (info.domain() != kDomain) return;
    if (v1::ErrorReason_Parse(absl::StrCat(kReasonPrefix, info.reason()),
                              &reason)) {
      error.reason = reason;
    }
    error.metadata.insert(info.metadata().begin(), info.metadata().end());
    return;
  }
  google::rpc::RetryInfo retry;
  if (detail.UnpackTo(&retry)) {
    error.retry_delay = internal::FromProto(retry.retry_delay());
  }
}

}  // namespace

Error ErrorFrom(const google::rpc::Status& status) {
  Error error;
  error.code = static_cast<grpc::StatusCode>(status.code());
  error.message = status.message();
  for (const auto& detail : status.details()) ReadDetail(detail, error);
  return error;
}

Error ErrorFrom(const grpc::Status& status) {
  google::rpc::Status details;
  Error error;
  if (!status.error_details().empty() &&
      details.ParseFromString(status.error_details())) {
    error = ErrorFrom(details);
  }
  // gRPC's own words win: a proxy may have put its status on our details.
  error.code = status.error_code();
  error.message = status.error_message();
  return error;
}

std::string ToString(const Error& error) {
  std::string text = NameOf(error.code);
  if (error.reason != v1::ERROR_REASON_UNSPECIFIED) {
    absl::StrAppend(
        &text, " (",
        v1::ErrorReason_Name(error.reason).substr(sizeof(kReasonPrefix) - 1),
        ")");
  }
  if (!error.message.empty()) absl::StrAppend(&text, ": ", error.message);
  return text;
}

}  // namespace lifesign::client
