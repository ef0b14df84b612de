// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "lifesign/client/internal/validate.h"

#include <cstddef>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "server/base/limits.h"

namespace lifesign::client::internal {
namespace {

// How many bytes the code point that begins `text` has; 0 if it is none.
// The table of well-formed sequences is Unicode's, chapter 3.9.
size_t CodePointLength(absl::string_view text) {
  const auto byte = [&text](size_t i) -> uint8_t {
    return i < text.size() ? static_cast<uint8_t>(text[i]) : 0;
  };
  const auto between = [](uint8_t value, uint8_t low, uint8_t high) {
    return low <= value && value <= high;
  };
  const auto continues = [&](size_t i) { return between(byte(i), 0x80, 0xBF); };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (between(first, 0xC2, 0xDF)) return continues(1) ? 2 : 0;
  if (between(first, 0xE0, 0xEF)) {
    const uint8_t low = first == 0xE0 ? 0xA0 : 0x80;
    const uint8_t high = first == 0xED ? 0x9F : 0xBF;
    return between(byte(1), low, high) && continues(2) ? 3 : 0;
  }
  if (between(first, 0xF0, 0xF4)) {
    const uint8_t low = first == 0xF0 ? 0x90 : 0x80;
    const uint8_t high = first == 0xF4 ? 0x8F : 0xBF;
    return between(byte(1), low, high) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

bool IsUtf8(absl::string_view text) {
  while (!text.empty()) {
    const size_t length = CodePointLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

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

absl::Status ValidateSpec(const SessionSpec& spec) {
  absl::Status fault = ValidateId("user_id", spec.user_id);
  fault.Update(ValidateId("session_id", spec.session_id));
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
