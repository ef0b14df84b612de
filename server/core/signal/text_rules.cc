// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/signal/text_rules.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "server/base/limits.h"

namespace lifesign {
namespace {

constexpr std::uint32_t kInvalid = 0xFFFFFFFF;

// Takes one code point off the front of `text`, as RFC 3629 § 4 allows them;
// kInvalid if its bytes are not one.
std::uint32_t TakeCodePoint(absl::string_view& text) {
  const auto byte = [&](std::size_t i) -> std::uint32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  const std::uint32_t lead = byte(0);
  std::size_t length = 0;
  std::uint32_t point = 0;
  std::uint32_t least = 0;
  if (lead < 0x80) {
    text.remove_prefix(1);
    return lead;
  }
  if ((lead & 0xE0) == 0xC0) {
    length = 2, point = lead & 0x1F, least = 0x80;
  } else if ((lead & 0xF0) == 0xE0) {
    length = 3, point = lead & 0x0F, least = 0x800;
  } else if ((lead & 0xF8) == 0xF0) {
    length = 4, point = lead & 0x07, least = 0x10000;
  } else {
    return kInvalid;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return kInvalid;
    point = (point << 6) | (byte(i) & 0x3F);
  }
  const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
  if (point < least || point > 0x10FFFF || surrogate) return kInvalid;
  text.remove_prefix(length);
  return point;
}

bool IsControl(std::uint32_t point) {
  return point < 0x20 || (point >= 0x7F && point <= 0x9F);
}

bool IsBidiControl(std::uint32_t point) {
  return (point >= 0x202A && point <= 0x202E) ||
         (point >= 0x2066 && point <= 0x2069);
}

// Unicode's White_Space, less what IsControl holds.
bool IsWhiteSpace(std::uint32_t point) {
  return point == 0x20 || point == 0xA0 || point == 0x1680 ||
         (point >= 0x2000 && point <= 0x200A) || point == 0x2028 ||
         point == 0x2029 || point == 0x202F || point == 0x205F ||
         point == 0x3000;
}

absl::optional<absl::string_view> FaultOf(absl::string_view text,
                                          bool& only_white_space) {
  only_white_space = true;
  while (!text.empty()) {
    const std::uint32_t point = TakeCodePoint(text);
    if (point == kInvalid) return "is not valid UTF-8";
    if (IsControl(point)) return "holds a control character";
    if (IsBidiControl(point)) return "holds a bidirectional control";
    only_white_space &= IsWhiteSpace(point);
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
