// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Whom a watch is of, in little memory.
#include "server/transport/watch/id_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace lifesign {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

using Ids = std::vector<std::string>;

Ids All(const IdSet& set) {
  std::size_t place = 0;
  return set.Next(1'000'000, place);
}

TEST(IdSetTest, GivesItsIdsInTheirOrderAndInSlices) {
  const IdSet set(Ids{"a", "bb", std::string(128, 'c'), "d"});
  EXPECT_EQ(set.size(), 4u);
  EXPECT_EQ(set.bytes(), 2u + 3u + 129u + 2u);
  std::size_t place = 0;
  EXPECT_THAT(set.Next(2, place), ElementsAre("a", "bb"));
  EXPECT_FALSE(set.IsEnd(place));
  EXPECT_THAT(set.Next(2, place), ElementsAre(std::string(128, 'c'), "d"));
  EXPECT_TRUE(set.IsEnd(place));
  EXPECT_TRUE(IdSet(Ids()).IsEnd(0));
}

// Against a std::set.
TEST(IdSetTest, AddsRemovesAndComparesAtRandom) {
  std::mt19937_64 random(5);
  std::set<std::string> model;
  IdSet set{Ids()};
  for (int step = 0; step < 2'000; ++step) {
    std::set<std::string> some;
    for (auto i = random() % 8; i > 0; --i) {
      some.insert(std::string(1 + random() % 3, 'a') +
                  static_cast<char>('a' + random() % 26));
    }
    const Ids ids(some.begin(), some.end());
    Ids within;
    Ids without;
    std::set_intersection(ids.begin(), ids.end(), model.begin(), model.end(),
                          std::back_inserter(within));
    std::set_difference(ids.begin(), ids.end(), model.begin(), model.end(),
                        std::back_inserter(without));
    ASSERT_THAT(set.Within(ids), ElementsAreArray(within));
    ASSERT_THAT(set.Without(ids), ElementsAreArray(without));
    if (random() % 2 == 0) {
      set.Add(without);
      model.insert(without.begin(), without.end());
    } else {
      set.Remove(within);
      for (const std::string& id : within) model.erase(id);
    }
    ASSERT_EQ(set.size(), model.size());
    ASSERT_THAT(All(set), ElementsAreArray(model));
  }
  set.Remove(All(set));
  EXPECT_THAT(All(set), IsEmpty());
}

}  // namespace
}  // namespace lifesign
