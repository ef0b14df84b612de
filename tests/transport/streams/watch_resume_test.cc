// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// concepts.md § 9: going on from a token, by the logic of a watch alone.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/transport/streams/stream_watcher.h"
#include "tests/transport/streams/stream_world.h"

namespace lifesign::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::SizeIs;

class WatchResumeTest : public ::testing::Test {
 protected:
  StreamWorld world_;
};

// § 9: for every user that changed after the token, the newest state.
TEST_F(WatchResumeTest, ATokenOfThisEpochIsContinuedWithWhatChangedSince) {
  const auto request = WatchOf({"u1", "u2", "u3", "u4"});
  const Attachment attachment = world_.Login("u1", "s").ref.attachment;
  world_.Login("u2", "s");
  // Tokens hold what is older than all that is to come, of every shard.
  world_.Advance(milliseconds(100));
  std::string token;
  {
    Watcher before(world_, request);
    token = before.last().resume_token();
  }
  world_.Advance(milliseconds(100));
  // There and back: equal to what was told, and told again.
  world_.Leave("u1", "s", attachment);
  world_.Publish();
  world_.Login("u1", "s");
  world_.Login("u3", "s");
  Watcher watcher(world_, Resumed(request, token));
  watcher.call().TakeWrites();
  ASSERT_THAT(watcher.call().responses(), SizeIs(1));
  EXPECT_FALSE(watcher.last().has_resync());
  EXPECT_EQ(watcher.last().snapshot_size(), 0);
  EXPECT_TRUE(watcher.last().has_synced());
  EXPECT_THAT(StatesOf(watcher.last()), ElementsAre("u1 ACTIVE", "u3 ACTIVE"));
  EXPECT_GE(TokenOf(watcher.last()).revision,
            DecodeResumeToken(token)->revision);
  // What was pending at the resume was in it.
  world_.Publish();
  EXPECT_THAT(watcher.call().responses(), SizeIs(1));
}

TEST_F(WatchResumeTest, AWatchOfEveryoneIsContinuedFromTheLog) {
  std::vector<Attachment> attachments;
  for (int i = 0; i < 3'000; ++i) {
    attachments.push_back(
        world_.Login(absl::StrCat("u", i), "s").ref.attachment);
  }
  world_.Advance(milliseconds(100));
  std::string token;
  {
    Watcher before(world_, WatchOfAll());
    before.call().TakeWrites();
    token = before.last().resume_token();
  }
  world_.Advance(milliseconds(100));
  for (std::size_t i = 0; i < 1'500; ++i) {
    world_.Leave(absl::StrCat("u", i), "s", attachments[i]);
  }
  world_.Login("new", "s");
  world_.Publish();
  Watcher watcher(world_, Resumed(WatchOfAll(), token));
  std::set<std::string> told;
  while (watcher.call().writing()) {
    EXPECT_EQ(watcher.last().snapshot_size(), 0);
    for (const auto& change : watcher.last().changes()) {
      EXPECT_TRUE(told.insert(change.user_id()).second);
    }
    watcher.call().TakeWrite();
  }
  EXPECT_EQ(told.size(), 1'501u);
  EXPECT_EQ(told.count("new"), 1u);
  EXPECT_TRUE(watcher.last().has_synced());
  EXPECT_FALSE(watcher.last().resume_token().empty());
  world_.Publish();
  EXPECT_FALSE(watcher.call().writing());
}

// Before SYNCED, whoever changes while what changed is being told.
TEST_F(WatchResumeTest, WhoChangesDuringAResumeIsToldBeforeSynced) {
  for (int i = 0; i < 4'000; ++i) world_.Login(absl::StrCat("u", i), "s");
  world_.Publish();
  std::string token;
  {
    Watcher before(world_, WatchOfAll());
    before.call().TakeWrites();
    token = before.last().resume_token();
  }
  // All fall IDLE.
  world_.Advance(seconds(20));
  Watcher watcher(world_, Resumed(WatchOfAll(), token));
  std::map<std::string, std::string> held;
  for (int i = 0; watcher.call().writing(); ++i) {
    for (const std::string& text : StatesOf(watcher.last())) {
      held[text.substr(0, text.find(' '))] = text;
    }
    if (watcher.last().has_synced()) break;
    world_.Login(absl::StrCat("u", i), "s");
    world_.Login(absl::StrCat("u", 2'000 + i), "s");
    world_.Publish();
    watcher.call().TakeWrite();
  }
  EXPECT_EQ(held.size(), 4'000u);
}

TEST_F(WatchResumeTest, AResumedSetTellsWhoWasForgottenMeanwhile) {
  // Of each shard one user is kept.
  StreamWorld world({}, absl::nullopt, 16);
  const Attachment attachment = world.Login("u1", "s").ref.attachment;
  world.Publish();
  const auto request = WatchOf({"u1", "never"});
  std::string token;
  {
    Watcher before(world, request);
    token = before.last().resume_token();
  }
  world.Advance(milliseconds(100));
  world.Leave("u1", "s", attachment);
  for (int i = 0; i < 100; ++i) {
    const std::string user = absl::StrCat("v", i);
    world.Leave(user, "s", world.Login(user, "s").ref.attachment);
  }
  world.Publish();
  Watcher watcher(world, Resumed(request, token));
  EXPECT_FALSE(watcher.last().has_resync());
  EXPECT_THAT(StatesOf(watcher.last()), Contains("u1 OFFLINE"));
  EXPECT_TRUE(watcher.last().has_synced());
}

TEST_F(WatchResumeTest, OfEveryoneATokenFromBeforeTheLogGetsResync) {
  StreamWorld world({}, absl::nullopt, 16);
  world.Login("here", "s");
  world.Publish();
  std::string token;
  {
    Watcher before(world, WatchOfAll());
    before.call().TakeWrites();
    token = before.last().resume_token();
  }
  world.Advance(milliseconds(100));
  for (int i = 0; i < 100; ++i) {
    const std::string user = absl::StrCat("v", i);
    world.Leave(user, "s", world.Login(user, "s").ref.attachment);
  }
  world.Publish();
  Watcher watcher(world, Resumed(WatchOfAll(), token));
  EXPECT_EQ(watcher.last().resync().reason(), v1::RESYNC_REASON_COMPACTED);
  EXPECT_EQ(watcher.last().snapshot_size(), 1);
  EXPECT_TRUE(watcher.last().has_synced());
}

// C46 (b).
TEST_F(WatchResumeTest, AfterAResumeTheNewestStateIsSentWhateverItIs) {
  world_.Login("u1", "s");
  world_.Publish();
  auto request = WatchOf({"u1"});
  request.add_states(v1::PRESENCE_STATE_ACTIVE);
  std::string token;
  {
    Watcher before(world_, request);
    token = before.last().resume_token();
  }
  world_.Advance(seconds(100));
  Watcher watcher(world_, Resumed(request, token));
  EXPECT_THAT(StatesOf(watcher.last()), ElementsAre("u1 AWAY"));
}

}  // namespace
}  // namespace lifesign::testing
