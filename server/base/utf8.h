// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Reads UTF-8 as RFC 3629 § 4 allows it: nothing overlong, no surrogates.
#ifndef LIFESIGN_SERVER_BASE_UTF8_H_
#define LIFESIGN_SERVER_BASE_UTF8_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace lifesign {

// What is no code point.
inline constexpr std::uint32_t kNotUtf8 = 0xFFFFFFFF;

// Takes one code point off the front of `text`; kNotUtf8, and one byte is
// taken, if its bytes are none. REQUIRES: text is not empty.
inline std::uint32_t TakeCodePoint(absl::string_view& text) {
  const auto byte = [&text](std::size_t i) -> std::uint32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  const std::uint32_t lead = byte(0);
  std::size_t length = 1;
  std::uint32_t point = lead;
  std::uint32_t least = 0;
  if ((lead & 0xE0) == 0xC0) {
    length = 2, point = lead & 0x1F, least = 0x80;
  } else if ((lead & 0xF0) == 0xE0) {
    length = 3, point = lead & 0x0F, least = 0x800;
  } else if ((lead & 0xF8) == 0xF0) {
    length = 4, point = lead & 0x07, least = 0x10000;
  } else if (lead >= 0x80) {
    point = kNotUtf8;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) {
      text.remove_prefix(1);
      return kNotUtf8;
    }
    point = (point << 6) | (byte(i) & 0x3F);
  }
  const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
  if (point < least || point > 0x10FFFF || surrogate) {
    text.remove_prefix(1);
    return kNotUtf8;
  }
  text.remove_prefix(length);
  return point;
}

inline bool IsUtf8(absl::string_view text) {
  while (!text.empty()) {
    if (TakeCodePoint(text) == kNotUtf8) return false;
  }
  return true;
}

// Category Cc: it moves the cursor, rings the bell, or ends the line.
inline bool IsControlCodePoint(std::uint32_t point) {
  return point < 0x20 || (point >= 0x7F && point <= 0x9F);
}

// Turns around the order in which what follows is shown.
inline bool IsBidiControlCodePoint(std::uint32_t point) {
  return (point >= 0x202A && point <= 0x202E) ||
         (point >= 0x2066 && point <= 0x2069);
}

// Unicode's White_Space, less what IsControlCodePoint holds.
inline bool IsWhiteSpaceCodePoint(std::uint32_t point) {
  return point == 0x20 || point == 0xA0 || point == 0x1680 ||
         (point >= 0x2000 && point <= 0x200A) || point == 0x2028 ||
         point == 0x2029 || point == 0x202F || point == 0x205F ||
         point == 0x3000;
}

// What some programs end a line at, though it is no control character.
inline bool IsLineSeparatorCodePoint(std::uint32_t point) {
  return point == 0x2028 || point == 0x2029;
}

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_BASE_UTF8_H_
