// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What an error says beside its code.
#ifndef LIFESIGN_TESTS_INTEGRATION_TESTING_RICH_STATUS_H_
#define LIFESIGN_TESTS_INTEGRATION_TESTING_RICH_STATUS_H_

#include <grpcpp/support/status.h>

#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace lifesign::testing {

inline google::rpc::Status RpcStatusOf(const grpc::Status& status) {
  google::rpc::Status rich;
  rich.ParseFromString(status.error_details());
  return rich;
}

// The first detail of its type, if any.
template <typename Detail>
absl::optional<Detail> DetailOf(const google::rpc::Status& status) {
  for (const auto& any : status.details()) {
    Detail detail;
    if (any.UnpackTo(&detail)) return detail;
  }
  return absl::nullopt;
}
template <typename Detail>
absl::optional<Detail> DetailOf(const grpc::Status& status) {
  return DetailOf<Detail>(RpcStatusOf(status));
}

// "SESSION_NOT_OPEN"; empty without an ErrorInfo.
template <typename Status>
std::string ReasonOf(const Status& status) {
  const auto info = DetailOf<google::rpc::ErrorInfo>(status);
  return info.has_value() ? info->reason() : "";
}

// The paths of the fields that a BadRequest names.
template <typename Status>
std::vector<std::string> FieldsOf(const Status& status) {
  std::vector<std::string> fields;
  const auto bad = DetailOf<google::rpc::BadRequest>(status);
  if (!bad.has_value()) return fields;
  for (const auto& violation : bad->field_violations()) {
    fields.push_back(violation.field());
  }
  return fields;
}

}  // namespace lifesign::testing

#endif  // LIFESIGN_TESTS_INTEGRATION_TESTING_RICH_STATUS_H_
