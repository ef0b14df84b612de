// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/heartbeat/handle_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "server/base/limits.h"

namespace lifesign {
namespace {

HandleTable::Bound BoundTo(std::uint64_t name) {
  HandleTable::Bound bound;
  bound.ref.attachment = name + 1;
  bound.name = name;
  return bound;
}

// The table beside a plain map, under handles that count up, that are spread
// over all that there are, and that are both.
class HandleTableTest : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  void Compare() {
    ASSERT_EQ(table_.size(), expected_.size());
    for (const auto& [handle, name] : expected_) {
      const HandleTable::Bound* found = table_.Find(handle);
      ASSERT_NE(found, nullptr) << handle;
      EXPECT_EQ(found->name, name);
      EXPECT_EQ(found->ref.attachment, name + 1);
      EXPECT_EQ(table_.HandleOf(name), handle);
    }
  }

  HandleTable table_;
  std::map<std::uint32_t, std::uint64_t> expected_;
};

TEST_P(HandleTableTest, FindsWhatWasBoundAndNothingElse) {
  std::mt19937_64 random(5);
  std::uint64_t next_name = 1;
  for (int round = 0; round < 3'000; ++round) {
    const std::uint32_t near = 1 + static_cast<std::uint32_t>(random() % 300);
    const std::uint32_t far =
        1 + static_cast<std::uint32_t>(random() % limits::kMaxHandle);
    const std::uint32_t handle = random() % 100 < GetParam() ? near : far;
    if (expected_.count(handle) != 0) {
      EXPECT_NE(table_.Find(handle), nullptr);
      table_.Free(handle);
      expected_.erase(handle);
    } else {
      EXPECT_EQ(table_.Find(handle), nullptr);
      table_.Free(handle);
      table_.Bind(handle, BoundTo(next_name));
      expected_[handle] = next_name++;
    }
    if (round % 100 == 0) Compare();
    if (round % 500 == 499) {
      // Every second one goes.
      std::set<std::uint64_t> gone;
      for (auto it = expected_.begin(); it != expected_.end();) {
        if (it->second % 2 != 0) {
          ++it;
          continue;
        }
        gone.insert(it->second + 1);
        it = expected_.erase(it);
      }
      table_.Sweep([&](const SessionRef& ref) {
        return gone.count(ref.attachment) == 0;
      });
      Compare();
    }
  }
  std::vector<std::uint64_t> left;
  for (const SessionRef& ref : table_.TakeAll()) left.push_back(ref.attachment);
  std::vector<std::uint64_t> expected;
  for (const auto& [handle, name] : expected_) expected.push_back(name + 1);
  std::sort(left.begin(), left.end());
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(left, expected);
  EXPECT_TRUE(table_.empty());
}

INSTANTIATE_TEST_SUITE_P(PercentOfLowHandles, HandleTableTest,
                         ::testing::Values(0, 50, 100));

}  // namespace
}  // namespace lifesign
