// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Collects what is wrong with the fields of one request.
#ifndef LIFESIGN_SERVER_TRANSPORT_CODEC_FIELD_FAULTS_H_
#define LIFESIGN_SERVER_TRANSPORT_CODEC_FIELD_FAULTS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/base/limits.h"
#include "server/transport/codec/api_error.h"

namespace lifesign {

// Where in a request a message lies: at its top, or in a list, as in
// "opens[3]". Costs nothing until a path is asked for.
struct FieldScope {
  absl::string_view list;
  int index = 0;

  // "opens[3].user_id", or "user_id" at the top.
  std::string PathOf(absl::string_view field) const;
};

// Allocates nothing as long as nothing is wrong.
class FieldFaults {
 public:
  FieldFaults() = default;
  explicit FieldFaults(FieldScope scope) : scope_(scope) {}

  void Add(absl::string_view field, absl::string_view description);
  // A named limit that was passed: metadata "limit" of the error.
  void AddLimit(absl::string_view field, absl::string_view limit,
                absl::string_view description);

  bool empty() const { return fields_.empty(); }
  // Whether more than are told have been added: looking on would tell nothing.
  bool full() const {
    return fields_.size() >
           static_cast<std::size_t>(limits::kMaxErrorViolations);
  }

  // INVALID_ARGUMENT with all of them. REQUIRES: not empty.
  ApiError ToError() &&;

 private:
  FieldScope scope_;
  std::vector<FieldViolation> fields_;
  // The first one, if any.
  std::string limit_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_CODEC_FIELD_FAULTS_H_
