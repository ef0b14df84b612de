// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// concepts.md § 9, by the logic of a watch alone: no gRPC, no thread.

#include "server/transport/watch/watch_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "tests/transport/streams/stream_watcher.h"
#include "tests/transport/streams/stream_world.h"

namespace lifesign::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class WatchStreamTest : public ::testing::Test {
 protected:
  StreamWorld world_;
};

TEST_F(WatchStreamTest, CreatedThenTheSnapshotOfEveryUserThenSynced) {
  world_.Login("u1", "s");
  world_.Advance(seconds(1));
  Watcher watcher(world_, WatchOf({"u2", "u1", "u2"}));
  ASSERT_THAT(watcher.call().responses(), SizeIs(1));
  const auto& first = watcher.last();
  EXPECT_EQ(first.created().epoch(), world_.engine().epoch());
  EXPECT_FALSE(first.has_resync());
  ASSERT_EQ(first.snapshot_size(), 2);
  EXPECT_EQ(first.snapshot(0).user_id(), "u1");
  EXPECT_EQ(first.snapshot(0).state(), v1::PRESENCE_STATE_ACTIVE);
  EXPECT_EQ(first.snapshot(0).cause(), v1::CAUSE_SIGNAL);
  EXPECT_EQ(first.snapshot(1).user_id(), "u2");
  EXPECT_EQ(first.snapshot(1).state(), v1::PRESENCE_STATE_OFFLINE);
  EXPECT_FALSE(first.snapshot(1).has_since());
  EXPECT_TRUE(first.synced().has_read_time());
  EXPECT_TRUE(first.synced().has_reconverging_until());
  EXPECT_GE(TokenOf(first).revision, first.snapshot(0).revision());
}

TEST_F(WatchStreamTest, AnEmptySetIsLegalAndMeansNobody) {
  world_.Login("u1", "s");
  Watcher watcher(world_, WatchOf({}));
  ASSERT_THAT(watcher.call().responses(), SizeIs(1));
  EXPECT_EQ(watcher.last().snapshot_size(), 0);
  EXPECT_TRUE(watcher.last().has_synced());
}

TEST_F(WatchStreamTest, TheNextSliceIsCopiedOnceThePreviousWasTaken) {
  Watcher watcher(world_, WatchOf(Users(2'500)));
  std::vector<int> sizes;
  while (watcher.call().writing()) {
    sizes.push_back(watcher.last().snapshot_size());
    EXPECT_EQ(watcher.last().has_synced(), sizes.size() == 3);
    watcher.call().TakeWrite();
  }
  EXPECT_THAT(sizes, ElementsAre(1'000, 1'000, 500));
}

TEST_F(WatchStreamTest, AChangeDuringTheSnapshotIsToldOnceAfterIt) {
  Watcher watcher(world_, WatchOf(Users(1'500)));
  // One who was copied and one who was not yet.
  world_.Login("u10000", "s");
  world_.Login("u11499", "s");
  world_.Publish();
  watcher.call().TakeWrite();
  const auto& second = watcher.last();
  EXPECT_TRUE(second.has_synced());
  EXPECT_EQ(second.snapshot(499).user_id(), "u11499");
  EXPECT_EQ(second.snapshot(499).state(), v1::PRESENCE_STATE_ACTIVE);
  ASSERT_EQ(second.changes_size(), 1);
  EXPECT_EQ(second.changes(0).user_id(), "u10000");
  watcher.call().TakeWrites();
  world_.Publish();
  EXPECT_THAT(watcher.call().responses(), SizeIs(2));
}

TEST_F(WatchStreamTest, ChangesFollowWithCauseRevisionAndTimes) {
  Watcher watcher(world_, WatchOf({"u1"}));
  watcher.call().TakeWrites();
  watcher.call().Clear();
  world_.Login("u1", "s");
  world_.Publish();
  ASSERT_THAT(watcher.call().responses(), SizeIs(1));
  const v1::PresenceRecord change = watcher.last().changes(0);
  EXPECT_EQ(change.user_id(), "u1");
  EXPECT_EQ(change.state(), v1::PRESENCE_STATE_ACTIVE);
  EXPECT_EQ(change.cause(), v1::CAUSE_SIGNAL);
  EXPECT_TRUE(change.has_since());
  EXPECT_TRUE(change.has_last_seen());
  EXPECT_TRUE(change.has_last_active());
  watcher.call().TakeWrites();
  world_.Advance(seconds(16));
  ASSERT_THAT(watcher.call().responses(), SizeIs(2));
  EXPECT_EQ(watcher.last().changes(0).state(), v1::PRESENCE_STATE_IDLE);
  EXPECT_EQ(watcher.last().changes(0).cause(), v1::CAUSE_DECAY);
  EXPECT_GT(watcher.last().changes(0).revision(), change.revision());
}

TEST_F(WatchStreamTest, WhileAWriteIsInFlightChangesCoalesceToTheNewest) {
  Watcher watcher(world_, WatchOf({"u1", "u2"}));
  const auto attachment = world_.Login("u1", "s").ref.attachment;
  world_.Login("u2", "s");
  world_.Publish();
  world_.Leave("u1", "s", attachment);
  world_.Publish();
  world_.Login("u1", "s");
  world_.Publish();
  EXPECT_THAT(watcher.call().responses(), SizeIs(1));
  watcher.call().TakeWrite();
  ASSERT_THAT(watcher.call().responses(), SizeIs(2));
  ASSERT_EQ(watcher.last().changes_size(), 2);
  EXPECT_EQ(watcher.last().changes(0).state(), v1::PRESENCE_STATE_ACTIVE);
}

TEST_F(WatchStreamTest, ThereAndBackVanishesWhileItLiesInTheMailbox) {
  Watcher watcher(world_, WatchOf({"u1"}));
  world_.Leave("u1", "s", world_.Login("u1", "s").ref.attachment);
  world_.Publish();
  watcher.call().TakeWrite();
  EXPECT_THAT(watcher.call().responses(), SizeIs(1));
}

TEST_F(WatchStreamTest, ChangesCarryATokenAtLeastEverySecond) {
  Watcher watcher(world_, WatchOf({"u1"}));
  watcher.call().TakeWrites();
  Revision token = TokenOf(watcher.last()).revision;
  Attachment attachment = 0;
  PresenceTime token_at = world_.now().presence;
  for (int i = 0; i < 40; ++i) {
    world_.Advance(milliseconds(100));
    if (i % 2 == 0) {
      attachment = world_.Login("u1", "s").ref.attachment;
    } else {
      world_.Leave("u1", "s", attachment);
    }
    world_.Publish();
    ASSERT_TRUE(watcher.call().writing());
    if (!watcher.last().resume_token().empty()) {
      EXPECT_GT(TokenOf(watcher.last()).revision, token);
      token = TokenOf(watcher.last()).revision;
      token_at = world_.now().presence;
    }
    EXPECT_LE(world_.now().presence - token_at, limits::kTokenEvery);
    watcher.call().TakeWrites();
  }
}

TEST_F(WatchStreamTest, ASilentWatchTellsProgressWithATokenEvery25Seconds) {
  Watcher watcher(world_, WatchOf({"u1"}));
  watcher.call().TakeWrites();
  watcher.call().Clear();
  world_.Advance(milliseconds(24'900));
  EXPECT_THAT(watcher.call().responses(), IsEmpty());
  world_.Advance(milliseconds(100));
  ASSERT_THAT(watcher.call().responses(), SizeIs(1));
  EXPECT_TRUE(watcher.last().progress().has_read_time());
  EXPECT_FALSE(watcher.last().resume_token().empty());
  watcher.call().TakeWrites();
  world_.Advance(seconds(25));
  EXPECT_THAT(watcher.call().responses(), SizeIs(2));
}

TEST_F(WatchStreamTest, ProgressCanBeSwitchedOff) {
  auto request = WatchOf({"u1"});
  request.mutable_progress_interval();
  Watcher watcher(world_, request);
  watcher.call().TakeWrites();
  world_.Advance(seconds(700));
  EXPECT_THAT(watcher.call().responses(), SizeIs(1));
}

TEST_F(WatchStreamTest, ABatchingDelayLetsChangesShareAMessage) {
  auto request = WatchOf({"u1", "u2"});
  request.mutable_batching_delay()->set_nanos(500'000'000);
  Watcher watcher(world_, request);
  watcher.call().TakeWrites();
  watcher.call().Clear();
  world_.Login("u1", "s");
  world_.Publish();
  world_.Advance(milliseconds(400));
  world_.Login("u2", "s");
  world_.Publish();
  EXPECT_THAT(watcher.call().responses(), IsEmpty());
  world_.Advance(milliseconds(100));
  ASSERT_THAT(watcher.call().responses(), SizeIs(1));
  EXPECT_EQ(watcher.last().changes_size(), 2);
}

// § 5, C43 (a).
TEST_F(WatchStreamTest, ATokenOfAnotherEpochGetsResyncAndALateSynced) {
  world_.Login("u1", "s");
  auto request = WatchOf({"u1", "u2", "u3"});
  request.set_resume_token(EncodeResumeToken(
      {world_.engine().epoch() + 3'600'000'000, HashTenant("default"),
       SelectorOf({"u1", "u2", "u3"}), 99}));
  Watcher watcher(world_, request);
  ASSERT_THAT(watcher.call().responses(), SizeIs(1));
  EXPECT_EQ(watcher.last().resync().reason(), v1::RESYNC_REASON_OTHER_EPOCH);
  // Those who are known, at once.
  ASSERT_EQ(watcher.last().snapshot_size(), 1);
  EXPECT_EQ(watcher.last().snapshot(0).user_id(), "u1");
  EXPECT_FALSE(watcher.last().has_synced());
  watcher.call().TakeWrites();
  watcher.call().Clear();
  // Users as they become known.
  world_.Advance(seconds(10));
  world_.Login("u2", "s");
  world_.Publish();
  ASSERT_FALSE(watcher.call().responses().empty());
  EXPECT_EQ(watcher.last().changes(0).user_id(), "u2");
  watcher.call().TakeWrites();
  watcher.call().Clear();
  world_.Advance(milliseconds(70'900));
  watcher.call().TakeWrites();
  for (const auto& message : watcher.call().responses()) {
    EXPECT_FALSE(message.has_synced());
    EXPECT_TRUE(message.resume_token().empty());
    EXPECT_EQ(message.snapshot_size(), 0);
  }
  // 66 s and 15 s after the start: those still unknown, then SYNCED.
  world_.Advance(milliseconds(100));
  ASSERT_TRUE(watcher.call().writing());
  ASSERT_EQ(watcher.last().snapshot_size(), 1);
  EXPECT_EQ(watcher.last().snapshot(0).user_id(), "u3");
  EXPECT_EQ(watcher.last().snapshot(0).state(), v1::PRESENCE_STATE_OFFLINE);
  EXPECT_TRUE(watcher.last().has_synced());
  EXPECT_FALSE(watcher.last().synced().has_reconverging_until());
  EXPECT_FALSE(watcher.last().resume_token().empty());
}

TEST_F(WatchStreamTest, ATokenOfAnotherEpochAfterReconvergenceSyncsAtOnce) {
  world_.Advance(seconds(100));
  auto request = WatchOf({"u1"});
  request.set_resume_token(EncodeResumeToken({1, HashTenant("default"), 2, 3}));
  Watcher watcher(world_, request);
  EXPECT_EQ(watcher.last().resync().reason(), v1::RESYNC_REASON_OTHER_EPOCH);
  watcher.call().TakeWrites();
  world_.Advance(milliseconds(100));
  EXPECT_TRUE(watcher.last().has_synced());
  EXPECT_EQ(watcher.last().snapshot_size(), 1);
}

TEST_F(WatchStreamTest, ATokenOfAnotherSelectorGetsResync) {
  std::string token;
  {
    Watcher before(world_, WatchOf({"u2"}));
    token = before.last().resume_token();
  }
  auto request = WatchOf({"u1"});
  request.set_resume_token(token);
  Watcher watcher(world_, request);
  EXPECT_EQ(watcher.last().resync().reason(), v1::RESYNC_REASON_OTHER_SELECTOR);
  EXPECT_TRUE(watcher.last().has_synced());
}

// C43 (b).
TEST_F(WatchStreamTest, ATokenAheadOfTheServerGetsResyncAtOnce) {
  auto request = WatchOf({"u1"});
  request.set_resume_token(EncodeResumeToken(
      {world_.engine().epoch(), HashTenant("default"), SelectorOf({"u1"}),
       world_.engine().epoch() + 3'600'000'000}));
  Watcher watcher(world_, request);
  EXPECT_EQ(watcher.last().resync().reason(), v1::RESYNC_REASON_AHEAD);
  EXPECT_EQ(watcher.last().snapshot_size(), 1);
  EXPECT_TRUE(watcher.last().has_synced());
}

// C45.
TEST_F(WatchStreamTest, AWatcherThatTakesNothingForFiveMinutesIsFinished) {
  Watcher watcher(world_, WatchOf({"u1"}));
  watcher.call().TakeWrites();
  Attachment attachment = world_.Login("u1", "s").ref.attachment;
  world_.Publish();
  ASSERT_TRUE(watcher.call().writing());
  world_.Leave("u1", "s", attachment);
  world_.Publish();
  world_.Advance(milliseconds(299'900));
  EXPECT_FALSE(watcher.call().finished());
  world_.Advance(milliseconds(100));
  ASSERT_TRUE(watcher.call().finished());
  EXPECT_EQ(watcher.call().status().error_code(),
            grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(watcher.call().status()), "SLOW_CONSUMER");
  const auto info =
      DetailOf<google::rpc::ErrorInfo>(RpcStatusOf(watcher.call().status()));
  std::string token;
  ASSERT_TRUE(
      absl::Base64Unescape(info->metadata().at("resume_token"), &token));
  EXPECT_TRUE(DecodeResumeToken(token).has_value());
  // It arrives only if it reads again within a minute; then the call is cut.
  world_.Advance(milliseconds(59'900));
  EXPECT_FALSE(watcher.call().cancelled());
  world_.Advance(milliseconds(100));
  EXPECT_TRUE(watcher.call().cancelled());
}

TEST_F(WatchStreamTest, DrainEndsAWatchWithWhatWaitsATokenAndADelay) {
  auto request = WatchOf({"u1"});
  request.mutable_batching_delay()->set_seconds(1);
  Watcher watcher(world_, request);
  watcher.call().TakeWrites();
  watcher.call().Clear();
  world_.Login("u1", "s");
  world_.Advance(milliseconds(100));
  watcher.stream()->EndForDrain();
  ASSERT_THAT(watcher.call().responses(), SizeIs(1));
  EXPECT_EQ(watcher.last().changes_size(), 1);
  EXPECT_GE(TokenOf(watcher.last()).revision,
            watcher.last().changes(0).revision());
  ASSERT_TRUE(watcher.call().finished());
  EXPECT_EQ(ReasonOf(watcher.call().status()), "DRAINING");
  const auto rich = RpcStatusOf(watcher.call().status());
  EXPECT_TRUE(DetailOf<google::rpc::RetryInfo>(rich).has_value());
  EXPECT_EQ(
      DetailOf<google::rpc::ErrorInfo>(rich)->metadata().count("resume_token"),
      1u);
}

TEST_F(WatchStreamTest, AWatcherThatIsGoneIsToldNothing) {
  Watcher watcher(world_, WatchOf({"u1"}));
  watcher.call().TakeWrites();
  watcher.call().Break();
  const auto stream = watcher.stream();
  world_.Login("u1", "s");
  world_.Publish();
  stream->OnMail();
  stream->EndForDrain();
  world_.Advance(seconds(30));
  EXPECT_THAT(watcher.call().responses(), SizeIs(1));
}

// C46.
TEST_F(WatchStreamTest, WithStatesOfInterestLeavingThemIsToldAndNothingElse) {
  auto request = WatchOf({"u1"});
  request.add_states(v1::PRESENCE_STATE_ACTIVE);
  Watcher watcher(world_, request);
  EXPECT_EQ(watcher.last().snapshot_size(), 1);
  watcher.call().TakeWrites();
  watcher.call().Clear();
  world_.Login("u1", "s");
  world_.Publish();
  std::vector<v1::PresenceState> told;
  for (int i = 0; i < 2'600; ++i) {
    while (watcher.call().writing()) {
      for (const auto& change : watcher.last().changes()) {
        told.push_back(change.state());
      }
      watcher.call().TakeWrite();
    }
    world_.Advance(milliseconds(100));
  }
  EXPECT_EQ(world_.StateOf("u1"), State::kOffline);
  EXPECT_THAT(told,
              ElementsAre(v1::PRESENCE_STATE_ACTIVE, v1::PRESENCE_STATE_IDLE));
}

TEST_F(WatchStreamTest, DetailDevicesTellsTheStateOnEachClassOfDevice) {
  auto request = WatchOf({"u1"});
  request.set_detail(v1::WATCH_DETAIL_DEVICES);
  Watcher devices(world_, request);
  Watcher state(world_, WatchOf({"u1"}));
  for (Watcher* watcher : {&devices, &state}) {
    watcher->call().TakeWrites();
    watcher->call().Clear();
  }
  world_.Login("u1", "s");
  world_.Publish();
  ASSERT_EQ(devices.last().changes_size(), 1);
  ASSERT_EQ(devices.last().changes(0).devices_size(), 1);
  EXPECT_EQ(devices.last().changes(0).devices(0).device_class(),
            v1::DEVICE_CLASS_OTHER);
  EXPECT_EQ(state.last().changes(0).devices_size(), 0);
  EXPECT_EQ(devices.last().changes(0).revision(),
            state.last().changes(0).revision());
  devices.call().TakeWrites();
  state.call().TakeWrites();
  // A change of devices only.
  world_.Login("u1", "phone", DeviceClass::kMobile);
  world_.Publish();
  EXPECT_THAT(state.call().responses(), SizeIs(1));
  ASSERT_THAT(devices.call().responses(), SizeIs(2));
  const auto& change = devices.last().changes(0);
  EXPECT_EQ(change.state(), v1::PRESENCE_STATE_ACTIVE);
  EXPECT_EQ(change.devices_size(), 2);
  Watcher late(world_, request);
  EXPECT_EQ(late.last().snapshot(0).devices_size(), 2);
}

TEST_F(WatchStreamTest, WatchersOfAUserShareItsBytes) {
  Watcher one(world_, WatchOf({"u1"}));
  Watcher two(world_, WatchOf({"u1", "u2"}));
  for (Watcher* watcher : {&one, &two}) {
    watcher->call().TakeWrites();
    watcher->call().Clear();
  }
  world_.Login("u1", "s");
  world_.Publish();
  std::vector<grpc::Slice> of_one;
  std::vector<grpc::Slice> of_two;
  ASSERT_TRUE(one.call().bytes()[0].Dump(&of_one).ok());
  ASSERT_TRUE(two.call().bytes()[0].Dump(&of_two).ok());
  ASSERT_FALSE(of_one.empty());
  EXPECT_EQ(of_one[0].begin(), of_two[0].begin());
}

TEST_F(WatchStreamTest, ManyChangesShareOneMessage) {
  const auto users = Users(500);
  Watcher watcher(world_, WatchOf(users));
  watcher.call().TakeWrites();
  watcher.call().Clear();
  for (const auto& user : users) world_.Login(user, "s");
  world_.Publish();
  watcher.call().TakeWrites();
  int changes = 0;
  for (const auto& message : watcher.call().responses()) {
    changes += message.changes_size();
  }
  EXPECT_EQ(changes, 500);
  EXPECT_LE(watcher.call().responses().size(), 2u);
}

}  // namespace
}  // namespace lifesign::testing
