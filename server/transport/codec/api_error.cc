// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/codec/api_error.h"

#include <grpcpp/support/error_details.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "google/rpc/error_details.pb.h"
#include "server/base/limits.h"
#include "server/transport/codec/times.h"

namespace lifesign {
namespace {

ApiError Make(grpc::StatusCode code, v1::ErrorReason reason,
              std::string message) {
  ApiError error;
  error.code = code;
  error.reason = reason;
  error.message = std::move(message);
  return error;
}

ApiError Exhausted(v1::ErrorReason reason, std::string subject,
                   std::string description) {
  ApiError error =
      Make(grpc::StatusCode::RESOURCE_EXHAUSTED, reason, description);
  error.quota = QuotaViolation{std::move(subject), std::move(description)};
  return error;
}

void AddErrorInfo(const ApiError& error, google::rpc::Status& status) {
  google::rpc::ErrorInfo detail;
  detail.set_reason(ReasonText(error.reason));
  detail.set_domain(std::string(kErrorDomain));
  for (const auto& [key, value] : error.metadata) {
    (*detail.mutable_metadata())[key] = value;
  }
  status.add_details()->PackFrom(detail);
}

void AddBadRequest(const ApiError& error, std::size_t most,
                   google::rpc::Status& status) {
  google::rpc::BadRequest detail;
  for (std::size_t i = 0; i < std::min(most, error.fields.size()); ++i) {
    auto* violation = detail.add_field_violations();
    violation->set_field(error.fields[i].field);
    violation->set_description(error.fields[i].description);
  }
  status.add_details()->PackFrom(detail);
}

google::rpc::Status WithViolations(const ApiError& error, std::size_t most) {
  google::rpc::Status status;
  status.set_code(error.code);
  status.set_message(error.message);
  AddErrorInfo(error, status);
  if (most > 0 && !error.fields.empty()) AddBadRequest(error, most, status);
  if (error.quota.has_value()) {
    google::rpc::QuotaFailure detail;
    auto* violation = detail.add_violations();
    violation->set_subject(error.quota->subject);
    violation->set_description(error.quota->description);
    status.add_details()->PackFrom(detail);
  }
  if (error.retry_after.has_value()) {
    google::rpc::RetryInfo detail;
    EncodeDuration(*error.retry_after, *detail.mutable_retry_delay());
    status.add_details()->PackFrom(detail);
  }
  return status;
}

}  // namespace

std::string ReasonText(v1::ErrorReason reason) {
  return std::string(
      absl::StripPrefix(v1::ErrorReason_Name(reason), "ERROR_REASON_"));
}

google::rpc::Status ToRpcStatus(const ApiError& error) {
  std::size_t most =
      std::min(error.fields.size(),
               static_cast<std::size_t>(limits::kMaxErrorViolations));
  google::rpc::Status status = WithViolations(error, most);
  while (most > 0 && status.ByteSizeLong() > limits::kMaxErrorDetailBytes) {
    status = WithViolations(error, --most);
  }
  return status;
}

grpc::Status ToGrpcStatus(const ApiError& error) {
  grpc::Status status;
  grpc::SetErrorDetails(ToRpcStatus(error), &status);
  return status;
}

ApiError InvalidFields(std::vector<FieldViolation> fields) {
  std::string message = "the request is not valid";
  if (!fields.empty()) {
    message = absl::StrCat(fields[0].field, ": ", fields[0].description);
    if (fields.size() > 1) {
      absl::StrAppend(&message, " (and ", fields.size() - 1, " more)");
    }
  }
  ApiError error = Make(grpc::StatusCode::INVALID_ARGUMENT,
                        v1::ERROR_REASON_INVALID_FIELD, std::move(message));
  error.fields = std::move(fields);
  return error;
}

ApiError MalformedMessage() {
  return Make(grpc::StatusCode::INVALID_ARGUMENT,
              v1::ERROR_REASON_MALFORMED_MESSAGE,
              "the bytes are not a message of this kind, or a text in it is "
              "not UTF-8; nothing of it was applied");
}

ApiError TenantDenied() {
  return Make(grpc::StatusCode::PERMISSION_DENIED,
              v1::ERROR_REASON_TENANT_DENIED,
              "the tenant is unknown, or not the caller's");
}

ApiError SeeThroughDenied() {
  return Make(grpc::StatusCode::PERMISSION_DENIED,
              v1::ERROR_REASON_SEE_THROUGH_DENIED,
              "the caller has no right to see through");
}

ApiError SessionNotOpen() {
  return Make(grpc::StatusCode::NOT_FOUND, v1::ERROR_REASON_SESSION_NOT_OPEN,
              "the session is not open; open it");
}

ApiError StaleAttachment() {
  return Make(grpc::StatusCode::FAILED_PRECONDITION,
              v1::ERROR_REASON_STALE_ATTACHMENT,
              "the attachment is not the session's current one");
}

ApiError UnknownHandle() {
  return Make(grpc::StatusCode::NOT_FOUND, v1::ERROR_REASON_UNKNOWN_HANDLE,
              "no session is bound to the handle; open it");
}

ApiError HandleInUse() {
  return Make(grpc::StatusCode::ALREADY_EXISTS, v1::ERROR_REASON_HANDLE_IN_USE,
              "the handle is bound to another session");
}

ApiError SessionAlreadyBound(std::uint32_t handle) {
  ApiError error = Make(
      grpc::StatusCode::ALREADY_EXISTS, v1::ERROR_REASON_SESSION_ALREADY_BOUND,
      absl::StrCat("this stream holds the session under handle ", handle));
  error.metadata.emplace_back("handle", absl::StrCat(handle));
  return error;
}

ApiError SessionTakenOver() {
  return Make(grpc::StatusCode::ABORTED, v1::ERROR_REASON_SESSION_TAKEN_OVER,
              "another instance opened the session; do not reopen it by "
              "yourself");
}

ApiError TooManyTakeOvers(Duration retry_after) {
  ApiError error =
      Make(grpc::StatusCode::RESOURCE_EXHAUSTED,
           v1::ERROR_REASON_TOO_MANY_TAKE_OVERS,
           absl::StrCat("the session was taken over ", limits::kMaxTakeOvers,
                        " times within 60 s"));
  error.retry_after = retry_after;
  return error;
}

ApiError TooManySessions(int most) {
  return Exhausted(v1::ERROR_REASON_TOO_MANY_SESSIONS, "user",
                   absl::StrCat("the user holds ", most,
                                " sessions, all of them connected"));
}

ApiError TooManySessionsOnStream(int most) {
  return Exhausted(v1::ERROR_REASON_TOO_MANY_SESSIONS_ON_STREAM, "stream",
                   absl::StrCat("the stream holds ", most, " sessions"));
}

ApiError TooManyStreams(int most) {
  return Exhausted(v1::ERROR_REASON_TOO_MANY_STREAMS, "connection",
                   absl::StrCat("the connection holds ", most, " streams"));
}

ApiError TooManyIntents() {
  return Exhausted(v1::ERROR_REASON_TOO_MANY_INTENTS, "user",
                   absl::StrCat("the user would want to reach more than ",
                                limits::kMaxIntentsPerUser, " users"));
}

ApiError RoomTooLarge() {
  ApiError error = Make(
      grpc::StatusCode::FAILED_PRECONDITION, v1::ERROR_REASON_ROOM_TOO_LARGE,
      "the room has too many users for its members to be watched");
  error.metadata.emplace_back("most_users",
                              absl::StrCat(limits::kMaxWatchedMembers));
  return error;
}

ApiError TooManyRooms() {
  return Exhausted(v1::ERROR_REASON_TOO_MANY_ROOMS, "session",
                   absl::StrCat("the session would be in more than ",
                                limits::kMaxRoomsPerSession, " rooms"));
}

ApiError TooManyWatchedUsers(int most) {
  return Exhausted(v1::ERROR_REASON_TOO_MANY_WATCHED_USERS, "watch",
                   absl::StrCat("a watch is of at most ", most, " users"));
}

ApiError TooManyAwaitedUsers(std::int64_t most) {
  return Exhausted(v1::ERROR_REASON_TOO_MANY_AWAITED_USERS, "server",
                   absl::StrCat("together with this await more than ", most,
                                " users would be awaited"));
}

ApiError TooManyAvailabilities() {
  return Exhausted(v1::ERROR_REASON_TOO_MANY_AVAILABILITIES, "server",
                   absl::StrCat("the server holds the declarations of ",
                                limits::kMaxDeclaredAvailabilities, " users"));
}

ApiError InvalidResumeToken() {
  ApiError error = Make(grpc::StatusCode::INVALID_ARGUMENT,
                        v1::ERROR_REASON_INVALID_RESUME_TOKEN,
                        "the resume token was not made by this server");
  error.fields.push_back({"resume_token", "not made by this server"});
  return error;
}

ApiError InvalidPageToken(absl::string_view fault) {
  ApiError error = Make(grpc::StatusCode::INVALID_ARGUMENT,
                        v1::ERROR_REASON_INVALID_PAGE_TOKEN,
                        absl::StrCat("the page token is ", fault));
  error.fields.push_back({"page_token", std::string(fault)});
  return error;
}

ApiError Draining(Duration retry_after) {
  ApiError error =
      Make(grpc::StatusCode::UNAVAILABLE, v1::ERROR_REASON_DRAINING,
           "the server drains; reconnect after the delay");
  error.retry_after = retry_after;
  return error;
}

ApiError Starting(Duration retry_after) {
  ApiError error = Make(grpc::StatusCode::UNAVAILABLE,
                        v1::ERROR_REASON_STARTING, "the server is starting");
  error.retry_after = retry_after;
  return error;
}

ApiError NoSession() {
  return Make(grpc::StatusCode::DEADLINE_EXCEEDED, v1::ERROR_REASON_NO_SESSION,
              "the stream held no session for 60 s");
}

ApiError SlowConsumer() {
  return Make(grpc::StatusCode::UNAVAILABLE, v1::ERROR_REASON_SLOW_CONSUMER,
              "the watcher took nothing for 5 minutes; resume");
}

}  // namespace lifesign
