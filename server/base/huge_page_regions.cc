// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/base/huge_page_regions.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define LIFESIGN_LSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LIFESIGN_LSAN 1
#endif
#endif
#ifdef LIFESIGN_LSAN
#include <sanitizer/lsan_interface.h>
#endif

namespace lifesign {
namespace {

// Of Linux 6.1; glibc knows it from 2.37 on.
constexpr int kCollapse = 25;

void* Reserve(std::size_t bytes) {
  void* const memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, /*fd=*/-1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return memory;
}

// So much of its own that it begins at a multiple of its size.
void* NewRegion() {
  constexpr std::size_t kBytes = HugePageRegions::kBytes;
  auto* const memory = static_cast<char*>(Reserve(2 * kBytes));
  const std::size_t past = reinterpret_cast<std::uintptr_t>(memory) % kBytes;
  const std::size_t before = past == 0 ? 0 : kBytes - past;
  char* const region = memory + before;
  if (before > 0) munmap(memory, before);
  munmap(region + kBytes, kBytes - before);
  // Where all memory is to be huge: not this, before it is full.
  madvise(region, kBytes, MADV_NOHUGEPAGE);
#ifdef LIFESIGN_LSAN
  __lsan_register_root_region(region, kBytes);
#endif
  return region;
}

}  // namespace

HugePageRegions::~HugePageRegions() {
  for (void* const region : regions_) {
#ifdef LIFESIGN_LSAN
    __lsan_unregister_root_region(region, kBytes);
#endif
    munmap(region, kBytes);
  }
}

void* HugePageRegions::Take(std::size_t bytes) {
  if (kBytes - taken_in_last_ < bytes) {
    regions_.reserve(regions_.size() + 1);
    regions_.push_back(NewRegion());
    taken_in_last_ = 0;
  }
  void* const taken = static_cast<char*>(regions_.back()) + taken_in_last_;
  taken_in_last_ += bytes;
  return taken;
}

void HugePageRegions::MakeHuge(void* region) {
  madvise(region, kBytes, MADV_HUGEPAGE);
  madvise(region, kBytes, kCollapse);
}

}  // namespace lifesign
