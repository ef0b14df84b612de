// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Watches over real gRPC: concepts.md § 9.

#include <gmock/gmock.h>
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/testing/heartbeat_client.h"
#include "tests/integration/testing/rich_status.h"
#include "tests/integration/testing/test_server.h"
#include "tests/integration/testing/watch_client.h"
#include "tests/testing/eventually.h"

namespace lifesign::testing {
namespace {

v1::WatchPresenceRequest WatchOf(const std::vector<std::string>& users) {
  v1::WatchPresenceRequest request;
  request.mutable_users();
  for (const auto& user : users) request.mutable_users()->add_user_ids(user);
  return request;
}

// Ids so long that a thousand of them do not fit what the transport takes from
// a client that does not read.
std::vector<std::string> LongIds(int count) {
  std::vector<std::string> users;
  for (int i = 0; i < count; ++i) {
    users.push_back(absl::StrCat(std::string(120, 'u'), i));
  }
  return users;
}

// What a receiver that follows the rules holds, and whether it was ever told
// something twice or in the wrong order.
class Receiver {
 public:
  void Take(const v1::WatchPresenceResponse& message) {
    for (const auto& record : message.snapshot()) Take(record);
    for (const auto& record : message.changes()) Take(record);
  }
  v1::PresenceState state() const { return state_; }
  int told() const { return told_; }
  bool orderly() const { return orderly_; }

 private:
  void Take(const v1::PresenceRecord& record) {
    orderly_ = orderly_ && (told_ == 0 || (record.revision() > revision_ &&
                                           record.state() != state_));
    revision_ = record.revision();
    state_ = record.state();
    ++told_;
  }

  std::uint64_t revision_ = 0;
  v1::PresenceState state_ = v1::PRESENCE_STATE_UNSPECIFIED;
  int told_ = 0;
  bool orderly_ = true;
};

class WatchTest : public ::testing::Test {
 protected:
  SimulatedClock clock_;
  TestServer server_{clock_, {}};
};

// C37 (a): no gap and no duplicate between snapshot and changes.
TEST_F(WatchTest, TheLastThingSeenIsOfflineToldOnceWheneverTheLeaveComes) {
  constexpr int kRounds = 10'000;
  const auto stub = v1::PresenceService::NewStub(server_.NewChannel());
  HeartbeatClient sessions(server_.NewChannel());
  int in_snapshot = 0;
  for (int round = 0; round < kRounds; ++round) {
    const std::string user = absl::StrCat("u", round);
    sessions.Open(OpenOf(1, user, "s", v1::SIGNAL_KIND_ACTIVE));
    // The watch and the LEAVE race.
    v1::HeartbeatRequest leave;
    *leave.add_signals() = SignalOf(1, v1::SIGNAL_KIND_LEAVE);
    if (round % 2 == 0) sessions.Send(leave);
    grpc::ClientContext context;
    auto watch = stub->WatchPresence(&context, WatchOf({user}));
    if (round % 2 == 1) sessions.Send(leave);
    Receiver receiver;
    v1::WatchPresenceResponse message;
    while (receiver.state() != v1::PRESENCE_STATE_OFFLINE &&
           watch->Read(&message)) {
      receiver.Take(message);
    }
    ASSERT_EQ(receiver.state(), v1::PRESENCE_STATE_OFFLINE) << round;
    ASSERT_TRUE(receiver.orderly()) << round;
    in_snapshot += receiver.told() == 1;
    // What came with the last message, and nothing after it, is the end: the
    // user is not heard of again.
    context.TryCancel();
    while (watch->Read(&message)) receiver.Take(message);
    ASSERT_TRUE(receiver.orderly()) << round;
    watch->Finish();
  }
  // The race was one.
  EXPECT_GT(in_snapshot, 0);
  EXPECT_LT(in_snapshot, kRounds);
}

// C37 (b).
TEST_F(WatchTest, AWatchEvaluatesItsUsersLikeARead) {
  HeartbeatClient phone(server_.NewChannel());
  phone.Open(OpenOf(1, "u1", "s1", v1::SIGNAL_KIND_ACTIVE));
  server_.Advance(milliseconds(15'050));
  WatchClient watch(server_.NewChannel(), WatchOf({"u1"}));
  ASSERT_TRUE(watch.AwaitSynced());
  ASSERT_EQ(watch.snapshot().size(), 1u);
  EXPECT_EQ(watch.snapshot()[0].state(), v1::PRESENCE_STATE_IDLE);
  server_.Advance(milliseconds(150));
  phone.Signal(1, v1::SIGNAL_KIND_ACTIVE);
  ASSERT_TRUE(watch.AwaitChange("u1", v1::PRESENCE_STATE_ACTIVE));
  EXPECT_GT(watch.changes()[0].revision(), watch.snapshot()[0].revision());
  for (int i = 0; i < 5; ++i) {
    server_.Advance(seconds(10));
    phone.Signal(1, v1::SIGNAL_KIND_ACTIVE);
  }
  EXPECT_EQ(watch.changes().size(), 1u);
}

// Many users change on many streams while they are being watched: every
// watcher ends with what is true, and saw each user's revisions rise.
TEST_F(WatchTest, ConcurrentChangesReachEveryWatcherOnceAndInOrder) {
  constexpr int kThreads = 3;
  constexpr int kUsers = 300;
  constexpr int kRounds = 30;
  std::vector<std::string> users;
  for (int i = 0; i < kUsers; ++i) users.push_back(absl::StrCat("u", i));

  std::atomic<bool> orderly{true};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      HeartbeatClient gateway(server_.NewChannel());
      for (int round = 0; round <= kRounds; ++round) {
        v1::HeartbeatRequest request;
        for (int i = t; i < kUsers; i += kThreads) {
          const auto handle = static_cast<std::uint32_t>(i + 1);
          *request.add_opens() =
              OpenOf(handle, users[static_cast<std::size_t>(i)], "s",
                     v1::SIGNAL_KIND_ACTIVE);
          // In the last round everybody stays.
          if (round < kRounds) {
            *request.add_signals() = SignalOf(handle, v1::SIGNAL_KIND_LEAVE);
          }
        }
        gateway.Ask(request);
      }
      gateway.Finish();
    });
  }
  std::vector<std::unique_ptr<WatchClient>> watches;
  for (int w = 0; w < 8; ++w) {
    watches.push_back(
        std::make_unique<WatchClient>(server_.NewChannel(), WatchOf(users)));
    ASSERT_TRUE(watches.back()->AwaitSynced());
  }
  for (auto& thread : threads) thread.join();
  for (const auto& watch : watches) {
    const bool complete = watch->Await([&](const auto& messages) {
      std::map<std::string, v1::PresenceRecord> held;
      for (const auto& message : messages) {
        for (const auto* list : {&message.snapshot(), &message.changes()}) {
          for (const auto& record : *list) {
            auto& mine = held[record.user_id()];
            if (mine.revision() != 0 && record.revision() <= mine.revision()) {
              orderly = false;
            }
            mine = record;
          }
        }
      }
      for (const auto& [user, record] : held) {
        if (record.state() != v1::PRESENCE_STATE_ACTIVE) return false;
      }
      return held.size() == users.size();
    });
    EXPECT_TRUE(complete);
  }
  EXPECT_TRUE(orderly);
}

// C45: one that does not read costs nobody else.
TEST_F(WatchTest, AWatcherThatNeverReadsHoldsUpNobody) {
  const auto stuck_stub = v1::PresenceService::NewStub(server_.NewChannel());
  grpc::ClientContext context;
  const auto ids = LongIds(1'000);
  auto stuck = stuck_stub->WatchPresence(&context, WatchOf(ids));
  std::vector<std::unique_ptr<WatchClient>> others;
  for (int i = 0; i < 9; ++i) {
    others.push_back(
        std::make_unique<WatchClient>(server_.NewChannel(), WatchOf({ids[0]})));
    ASSERT_TRUE(others.back()->AwaitSynced());
  }
  HeartbeatClient phone(server_.NewChannel());
  for (int i = 0; i < 500; ++i) {
    phone.Open(OpenOf(1, ids[0], "s", v1::SIGNAL_KIND_ACTIVE));
    phone.Signal(1, v1::SIGNAL_KIND_LEAVE);
  }
  phone.Open(OpenOf(1, ids[0], "s", v1::SIGNAL_KIND_ACTIVE));
  for (const auto& other : others) {
    EXPECT_TRUE(other->Await([&](const auto& messages) {
      for (const auto& message : messages) {
        if (message.changes_size() == 0) continue;
      }
      const auto& last = messages.back();
      return last.changes_size() > 0 &&
             last.changes(last.changes_size() - 1).state() ==
                 v1::PRESENCE_STATE_ACTIVE;
    }));
  }
  // Five minutes later it is finished; it reads again, and learns why.
  server_.Advance(seconds(301));
  v1::WatchPresenceResponse message;
  while (stuck->Read(&message)) {
  }
  const grpc::Status status = stuck->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(status), "SLOW_CONSUMER");
}

// C45: and if it does not read again within a minute, the call is cut.
TEST_F(WatchTest, ASlowConsumerThatStaysSilentIsCut) {
  const auto stub = v1::PresenceService::NewStub(server_.NewChannel());
  grpc::ClientContext context;
  auto stuck = stub->WatchPresence(&context, WatchOf(LongIds(3'000)));
  ASSERT_TRUE(Eventually(
      [&] { return server_.runtime().parts().watches.count() == 1; }));
  server_.Advance(seconds(300));
  ASSERT_TRUE(Eventually([&] {
    server_.Advance(milliseconds(100));
    return server_.runtime().parts().watches.count() == 0;
  }));
  server_.Advance(seconds(61));
  v1::WatchPresenceResponse message;
  int messages = 0;
  while (stuck->Read(&message)) ++messages;
  EXPECT_LT(messages, 3);
  EXPECT_FALSE(stuck->Finish().ok());
}

TEST_F(WatchTest, InvalidRequestsAreRefusedWithTheField) {
  const auto status_of = [&](const v1::WatchPresenceRequest& request) {
    WatchClient watch(server_.NewChannel(), request);
    return watch.AwaitEnd();
  };
  grpc::Status status = status_of({});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(FieldsOf(status), std::vector<std::string>{"selector"});
  status = status_of(WatchOf({"u1", "a\nb"}));
  EXPECT_EQ(FieldsOf(status), std::vector<std::string>{"users.user_ids[1]"});
  auto request = WatchOf({"u1"});
  request.set_tenant("another");
  status = status_of(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(ReasonOf(status), "TENANT_DENIED");
  request = WatchOf({"u1"});
  request.set_resume_token("nonsense");
  EXPECT_EQ(ReasonOf(status_of(request)), "INVALID_RESUME_TOKEN");
}

// C43 (a).
TEST_F(WatchTest, AfterARestartWithAnEarlierClockAWatchResumes) {
  std::string token;
  {
    WatchClient before(server_.NewChannel(), WatchOf({"u1", "u2"}));
    ASSERT_TRUE(before.AwaitSynced());
    HeartbeatClient phone(server_.NewChannel());
    phone.Open(OpenOf(1, "u1", "s", v1::SIGNAL_KIND_ACTIVE));
    ASSERT_TRUE(before.AwaitChange("u1", v1::PRESENCE_STATE_ACTIVE));
    token = before.token();
  }
  server_.Kill();
  clock_.JumpWall(-hours(1));
  TestServer next(clock_, {});
  auto request = WatchOf({"u1", "u2"});
  request.set_resume_token(token);
  WatchClient watch(next.NewChannel(), request);
  ASSERT_TRUE(watch.Await([](const auto& all) { return !all.empty(); }));
  EXPECT_EQ(watch.messages()[0].resync().reason(),
            v1::RESYNC_REASON_OTHER_EPOCH);
  EXPECT_EQ(watch.snapshot().size(), 0u);
  next.Advance(seconds(10));
  HeartbeatClient phone(next.NewChannel());
  phone.Open(OpenOf(1, "u1", "s", v1::SIGNAL_KIND_ACTIVE));
  ASSERT_TRUE(watch.AwaitChange("u1", v1::PRESENCE_STATE_ACTIVE));
  next.Advance(milliseconds(70'900));
  for (const auto& message : watch.messages()) {
    EXPECT_FALSE(message.has_synced());
  }
  next.Advance(milliseconds(100));
  ASSERT_TRUE(watch.AwaitSynced());
  ASSERT_EQ(watch.snapshot().size(), 1u);
  EXPECT_EQ(watch.snapshot()[0].user_id(), "u2");
}

// C39, over the wire.
TEST_F(WatchTest, FollowersAddAndRemoveUsersOnTheirStream) {
  HeartbeatClient phone(server_.NewChannel());
  phone.Open(OpenOf(1, "u2", "s1", v1::SIGNAL_KIND_ACTIVE));
  const auto stub = v1::PresenceService::NewStub(server_.NewChannel());
  grpc::ClientContext context;
  auto stream = stub->FollowPresence(&context);
  v1::FollowPresenceRequest request;
  *request.mutable_watch() = WatchOf({"u1"});
  ASSERT_TRUE(stream->Write(request));
  v1::WatchPresenceResponse message;
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_EQ(message.snapshot_size(), 1);
  EXPECT_EQ(message.acked(), 1u);
  request.Clear();
  request.mutable_add()->add_user_ids("u2");
  request.mutable_remove()->add_user_ids("u1");
  ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(stream->Read(&message));
  ASSERT_EQ(message.snapshot_size(), 1);
  EXPECT_EQ(message.snapshot(0).user_id(), "u2");
  EXPECT_EQ(message.snapshot(0).state(), v1::PRESENCE_STATE_ACTIVE);
  EXPECT_EQ(message.acked(), 2u);
  phone.Open(OpenOf(2, "u1", "s1", v1::SIGNAL_KIND_ACTIVE));
  phone.Signal(1, v1::SIGNAL_KIND_LEAVE);
  ASSERT_TRUE(stream->Read(&message));
  ASSERT_EQ(message.changes_size(), 1);
  EXPECT_EQ(message.changes(0).user_id(), "u2");
  EXPECT_EQ(message.changes(0).state(), v1::PRESENCE_STATE_OFFLINE);
  context.TryCancel();
  while (stream->Read(&message)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

}  // namespace
}  // namespace lifesign::testing
