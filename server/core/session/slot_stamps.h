// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// When each slot of a slab was taken, told by a number that only rises.
#ifndef LIFESIGN_SERVER_CORE_SESSION_SLOT_STAMPS_H_
#define LIFESIGN_SERVER_CORE_SESSION_SLOT_STAMPS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace lifesign {

// Four bytes a slot: 32 bits of the number, above the base of their chunk. A
// base is moved up when its chunk has lived through 2^32 numbers; what lies
// more than 2^31 below the newest is then only known to be that old.
//
// Not thread-safe: its shard guards it.
class SlotStamps {
 public:
  // `slot` is taken while `number` is the newest. REQUIRES: not below that of
  // an earlier call.
  void Take(std::uint32_t slot, std::uint64_t number) {
    const std::size_t index = slot / kSlots;
    if (index >= chunks_.size()) chunks_.resize(index + 1);
    std::unique_ptr<Chunk>& chunk = chunks_[index];
    if (chunk == nullptr) {
      chunk = std::make_unique<Chunk>();
      chunk->base = number;
    }
    if (number - chunk->base > UINT32_MAX) MoveBase(*chunk, number - kKept);
    chunk->above[slot % kSlots] =
        static_cast<std::uint32_t>(number - chunk->base);
  }

  // The newest number when `slot` was last taken. REQUIRES: it was.
  std::uint64_t TakenAt(std::uint32_t slot) const {
    const Chunk& chunk = *chunks_[slot / kSlots];
    return chunk.base + chunk.above[slot % kSlots];
  }

 private:
  static constexpr std::uint32_t kSlots = 256;
  static constexpr std::uint64_t kKept = std::uint64_t{1} << 31;

  struct Chunk {
    std::uint64_t base = 0;
    std::array<std::uint32_t, kSlots> above{};
  };

  static void MoveBase(Chunk& chunk, std::uint64_t base) {
    const std::uint64_t up = base - chunk.base;
    for (std::uint32_t& above : chunk.above) {
      above = above > up ? static_cast<std::uint32_t>(above - up) : 0;
    }
    chunk.base = base;
  }

  std::vector<std::unique_ptr<Chunk>> chunks_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_SESSION_SLOT_STAMPS_H_
