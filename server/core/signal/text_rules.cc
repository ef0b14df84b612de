// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/signal/text_rules.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "server/base/limits.h"
#include "server/base/utf8.h"

namespace lifesign {
namespace {

absl::optional<absl::string_view> FaultOf(absl::string_view text,
                                          bool& only_white_space) {
  only_white_space = true;
  while (!text.empty()) {
    const std::uint32_t point = TakeCodePoint(text);
    if (point == kNotUtf8) return "is not valid UTF-8";
    if (IsControlCodePoint(point)) return "holds a control character";
    if (IsBidiControlCodePoint(point)) return "holds a bidirectional control";
    only_white_space &= IsWhiteSpaceCodePoint(point);
  }
  return absl::nullopt;
}

}  // namespace

absl::optional<absl::string_view> IdFault(absl::string_view id,
                                          std::size_t max_bytes) {
  if (id.empty()) return "is empty";
  if (id.size() > max_bytes) return "is too long";
  bool only_white_space = false;
  const auto fault = FaultOf(id, only_white_space);
  if (fault.has_value()) return fault;
  if (only_white_space) return "is only white space";
  return absl::nullopt;
}

absl::optional<absl::string_view> TextFault(absl::string_view text,
                                            std::size_t max_bytes) {
  if (text.size() > max_bytes) return "is too long";
  bool only_white_space = false;
  return FaultOf(text, only_white_space);
}

absl::optional<MetadataFault> FindMetadataFault(const Metadata& metadata) {
  if (metadata.size() > limits::kMaxMetadataKeys) {
    return MetadataFault{
        "metadata_keys", "",
        absl::StrCat("has ", metadata.size(), " keys, more than ",
                     limits::kMaxMetadataKeys)};
  }
  std::size_t bytes = 0;
  for (const auto& [key, value] : metadata) {
    bytes += key.size() + value.size();
    if (const auto fault = IdFault(key, limits::kMaxMetadataKeyBytes)) {
      return MetadataFault{
          "metadata_key_bytes", key,
          absl::StrCat("has a key that ", *fault, "; a key is 1 to ",
                       limits::kMaxMetadataKeyBytes, " bytes of text")};
    }
    if (const auto fault = TextFault(value, limits::kMaxMetadataValueBytes)) {
      return MetadataFault{
          "metadata_value_bytes", key,
          absl::StrCat("has a value that ", *fault, "; a value is at most ",
                       limits::kMaxMetadataValueBytes, " bytes of text")};
    }
  }
  if (bytes > limits::kMaxMetadataBytes) {
    return MetadataFault{
        "metadata_bytes", "",
        absl::StrCat("has ", bytes, " bytes of keys and values, more than ",
                     limits::kMaxMetadataBytes)};
  }
  return absl::nullopt;
}

}  // namespace lifesign
