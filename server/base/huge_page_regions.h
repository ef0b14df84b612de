// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Memory in pieces that can become huge pages, once they are full.
#ifndef LIFESIGN_SERVER_BASE_HUGE_PAGE_REGIONS_H_
#define LIFESIGN_SERVER_BASE_HUGE_PAGE_REGIONS_H_

#include <cstddef>
#include <vector>

namespace lifesign {

// Random access to a gigabyte waits as long for the walk through
// the page table as for the memory itself, unless the pages are huge. A region
// is as large as a huge page and begins where one may. Until it is full it lies
// on small pages, so that only what is used is resident; then it can be made
// one, once, by MakeHuge().
//
// Given back to the system when it is destroyed. Not thread-safe, but for
// MakeHuge().
class HugePageRegions {
 public:
  static constexpr std::size_t kBytes = std::size_t{2} << 20;

  HugePageRegions() = default;
  ~HugePageRegions();
  HugePageRegions(const HugePageRegions&) = delete;
  HugePageRegions& operator=(const HugePageRegions&) = delete;

  // Memory that is zero, aligned to 64 bytes. Throws std::bad_alloc.
  // REQUIRES: the same number of bytes each time, a multiple of 64, at most
  // kBytes.
  void* Take(std::size_t bytes);

  // A full region that has not been returned before, or null.
  void* TakeFull() {
    // The last one may have room.
    if (taken_full_ + 1 >= regions_.size()) return nullptr;
    return regions_[taken_full_++];
  }

  // Moves what lies in `region` to a huge page, if the system has one to give:
  // a few milliseconds in the kernel, in which others go on reading and writing
  // it. Thread-safe while the HugePageRegions lives. Linux 6.1 does so at once
  // (MADV_COLLAPSE), an older one when it comes by.
  static void MakeHuge(void* region);

 private:
  std::vector<void*> regions_;
  std::size_t taken_in_last_ = kBytes;
  // How many have been returned by TakeFull().
  std::size_t taken_full_ = 0;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_BASE_HUGE_PAGE_REGIONS_H_
