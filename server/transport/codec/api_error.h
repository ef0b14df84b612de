// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The errors of the API as values: the same error may end a call or be an
// answer within a stream. docs/concepts.md § 14.
#ifndef LIFESIGN_SERVER_TRANSPORT_CODEC_API_ERROR_H_
#define LIFESIGN_SERVER_TRANSPORT_CODEC_API_ERROR_H_

#include <grpcpp/support/status.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "google/rpc/status.pb.h"
#include "lifesign/v1/presence.pb.h"
#include "server/base/time.h"

namespace lifesign {

inline constexpr absl::string_view kErrorDomain = "presence.lifesign.dev";

// One field that is wrong: its path ("opens[3].user_id") and what is wrong.
struct FieldViolation {
  std::string field;
  std::string description;
};

// A limit on what is held that was reached.
struct QuotaViolation {
  std::string subject;
  std::string description;
};

struct ApiError {
  grpc::StatusCode code = grpc::StatusCode::INTERNAL;
  v1::ErrorReason reason = v1::ERROR_REASON_INTERNAL;
  // For developers, in English.
  std::string message;
  // What the reason leaves open, for programs.
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<FieldViolation> fields;
  absl::optional<QuotaViolation> quota;
  absl::optional<Duration> retry_after;
};

// `reason` as it stands in ErrorInfo: without the prefix of the enum.
std::string ReasonText(v1::ErrorReason reason);

// The error with its details: exactly one ErrorInfo, and BadRequest,
// QuotaFailure, RetryInfo where they say something. At most
// limits::kMaxErrorViolations violations; what does not fit
// limits::kMaxErrorDetailBytes is left out, last violation first.
google::rpc::Status ToRpcStatus(const ApiError& error);
grpc::Status ToGrpcStatus(const ApiError& error);

// --- The errors themselves ---

ApiError InvalidFields(std::vector<FieldViolation> fields);
ApiError MalformedMessage();
ApiError TenantDenied();
ApiError SeeThroughDenied();
ApiError SessionNotOpen();
ApiError StaleAttachment();
ApiError UnknownHandle();
ApiError HandleInUse();
ApiError SessionAlreadyBound(std::uint32_t handle);
ApiError SessionTakenOver();
ApiError TooManyTakeOvers(Duration retry_after);
ApiError TooManySessions(int most);
ApiError TooManySessionsOnStream(int most);
ApiError TooManyStreams(int most);
ApiError TooManyAwaitedUsers(std::int64_t most);
ApiError TooManyRooms();
ApiError RoomTooLarge();
ApiError TooManyIntents();
ApiError TooManyWatchedUsers(int most);
ApiError TooManyAvailabilities();
ApiError InvalidResumeToken();
// `fault`: what is wrong with it.
ApiError InvalidPageToken(absl::string_view fault);
ApiError Draining(Duration retry_after);
ApiError Starting(Duration retry_after);
ApiError NoSession();
ApiError SlowConsumer();

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_CODEC_API_ERROR_H_
