// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Objects in chunks that never move, named by 32-bit numbers.
#ifndef LIFESIGN_SERVER_CORE_SESSION_SLAB_H_
#define LIFESIGN_SERVER_CORE_SESSION_SLAB_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace lifesign {

inline constexpr std::uint32_t kNoSlot = 0xFFFFFFFF;

// A freed object stays constructed until its slot is used again, so whoever
// holds an old number can see that it is not the one they meant. Memory is
// reused, not given back. Not thread-safe.
//
// T::free_link() names 32 bits that it does not need while it is free: there
// the free slots are chained.
template <typename T>
class Slab {
 public:
  // The number of an object that the caller now owns, in whatever condition its
  // last owner left it.
  std::uint32_t Take() {
    if (first_free_ == kNoSlot) Grow();
    const std::uint32_t slot = first_free_;
    first_free_ = (*this)[slot].free_link();
    return slot;
  }

  void Free(std::uint32_t slot) {
    (*this)[slot].free_link() = first_free_;
    first_free_ = slot;
  }

  T& operator[](std::uint32_t slot) {
    return chunks_[slot / kChunk][slot % kChunk];
  }
  const T& operator[](std::uint32_t slot) const {
    return chunks_[slot / kChunk][slot % kChunk];
  }

  bool Has(std::uint32_t slot) const { return slot / kChunk < chunks_.size(); }

 private:
  static constexpr std::uint32_t kChunk = 64;

  void Grow() {
    const auto first = static_cast<std::uint32_t>(chunks_.size()) * kChunk;
    chunks_.push_back(std::make_unique<T[]>(kChunk));
    for (std::uint32_t i = kChunk; i-- > 0;) Free(first + i);
  }

  std::vector<std::unique_ptr<T[]>> chunks_;
  std::uint32_t first_free_ = kNoSlot;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_SESSION_SLAB_H_
