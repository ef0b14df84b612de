// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Takes an input apart: numbers and pieces off its front.
#ifndef LIFESIGN_TESTS_FUZZ_INPUT_H_
#define LIFESIGN_TESTS_FUZZ_INPUT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace lifesign::testing {

class FuzzInput {
 public:
  FuzzInput(const std::uint8_t* bytes, std::size_t size)
      : left_(reinterpret_cast<const char*>(bytes), size) {}

  bool empty() const { return left_.empty(); }

  // 0 when nothing is left.
  std::uint8_t TakeByte() {
    if (left_.empty()) return 0;
    const auto byte = static_cast<std::uint8_t>(left_.front());
    left_.remove_prefix(1);
    return byte;
  }

  // A piece with its length in two bytes before it, high byte first.
  absl::string_view TakePiece() {
    const std::size_t high = TakeByte();
    const std::size_t length = std::min(high << 8 | TakeByte(), left_.size());
    const absl::string_view piece = left_.substr(0, length);
    left_.remove_prefix(length);
    return piece;
  }

  absl::string_view rest() const { return left_; }

 private:
  absl::string_view left_;
};

}  // namespace lifesign::testing

#endif  // LIFESIGN_TESTS_FUZZ_INPUT_H_
