// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Watcher over real gRPC.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "lifesign/client/watcher.h"
#include "tests/client/client_fixture.h"

namespace lifesign::client {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

class WatcherTest : public ClientTest {};

v1::WatchPresenceResponse Record(const std::string& user,
                                 v1::PresenceState state, uint64_t revision) {
  v1::WatchPresenceResponse response;
  v1::PresenceRecord& record = *response.add_changes();
  record.set_user_id(user);
  record.set_state(state);
  record.set_revision(revision);
  return response;
}

v1::WatchPresenceResponse Synced(const std::string& token) {
  v1::WatchPresenceResponse response;
  response.mutable_created()->set_epoch(1);
  response.mutable_synced()->mutable_read_time()->set_seconds(1'000);
  response.set_resume_token(token);
  return response;
}

TEST_F(WatcherTest, WatcherTellsSnapshotAndChangesByPulling) {
  WatchOptions options;
  options.user_ids = {"ann"};
  const auto watcher = *Watcher::Start(Channel(), std::move(options));
  server_.Tell(Record("ann", v1::PRESENCE_STATE_ACTIVE, 10));
  server_.Tell(Synced("t1"));
  auto event = watcher->Next(kPatience);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->kind, WatchEvent::Kind::kChange);
  EXPECT_FALSE(event->change.before.has_value());
  event = watcher->Next(kPatience);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->kind, WatchEvent::Kind::kSynced);
  EXPECT_EQ(watcher->Find("ann")->state(), v1::PRESENCE_STATE_ACTIVE);
  EXPECT_THAT(watcher->View(), SizeIs(1));
  EXPECT_FALSE(watcher->Next(Duration::zero()).has_value());

  server_.BreakStreams();
  ASSERT_TRUE(
      server_.Await([](auto& seen) { return seen.ended_watches == 1; }));
  while (watcher->status().streams < 2) watcher->OnNetworkChange();
  server_.Tell(Record("ann", v1::PRESENCE_STATE_IDLE, 11));
  event = watcher->Next(kPatience);
  while (event.has_value() && event->kind != WatchEvent::Kind::kChange) {
    event = watcher->Next(kPatience);
  }
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->change.before->state(), v1::PRESENCE_STATE_ACTIVE);
  EXPECT_EQ(event->change.after.state(), v1::PRESENCE_STATE_IDLE);
  EXPECT_THAT(server_.seen().tokens, ElementsAre("", "t1"));
}

TEST_F(WatcherTest, WatcherHandsEventsToItsCallback) {
  Mutex mutex;
  CondVar changed;
  std::vector<v1::PresenceState> states;
  std::atomic<int> responses = 0;
  WatchOptions options;
  options.user_ids = {"ann"};
  options.on_response = [&responses](auto&) { ++responses; };
  options.on_event = [&](const WatchEvent& event) {
    if (event.kind != WatchEvent::Kind::kChange) return;
    MutexLock lock(mutex);
    states.push_back(event.change.after.state());
    changed.NotifyAll();
  };
  const auto watcher = *Watcher::Start(Channel(), std::move(options));
  server_.Tell(Record("ann", v1::PRESENCE_STATE_ACTIVE, 10));
  {
    MutexLock lock(mutex);
    while (states.empty()) changed.Wait(mutex);
  }
  server_.Tell(Record("ann", v1::PRESENCE_STATE_IDLE, 11));
  MutexLock lock(mutex);
  while (states.size() < 2) changed.Wait(mutex);
  EXPECT_THAT(states,
              ElementsAre(v1::PRESENCE_STATE_ACTIVE, v1::PRESENCE_STATE_IDLE));
  EXPECT_EQ(responses, 2);
}

TEST_F(WatcherTest, WatcherEndsWhenItIsRefused) {
  WatchOptions options;
  options.user_ids = {"ann"};
  const auto watcher = *Watcher::Start(Channel(), std::move(options));
  ASSERT_TRUE(server_.Await([](auto& seen) { return seen.watches == 1; }));
  server_.EndWatches(
      grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "not yours"));
  const auto event = watcher->Next(kPatience);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->kind, WatchEvent::Kind::kEnded);
  EXPECT_EQ(event->error.message, "not yours");
  EXPECT_FALSE(watcher->Next(kPatience).has_value()) << "nothing follows";
}

TEST_F(WatcherTest, WatcherMayBeDestroyedByItsOwnCallback) {
  for (int round = 0; round < 20; ++round) {
    Mutex mutex;
    CondVar gone;
    bool destroyed = false;
    std::unique_ptr<Watcher> watcher;
    WatchOptions options;
    options.user_ids = {"ann"};
    options.on_event = [&](const WatchEvent&) {
      MutexLock lock(mutex);
      watcher.reset();
      destroyed = true;
      gone.NotifyAll();
    };
    server_.Tell(Record("ann", v1::PRESENCE_STATE_ACTIVE, 10));
    MutexLock lock(mutex);
    watcher = *Watcher::Start(Channel(), std::move(options));
    while (!destroyed) gone.Wait(mutex);
  }
}

TEST_F(WatcherTest, WatchOptionsThatCannotBeRightAreRefused) {
  WatchOptions both;
  both.user_ids = {"u1"};
  both.all_users = true;
  EXPECT_FALSE(Watcher::Start(Channel(), both).ok());
  WatchOptions no_state;
  no_state.states = {v1::PRESENCE_STATE_UNSPECIFIED};
  EXPECT_FALSE(Watcher::Start(Channel(), no_state).ok());
  WatchOptions bad_id;
  bad_id.user_ids = {"\xC0\xAF"};
  EXPECT_FALSE(Watcher::Start(Channel(), bad_id).ok());
  WatchOptions never;
  never.progress_interval = Duration::zero();
  EXPECT_FALSE(Watcher::Start(Channel(), never).ok());
}

}  // namespace
}  // namespace lifesign::client
