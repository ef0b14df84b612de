// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/session/slab.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <set>
#include <thread>

#include "server/base/huge_page_regions.h"

namespace lifesign {
namespace {

struct Thing {
  explicit Thing() { ++alive; }
  ~Thing() { --alive; }
  std::uint32_t& free_link() { return link; }

  std::uint32_t link = kNoSlot;
  std::atomic<std::uint64_t> value{0};
  char more[112] = {};

  static int alive;
};
int Thing::alive = 0;
static_assert(sizeof(Thing) == 128);

// Of so many, some lie on the heap and some in three regions, of which two are
// full.
constexpr std::uint32_t kMany =
    3 * HugePageRegions::kBytes / sizeof(Thing) + 256;

TEST(HugePageRegionsTest, TakesZeroedAlignedMemoryThatDoesNotOverlap) {
  constexpr std::size_t kPiece = 64 * 5;
  HugePageRegions regions;
  std::set<std::uintptr_t> taken;
  for (std::size_t i = 0; i < 2 * HugePageRegions::kBytes / kPiece; ++i) {
    auto* const piece = static_cast<unsigned char*>(regions.Take(kPiece));
    const auto at = reinterpret_cast<std::uintptr_t>(piece);
    ASSERT_EQ(at % 64, 0U);
    ASSERT_EQ(piece[0] + piece[kPiece - 1], 0);
    piece[0] = piece[kPiece - 1] = 1;
    ASSERT_TRUE(taken.insert(at).second);
    // Never across the end of a huge page.
    ASSERT_EQ(at / HugePageRegions::kBytes,
              (at + kPiece - 1) / HugePageRegions::kBytes);
  }
}

TEST(HugePageRegionsTest, GivesEachFullRegionOnce) {
  HugePageRegions regions;
  EXPECT_EQ(regions.TakeFull(), nullptr);
  void* const first = regions.Take(HugePageRegions::kBytes);
  EXPECT_EQ(regions.TakeFull(), nullptr);
  void* const second = regions.Take(HugePageRegions::kBytes);
  EXPECT_EQ(regions.TakeFull(), first);
  EXPECT_EQ(regions.TakeFull(), nullptr);
  regions.Take(64);
  EXPECT_EQ(regions.TakeFull(), second);
}

TEST(SlabTest, KeepsEveryObjectWhereItIsAndDestroysItOnce) {
  {
    Slab<Thing> slab;
    for (std::uint32_t i = 0; i < kMany; ++i) {
      const std::uint32_t slot = slab.Take();
      ASSERT_EQ(slot, i);
      slab[slot].value = i;
    }
    int made_huge = 0;
    while (void* const region = slab.TakeFullRegion()) {
      HugePageRegions::MakeHuge(region);
      ++made_huge;
    }
    EXPECT_GE(made_huge, 1);
    for (std::uint32_t i = 0; i < kMany; ++i) ASSERT_EQ(slab[i].value, i);
    EXPECT_GE(Thing::alive, static_cast<int>(kMany));
  }
  EXPECT_EQ(Thing::alive, 0);
}

TEST(SlabTest, MayBeWrittenToWhileItBecomesHuge) {
  Slab<Thing> slab;
  for (std::uint32_t i = 0; i < kMany; ++i) slab.Take();
  std::atomic<bool> made_huge{false};
  std::thread other([&] {
    while (void* const region = slab.TakeFullRegion()) {
      HugePageRegions::MakeHuge(region);
    }
    made_huge = true;
  });
  std::uint64_t rounds = 0;
  while (!made_huge || rounds == 0) {
    ++rounds;
    for (std::uint32_t i = 0; i < kMany; i += 31) ++slab[i].value;
  }
  other.join();
  for (std::uint32_t i = 0; i < kMany; i += 31) {
    ASSERT_EQ(slab[i].value, rounds);
  }
}

}  // namespace
}  // namespace lifesign
