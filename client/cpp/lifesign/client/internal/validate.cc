// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "lifesign/client/internal/validate.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/base/limits.h"
#include "server/base/utf8.h"

namespace lifesign::client::internal {

absl::Status ValidateId(absl::string_view field, absl::string_view id) {
  if (id.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(field, " is empty"));
  }
  if (id.size() > limits::kMaxIdBytes) {
    return absl::InvalidArgumentError(absl::StrCat(field, " has ", id.size(),
                                                   " bytes; the most is ",
                                                   limits::kMaxIdBytes));
  }
  if (!IsUtf8(id)) {
    return absl::InvalidArgumentError(absl::StrCat(field, " is not UTF-8"));
  }
  return absl::OkStatus();
}

absl::Status ValidateTenant(absl::string_view tenant) {
  return tenant.empty() ? absl::OkStatus() : ValidateId("tenant", tenant);
}

absl::Status ValidateAvailability(const Availability& availability) {
  if (availability.kind == v1::AVAILABILITY_KIND_UNSPECIFIED) {
    return absl::InvalidArgumentError("the availability has no kind");
  }
  if (availability.text.size() > limits::kMaxAvailabilityTextBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the text has ", availability.text.size(), " bytes; the most is ",
        limits::kMaxAvailabilityTextBytes));
  }
  bool only_spaces = !availability.text.empty();
  for (absl::string_view rest = availability.text; !rest.empty();) {
    const std::uint32_t point = TakeCodePoint(rest);
    if (point == kNotUtf8 || IsControlCodePoint(point) ||
        IsBidiControlCodePoint(point)) {
      return absl::InvalidArgumentError(
          "the text is not UTF-8, or holds control characters");
    }
    only_spaces &= IsWhiteSpaceCodePoint(point);
  }
  if (only_spaces) {
    return absl::InvalidArgumentError("the text is only white space");
  }
  if (availability.expires_in.has_value() &&
      *availability.expires_in <= Duration::zero()) {
    return absl::InvalidArgumentError("the availability has run out");
  }
  return absl::OkStatus();
}

absl::Status ValidateSpec(const SessionSpec& spec) {
  absl::Status fault = ValidateId("user_id", spec.user_id);
  fault.Update(ValidateId("session_id", spec.session_id));
  if (!spec.guest_user_id.empty()) {
    fault.Update(ValidateId("guest_user_id", spec.guest_user_id));
  }
  if (spec.rooms.has_value()) {
    for (const std::string& room : *spec.rooms) {
      fault.Update(ValidateId("room_id", room));
    }
    if (spec.rooms->size() > std::size_t{limits::kMaxRoomsPerSession}) {
      fault.Update(absl::InvalidArgumentError(
          absl::StrCat(spec.rooms->size(), " rooms; the most is ",
                       limits::kMaxRoomsPerSession)));
    }
  }
  if (spec.availability.has_value()) {
    fault.Update(ValidateAvailability(*spec.availability));
  }
  if (!fault.ok() || !spec.metadata.has_value()) return fault;
  size_t bytes = 0;
  for (const auto& [key, value] : *spec.metadata) {
    if (!IsUtf8(key) || !IsUtf8(value)) {
      return absl::InvalidArgumentError("metadata is not UTF-8");
    }
    bytes += key.size() + value.size();
  }
  if (bytes > limits::kMaxMetadataBytes) {
    return absl::InvalidArgumentError(absl::StrCat("metadata has ", bytes,
                                                   " bytes; the most is ",
                                                   limits::kMaxMetadataBytes));
  }
  return absl::OkStatus();
}

}  // namespace lifesign::client::internal
