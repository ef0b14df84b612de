// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/codec/field_faults.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace lifesign {

std::string FieldScope::PathOf(absl::string_view field) const {
  if (list.empty()) return std::string(field);
  if (field.empty()) return absl::StrCat(list, "[", index, "]");
  return absl::StrCat(list, "[", index, "].", field);
}

void FieldFaults::Add(absl::string_view field, absl::string_view description) {
  // One more than is told, so that a request of a million bad ids costs no
  // million paths.
  if (full()) return;
  fields_.push_back({scope_.PathOf(field), std::string(description)});
}

void FieldFaults::AddLimit(absl::string_view field, absl::string_view limit,
                           absl::string_view description) {
  if (limit_.empty()) limit_ = std::string(limit);
  Add(field, description);
}

ApiError FieldFaults::ToError() && {
  ApiError error = InvalidFields(std::move(fields_));
  if (!limit_.empty()) error.metadata.emplace_back("limit", std::move(limit_));
  return error;
}

}  // namespace lifesign
