// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// An error as Lifesign tells it: code, words, reason, and when to try again.
#ifndef LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_ERROR_H_
#define LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_ERROR_H_

#include <grpcpp/support/status.h>

#include <chrono>
#include <map>
#include <string>

#include "absl/types/optional.h"
#include "google/rpc/status.pb.h"
#include "lifesign/v1/presence.pb.h"

namespace lifesign::client {

struct Error {
  grpc::StatusCode code = grpc::StatusCode::OK;
  // In English, for developers.
  std::string message;
  // UNSPECIFIED if the error is not Lifesign's own (the network's, a proxy's).
  v1::ErrorReason reason = v1::ERROR_REASON_UNSPECIFIED;
  // What the reason leaves open, for example "limit".
  std::map<std::string, std::string> metadata;
  // The least delay before the next attempt, if the server named one.
  absl::optional<std::chrono::microseconds> retry_delay;

  bool ok() const { return code == grpc::StatusCode::OK; }
};

// What `status` says, with the details that it carries. Details that do not
// parse count as none.
Error ErrorFrom(const grpc::Status& status);
Error ErrorFrom(const google::rpc::Status& status);

// "NOT_FOUND (SESSION_NOT_OPEN): no such session"; "OK".
std::string ToString(const Error& error);

}  // namespace lifesign::client

#endif  // LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_ERROR_H_
