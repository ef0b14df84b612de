// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// concepts.md § 9: the whole tenant, by the logic of a watch alone.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/transport/streams/stream_watcher.h"
#include "tests/transport/streams/stream_world.h"

namespace lifesign::testing {
namespace {

class WatchEveryoneTest : public ::testing::Test {
 protected:
  StreamWorld world_;
};

TEST_F(WatchEveryoneTest, AWatchOfEveryoneListsWhoIsLiveAndThenEveryChange) {
  world_.Login("u1", "s");
  world_.Leave("u2", "s", world_.Login("u2", "s").ref.attachment);
  Watcher watcher(world_, WatchOfAll());
  ASSERT_EQ(watcher.last().snapshot_size(), 1);
  EXPECT_EQ(watcher.last().snapshot(0).user_id(), "u1");
  EXPECT_TRUE(watcher.last().has_synced());
  watcher.call().TakeWrites();
  world_.Login("u2", "s");
  world_.Login("u3", "s");
  world_.Publish();
  watcher.call().TakeWrites();
  EXPECT_EQ(watcher.last().changes_size(), 2);
  world_.Advance(seconds(16));
  watcher.call().TakeWrites();
  EXPECT_EQ(watcher.last().changes_size(), 3);
}

TEST_F(WatchEveryoneTest, TheSnapshotOfEveryoneIsOfThoseInAStateOfInterest) {
  world_.Login("u1", "s");
  world_.Advance(seconds(20));
  world_.Login("u2", "s");
  auto request = WatchOfAll();
  request.add_states(v1::PRESENCE_STATE_ACTIVE);
  request.add_states(v1::PRESENCE_STATE_OFFLINE);
  Watcher watcher(world_, request);
  ASSERT_EQ(watcher.last().snapshot_size(), 1);
  EXPECT_EQ(watcher.last().snapshot(0).user_id(), "u2");
}

// No gap and no overlap, while the snapshot of everyone is under way.
TEST_F(WatchEveryoneTest, WhatChangesDuringTheSnapshotOfEveryoneIsToldOnce) {
  std::map<std::string, v1::PresenceRecord> held;
  int logged_in = 0;
  const auto login = [&](int count) {
    for (int i = 0; i < count; ++i) {
      world_.Login(absl::StrCat("u", logged_in++), "s");
    }
  };
  login(20'000);
  Watcher watcher(world_, WatchOfAll());
  int chunks = 0;
  const auto take = [&] {
    const auto& message = watcher.last();
    chunks += message.snapshot_size() > 0 ? 1 : 0;
    EXPECT_LE(message.snapshot_size(), limits::kSnapshotSliceUsers);
    for (const auto* part : {&message.snapshot(), &message.changes()}) {
      for (const auto& record : *part) {
        auto& known = held[record.user_id()];
        EXPECT_GT(record.revision(), known.revision()) << record.user_id();
        known = record;
      }
    }
    watcher.call().TakeWrite();
  };
  for (int i = 0; watcher.call().writing(); ++i) {
    if (i < 40) login(10);
    for (int user = i; user < 20'000; user += 1'000) {
      Signal background;
      background.kind = SignalKind::kBackground;
      world_.engine().ApplyUnary({absl::StrCat("u", user), "s"}, 0, background,
                                 world_.now());
    }
    world_.Advance(seconds(1));
    take();
  }
  EXPECT_GE(chunks, 15);
  EXPECT_EQ(held.size(), static_cast<std::size_t>(logged_in));
  for (const auto& [user, record] : held) {
    const auto now = world_.engine().GetUser(user, world_.now()).record;
    EXPECT_EQ(record.revision(), now.revision) << user;
    EXPECT_EQ(record.state(), EncodeState(now.state)) << user;
  }
}

// Found by the simulation: SYNCED after a restart left out who had come back
// but was not published yet, and so said that they were gone.
TEST_F(WatchEveryoneTest, WhoComesBackLastIsToldBeforeTheEndOfReconvergence) {
  const ResumeToken earlier{world_.engine().epoch() - 1,
                            HashTenant(kDefaultTenant), 0, 1};
  Watcher watcher(world_, Resumed(WatchOfAll(), EncodeResumeToken(earlier)));
  EXPECT_EQ(watcher.last().resync().reason(), v1::RESYNC_REASON_OTHER_EPOCH);
  world_.Advance(Policy().Reconvergence());
  world_.Login("u1", "s");
  watcher.call().TakeWrite();
  EXPECT_EQ(StatesOf(watcher.last()), std::vector<std::string>{"u1 ACTIVE"});
  EXPECT_FALSE(watcher.last().has_synced());
  watcher.call().TakeWrites();
  EXPECT_TRUE(watcher.last().has_synced());
  // And not again.
  watcher.call().Clear();
  world_.Publish();
  EXPECT_TRUE(watcher.call().responses().empty());
}

TEST_F(WatchEveryoneTest, AWatchOfEveryoneThatIsGoneIsLeftNothing) {
  {
    Watcher watcher(world_, WatchOfAll());
    watcher.call().TakeWrites();
  }
  int encoded = 0;
  world_.Login("u1", "s");
  world_.engine().Publish(world_.now(), [&](const Change&, Detail) {
    ++encoded;
    return std::shared_ptr<const void>();
  });
  EXPECT_EQ(encoded, 0);
}

}  // namespace
}  // namespace lifesign::testing
