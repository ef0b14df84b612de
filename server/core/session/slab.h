// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Objects in chunks that never move, named by 32-bit numbers.
#ifndef LIFESIGN_SERVER_CORE_SESSION_SLAB_H_
#define LIFESIGN_SERVER_CORE_SESSION_SLAB_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

#include "server/base/huge_page_regions.h"

namespace lifesign {

inline constexpr std::uint32_t kNoSlot = 0xFFFFFFFF;

// A freed object stays constructed until its slot is used again, so whoever
// holds an old number can see that it is not the one they meant. Memory is
// reused, not given back. Not thread-safe.
//
// T::free_link() names 32 bits that it does not need while it is free: there
// the free slots are chained.
//
// Chunk is an array of Chunk::kSize of them.
template <typename T>
struct SlabChunk {
  static constexpr std::uint32_t kSize = 256;
  T& operator[](std::uint32_t i) { return objects[i]; }
  std::array<T, kSize> objects;
};

template <typename T, typename Chunk = SlabChunk<T>>
class Slab {
 public:
  Slab() = default;
  ~Slab() {
    for (std::size_t i = 0; i < chunks_.size(); ++i) {
      if (i < kHeapChunks) {
        delete chunks_[i];
      } else {
        chunks_[i]->~Chunk();
      }
    }
  }
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

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
    return (*chunks_[slot / kChunk])[slot % kChunk];
  }
  const T& operator[](std::uint32_t slot) const {
    return (*chunks_[slot / kChunk])[slot % kChunk];
  }

  // Asks for the memory of an object, to be written. Thread-safe beside all
  // else. REQUIRES: `slot` was taken before.
  void Prefetch(std::uint32_t slot) const {
    Chunk* const* const directory = directory_.load(std::memory_order_acquire);
    if (directory == nullptr) return;
    __builtin_prefetch(&(*directory[slot / kChunk])[slot % kChunk], 1);
  }

  bool Has(std::uint32_t slot) const { return slot / kChunk < chunks_.size(); }

  // The number of slots there are: free ones are among them.
  std::uint32_t slots() const {
    return static_cast<std::uint32_t>(chunks_.size()) * kChunk;
  }

  // See HugePageRegions.
  void* TakeFullRegion() { return regions_.TakeFull(); }

 private:
  static constexpr std::uint32_t kChunk = Chunk::kSize;
  // A slab that is smaller than a region has no use for one.
  static constexpr std::size_t kHeapChunks =
      HugePageRegions::kBytes / sizeof(Chunk);

  Chunk* NewChunk() {
    if (chunks_.size() < kHeapChunks) return new Chunk;
    return new (regions_.Take(sizeof(Chunk))) Chunk;
  }

  void Grow() {
    const auto first = static_cast<std::uint32_t>(chunks_.size()) * kChunk;
    chunks_.reserve(chunks_.size() + 1);
    chunks_.push_back(NewChunk());
    if (chunks_.size() > room_) {
      room_ = std::max<std::size_t>(2 * room_, 1);
      directories_.push_back(std::make_unique<Chunk*[]>(room_));
      for (std::size_t i = 0; i + 1 < chunks_.size(); ++i) {
        directories_.back()[i] = chunks_[i];
      }
    }
    directories_.back()[chunks_.size() - 1] = chunks_.back();
    directory_.store(directories_.back().get(), std::memory_order_release);
    for (std::uint32_t i = kChunk; i-- > 0;) Free(first + i);
  }

  HugePageRegions regions_;
  // Owned: the first kHeapChunks lie on the heap, the others in regions_.
  std::vector<Chunk*> chunks_;
  std::uint32_t first_free_ = kNoSlot;

  // Where the chunks are, for Prefetch. One that became too small stays for
  // who may be reading it; all of them together are as large as the last.
  std::vector<std::unique_ptr<Chunk*[]>> directories_;
  std::size_t room_ = 0;
  std::atomic<Chunk* const*> directory_{nullptr};
};

// A place in a SlabList.
struct SlabLinks {
  std::uint32_t before = kNoSlot;
  std::uint32_t after = kNoSlot;
};

// A list through objects of a slab, by their numbers: half the size of
// pointers. Whoever asks knows what is in it. Not thread-safe.
template <typename T, SlabLinks T::*kLinks>
class SlabList {
 public:
  bool empty() const { return first_ == kNoSlot; }
  std::size_t size() const { return size_; }
  // kNoSlot if it is empty.
  std::uint32_t front() const { return first_; }
  std::uint32_t back() const { return last_; }

  // REQUIRES: not in the list.
  void PushBack(Slab<T>& slab, std::uint32_t slot) {
    slab[slot].*kLinks = {last_, kNoSlot};
    (last_ == kNoSlot ? first_ : (slab[last_].*kLinks).after) = slot;
    last_ = slot;
    ++size_;
  }

  // REQUIRES: in the list.
  void Erase(Slab<T>& slab, std::uint32_t slot) {
    const SlabLinks links = slab[slot].*kLinks;
    (links.before == kNoSlot ? first_ : (slab[links.before].*kLinks).after) =
        links.after;
    (links.after == kNoSlot ? last_ : (slab[links.after].*kLinks).before) =
        links.before;
    --size_;
  }

 private:
  std::uint32_t first_ = kNoSlot;
  std::uint32_t last_ = kNoSlot;
  std::size_t size_ = 0;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_SESSION_SLAB_H_
