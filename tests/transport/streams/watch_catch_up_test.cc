// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// concepts.md § 9: slow watchers. A mailbox that is full is dropped, and its
// watcher catches up at its own pace.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/transport/streams/stream_watcher.h"
#include "tests/transport/streams/stream_world.h"

namespace lifesign::testing {
namespace {

constexpr std::size_t kSmallMailbox = 64u << 10;

StreamLimits WithSmallMailboxes() {
  StreamLimits limits;
  limits.max_mailbox_bytes = kSmallMailbox;
  return limits;
}

// What a watcher holds, by the receiver's rule, which it needs only where a
// stream begins.
class Held {
 public:
  void BeginStream() { on_stream_.clear(); }
  void Take(const v1::WatchPresenceResponse& message) {
    for (const auto* part : {&message.snapshot(), &message.changes()}) {
      for (const auto& record : *part) {
        v1::PresenceRecord& held = users_[record.user_id()];
        std::uint64_t& told = on_stream_[record.user_id()];
        EXPECT_GT(record.revision(), told) << record.user_id();
        told = record.revision();
        if (told > held.revision()) held = record;
      }
    }
  }
  // Everything the watcher takes until nothing is written to it.
  void TakeAll(Watcher& watcher) {
    while (watcher.call().writing()) TakeOne(watcher);
  }
  void TakeOne(Watcher& watcher) {
    Take(watcher.last());
    watcher.call().Clear();
    watcher.call().TakeWrite();
  }
  void ExpectTrue(StreamWorld& world) const {
    for (const auto& [user, record] : users_) {
      const auto now = world.engine().GetUser(user, world.now()).record;
      EXPECT_EQ(record.state(), EncodeState(now.state)) << user;
      if (now.known) {
        EXPECT_EQ(record.revision(), now.revision) << user;
      }
    }
  }
  const std::map<std::string, v1::PresenceRecord>& users() const {
    return users_;
  }

 private:
  std::map<std::string, v1::PresenceRecord> users_;
  std::map<std::string, std::uint64_t> on_stream_;
};

// Users who come and go.
class Crowd {
 public:
  Crowd(StreamWorld& world, int users)
      : world_(world), attachments_(static_cast<std::size_t>(users)) {}

  static std::string Name(std::size_t user) {
    return absl::StrCat("u", 10'000 + user);
  }
  std::size_t size() const { return attachments_.size(); }

  // Each call is a change.
  void Change(std::size_t user) {
    Attachment& attachment = attachments_[user];
    if (attachment == kNoAttachment) {
      attachment = world_.Login(Name(user), "s").ref.attachment;
    } else {
      world_.Leave(Name(user), "s", attachment);
      attachment = kNoAttachment;
    }
  }
  void ChangeAll() {
    for (std::size_t user = 0; user < size(); ++user) Change(user);
  }

 private:
  StreamWorld& world_;
  std::vector<Attachment> attachments_;
};

class WatchCatchUpTest : public ::testing::TestWithParam<bool> {
 protected:
  static v1::WatchPresenceRequest Request(int users) {
    return GetParam() ? WatchOfAll() : WatchOf(Users(users));
  }

  StreamWorld world_{WithSmallMailboxes()};
};

TEST_P(WatchCatchUpTest, WhoDoesNotReadIsToldTheNewestStateOfEachUserOnce) {
  Crowd crowd(world_, 3'000);
  crowd.ChangeAll();
  world_.Publish();
  Watcher watcher(world_, Request(3'000));
  Held held;
  held.TakeAll(watcher);
  ASSERT_EQ(held.users().size(), 3'000u);
  // One message is in flight while everyone changes three times.
  crowd.Change(0);
  world_.Publish();
  for (int i = 0; i < 3; ++i) {
    world_.Advance(milliseconds(100));
    crowd.ChangeAll();
    world_.Publish();
  }
  std::map<std::string, int> told;
  while (watcher.call().writing()) {
    for (const auto& change : watcher.last().changes()) {
      ++told[change.user_id()];
    }
    held.TakeOne(watcher);
  }
  held.ExpectTrue(world_);
  told.erase(Crowd::Name(0));
  EXPECT_EQ(told.size(), 2'999u);
  for (const auto& [user, times] : told) EXPECT_EQ(times, 1) << user;
  // It is live again, and its token leads on.
  world_.Advance(seconds(2));
  crowd.Change(5);
  world_.Publish();
  ASSERT_TRUE(watcher.call().writing());
  EXPECT_FALSE(watcher.last().resume_token().empty());
  held.TakeAll(watcher);
  held.ExpectTrue(world_);
}

TEST_P(WatchCatchUpTest, ATokenToldWhileItCatchesUpLeavesNothingBehind) {
  Crowd crowd(world_, 3'000);
  Watcher watcher(world_, Request(3'000));
  Held held;
  held.TakeAll(watcher);
  std::mt19937_64 random(1);
  std::string token;
  for (int i = 0; i < 400; ++i) {
    world_.Advance(milliseconds(100));
    for (int n = 0; n < 300; ++n) crowd.Change(random() % crowd.size());
    world_.Publish();
    if (i % 3 != 0 || !watcher.call().writing()) continue;
    if (!watcher.last().resume_token().empty()) {
      token = watcher.last().resume_token();
    }
    held.TakeOne(watcher);
  }
  ASSERT_FALSE(token.empty());
  watcher.call().Break();
  Watcher resumed(world_, Resumed(Request(3'000), token));
  EXPECT_FALSE(resumed.last().has_resync());
  held.BeginStream();
  held.TakeAll(resumed);
  held.ExpectTrue(world_);
}

// Whatever the pattern by which users change, a watcher that is slower than
// they are is told the newest state of each of them, again and again.
TEST_P(WatchCatchUpTest, ASlowerWatcherReachesEveryUserAgainAndAgain) {
  for (const bool in_turn : {true, false}) {
    Crowd crowd(world_, 3'000);
    Watcher watcher(world_, Request(3'000));
    std::map<std::string, int> reached;
    std::mt19937_64 random(7);
    std::size_t next = 0;
    for (int i = 0; i < 1'200; ++i) {
      world_.Advance(milliseconds(50));
      // 20,000 changes a second; the watcher takes at most 5,000 users a
      // second.
      for (int n = 0; n < 1'000; ++n) {
        crowd.Change(in_turn ? next++ % crowd.size() : random() % crowd.size());
      }
      world_.Publish();
      if (i % 4 != 0) continue;
      // Asked before the message is taken: the next is drafted at once.
      watcher.call().Clear();
      watcher.call().TakeWrite();
      if (!watcher.call().writing()) continue;
      for (const auto& record : watcher.last().changes()) {
        const auto now =
            world_.engine().GetUser(record.user_id(), world_.now()).record;
        if (record.revision() == now.revision) ++reached[record.user_id()];
      }
    }
    EXPECT_EQ(reached.size(), crowd.size()) << in_turn;
    int least = 1'000'000;
    for (const auto& [user, times] : reached) least = std::min(least, times);
    EXPECT_GE(least, 10) << in_turn;
    Held held;
    held.TakeAll(watcher);
    held.ExpectTrue(world_);
  }
}

INSTANTIATE_TEST_SUITE_P(Of, WatchCatchUpTest, ::testing::Bool(),
                         [](const auto& of) -> std::string {
                           return of.param ? "Everyone" : "ASet";
                         });

// What catching up needs may be forgotten meanwhile: then it begins anew, on
// the same stream.
TEST(WatchCatchUp, WhatWasForgottenMeanwhileLeadsToAResync) {
  StreamWorld world(WithSmallMailboxes(), absl::nullopt, 160);
  Crowd crowd(world, 3'000);
  crowd.ChangeAll();
  world.Publish();
  Watcher watcher(world, WatchOfAll());
  Held held;
  held.TakeAll(watcher);
  crowd.Change(0);
  world.Publish();
  ASSERT_TRUE(watcher.call().writing());
  // Everyone leaves, but ten in each shard are forgotten at once.
  for (std::size_t user = 1; user < crowd.size(); ++user) crowd.Change(user);
  crowd.Change(0);
  world.Publish();
  watcher.call().TakeWrite();
  ASSERT_TRUE(watcher.call().writing());
  EXPECT_EQ(watcher.last().resync().reason(), v1::RESYNC_REASON_COMPACTED);
  while (watcher.call().writing()) {
    EXPECT_EQ(watcher.last().changes_size(), 0);
    EXPECT_LE(watcher.last().snapshot_size(), 1);
    if (watcher.last().has_synced()) break;
    watcher.call().TakeWrite();
  }
  EXPECT_TRUE(watcher.last().has_synced());
  EXPECT_FALSE(watcher.last().resume_token().empty());
}

std::size_t HeapInUse() { return mallinfo2().uordblks; }

// 1 of 1,000 watchers never reads for a minute. The others are told every
// change in the round that publishes it, as they are without that one; it costs
// no more than the limit of its mailbox.
TEST(WatchCatchUp, OneOfAThousandThatNeverReadsCostsNobodyAnything) {
  constexpr int kWatchers = 1'000;
  StreamWorld world;
  Crowd crowd(world, 10'000);
  crowd.ChangeAll();
  world.Publish();
  auto request = WatchOf({Crowd::Name(0), Crowd::Name(1)});
  request.mutable_progress_interval();
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (int i = 1; i < kWatchers; ++i) {
    watchers.push_back(std::make_unique<Watcher>(world, request));
    watchers.back()->call().TakeWrites();
    watchers.back()->call().Clear();
  }
  Watcher stuck(world, WatchOfAll());
  while (!stuck.last().has_synced()) stuck.call().TakeWrite();
  ASSERT_TRUE(stuck.call().writing());

  const auto minute = [&] {
    for (int i = 0; i < 600; ++i) {
      world.Advance(milliseconds(100));
      crowd.Change(static_cast<std::size_t>(i % 2));
      for (std::size_t user = 0; user < 100; ++user) {
        crowd.Change(2 + (static_cast<std::size_t>(i) * 100 + user) %
                             (crowd.size() - 2));
      }
      world.Publish();
      for (const auto& watcher : watchers) {
        // Told at once: no time has gone by.
        ASSERT_TRUE(watcher->call().writing());
        ASSERT_EQ(watcher->last().changes_size(), 1);
        watcher->call().Clear();
        watcher->call().TakeWrite();
      }
    }
  };
  const std::size_t before = HeapInUse();
  minute();
  const std::size_t after = HeapInUse();
  EXPECT_LE(after, before + limits::kMaxMailboxBytes);
  EXPECT_FALSE(stuck.call().finished());
  // It reads again, and comes to know all.
  Held held;
  held.TakeAll(stuck);
  held.ExpectTrue(world);
}

}  // namespace
}  // namespace lifesign::testing
