// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// An id of up to 128 bytes; up to 23 bytes without an allocation.
#ifndef LIFESIGN_SERVER_BASE_INLINE_ID_H_
#define LIFESIGN_SERVER_BASE_INLINE_ID_H_

#include <cassert>
#include <cstdint>
#include <cstring>

#include "absl/strings/string_view.h"

namespace lifesign {

// A value of 24 bytes, where std::string takes 32 and allocates above 15.
class InlineId {
 public:
  InlineId() { bytes_[kLast] = 0; }
  // REQUIRES: id.size() < 255.
  explicit InlineId(absl::string_view id) { Assign(id); }
  InlineId(const InlineId&) = delete;
  InlineId& operator=(const InlineId&) = delete;
  InlineId(InlineId&& other) noexcept { Move(other); }
  InlineId& operator=(InlineId&& other) noexcept {
    if (this == &other) return *this;
    Release();
    Move(other);
    return *this;
  }
  ~InlineId() { Release(); }

  void Assign(absl::string_view id) {
    assert(id.size() < kOutside);
    Release();
    if (id.size() <= kLast) {
      std::memcpy(bytes_, id.data(), id.size());
      bytes_[kLast] = static_cast<char>(id.size());
      return;
    }
    char* outside = new char[id.size()];
    std::memcpy(outside, id.data(), id.size());
    std::memcpy(bytes_, &outside, sizeof(outside));
    bytes_[sizeof(outside)] = static_cast<char>(id.size());
    bytes_[kLast] = static_cast<char>(kOutside);
  }

  absl::string_view view() const {
    const auto size = static_cast<unsigned char>(bytes_[kLast]);
    if (size != kOutside) return {bytes_, size};
    return {Outside(), static_cast<unsigned char>(bytes_[sizeof(char*)])};
  }

 private:
  static constexpr std::size_t kLast = 23;
  static constexpr unsigned char kOutside = 255;

  char* Outside() const {
    char* outside = nullptr;
    std::memcpy(&outside, bytes_, sizeof(outside));
    return outside;
  }
  void Move(InlineId& other) {
    std::memcpy(bytes_, other.bytes_, sizeof(bytes_));
    other.bytes_[kLast] = 0;
  }
  void Release() {
    if (static_cast<unsigned char>(bytes_[kLast]) == kOutside) {
      delete[] Outside();
      bytes_[kLast] = 0;
    }
  }

  // The bytes and, in the last, their number; or a pointer to them, their
  // number, and kOutside.
  alignas(8) char bytes_[kLast + 1];
};
static_assert(sizeof(InlineId) == 24);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_BASE_INLINE_ID_H_
