// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What a server takes, and how it lets go: concepts.md §§ 9, 12, 14.

#include <gmock/gmock.h>
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/testing/heartbeat_client.h"
#include "tests/integration/testing/rich_status.h"
#include "tests/integration/testing/test_server.h"
#include "tests/integration/testing/unary_client.h"
#include "tests/integration/testing/watch_client.h"
#include "tests/testing/eventually.h"

namespace lifesign::testing {
namespace {

constexpr auto kActive = v1::SIGNAL_KIND_ACTIVE;

v1::WatchPresenceRequest WatchOf(const std::string& user) {
  v1::WatchPresenceRequest request;
  request.mutable_users()->add_user_ids(user);
  return request;
}

class ServerTest : public ::testing::Test {
 protected:
  SimulatedClock clock_;
  TestServer server_{clock_, {}};
};

// C51.
TEST_F(ServerTest, TheThousandAndFirstStreamOfAConnectionIsRefusedAtOnce) {
  const auto channel = server_.NewChannel();
  const auto stub = v1::PresenceService::NewStub(channel);
  UnaryClient unary(channel);
  struct Stream {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<v1::WatchPresenceResponse>> reader;
  };
  std::vector<std::unique_ptr<Stream>> streams;
  v1::WatchPresenceResponse message;
  while (streams.size() < 1'000) {
    auto& stream = *streams.emplace_back(std::make_unique<Stream>());
    stream.reader = stub->WatchPresence(&stream.context, WatchOf("u1"));
    ASSERT_TRUE(stream.reader->Read(&message)) << streams.size();
    if (streams.size() == 150) unary.Get("u1");
  }
  {
    grpc::ClientContext context;
    auto refused = stub->WatchPresence(&context, WatchOf("u1"));
    EXPECT_FALSE(refused->Read(&message));
    const grpc::Status status = refused->Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(ReasonOf(status), "TOO_MANY_STREAMS");
    EXPECT_TRUE(DetailOf<google::rpc::QuotaFailure>(status).has_value());
  }
  // Unary calls do not count, and another connection is another one.
  unary.Get("u1");
  {
    HeartbeatClient heartbeat(channel);
    EXPECT_EQ(ReasonOf(heartbeat.AwaitEnd()), "TOO_MANY_STREAMS");
  }
  HeartbeatClient elsewhere(server_.NewChannel());
  elsewhere.Open(OpenOf(1, "u1", "s", kActive));
  // One that ends makes room.
  streams.back()->context.TryCancel();
  while (streams.back()->reader->Read(&message)) {
  }
  streams.back()->reader->Finish();
  EXPECT_TRUE(Eventually([&] {
    grpc::ClientContext context;
    auto again = stub->WatchPresence(&context, WatchOf("u1"));
    const bool admitted = again->Read(&message);
    context.TryCancel();
    while (again->Read(&message)) {
    }
    again->Finish();
    return admitted;
  }));
  for (auto& stream : streams) stream->context.TryCancel();
}

// C52.
TEST_F(ServerTest, DrainTellsHeartbeatsThenEndsThemThenWatchesWithTheirToken) {
  constexpr int kClients = 20;
  std::vector<std::unique_ptr<HeartbeatClient>> heartbeats;
  std::vector<std::unique_ptr<WatchClient>> watches;
  for (int i = 0; i < kClients; ++i) {
    const std::string user = absl::StrCat("u", i);
    heartbeats.push_back(
        std::make_unique<HeartbeatClient>(server_.NewChannel()));
    heartbeats.back()->Open(OpenOf(1, user, "s", kActive));
    watches.push_back(
        std::make_unique<WatchClient>(server_.NewChannel(), WatchOf(user)));
    ASSERT_TRUE(watches.back()->AwaitSynced());
  }
  // One watcher never reads, and what it was sent does not fit.
  const auto stuck_stub = v1::PresenceService::NewStub(server_.NewChannel());
  grpc::ClientContext stuck_context;
  v1::WatchPresenceRequest many;
  for (int i = 0; i < 3'000; ++i) {
    many.mutable_users()->add_user_ids(absl::StrCat(std::string(120, 'x'), i));
  }
  const auto stuck = stuck_stub->WatchPresence(&stuck_context, many);
  ASSERT_TRUE(Eventually([&] {
    return server_.runtime().parts().watches.count() == kClients + 1;
  }));

  std::set<std::int64_t> delays;
  server_.runtime().drain().Begin(seconds(30));
  for (auto& heartbeat : heartbeats) {
    v1::Drain drain;
    ASSERT_TRUE(heartbeat->AwaitDrain(drain));
    delays.insert(drain.reconnect_delay().seconds() * 1'000'000'000 +
                  drain.reconnect_delay().nanos());
  }
  EXPECT_EQ(delays.size(), heartbeats.size());
  // Signals are still heard; nothing new is admitted.
  EXPECT_TRUE(heartbeats[0]->Signal(1, kActive).empty());
  {
    HeartbeatClient late(server_.NewChannel());
    const auto status = late.AwaitEnd();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(ReasonOf(status), "DRAINING");
    EXPECT_TRUE(DetailOf<google::rpc::RetryInfo>(status).has_value());
    UnaryClient unary(server_.NewChannel());
    EXPECT_EQ(ReasonOf(unary.Signal("u0", "s", 0, v1::SIGNAL_KIND_LEAVE)),
              "DRAINING");
    EXPECT_EQ(unary.Get("u0").presence().state(), v1::PRESENCE_STATE_ACTIVE);
  }
  // Half of the clients leave by themselves; no watch ends before the rest.
  for (int i = 0; i < kClients / 2; ++i) {
    EXPECT_TRUE(heartbeats[static_cast<std::size_t>(i)]->Finish().ok());
  }
  server_.Advance(milliseconds(9'900));
  for (const auto& watch : watches) EXPECT_FALSE(watch->ended());
  server_.Advance(milliseconds(200));
  for (int i = kClients / 2; i < kClients; ++i) {
    EXPECT_EQ(ReasonOf(heartbeats[static_cast<std::size_t>(i)]->AwaitEnd()),
              "DRAINING");
  }
  for (const auto& watch : watches) {
    const grpc::Status status = watch->AwaitEnd();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(ReasonOf(status), "DRAINING");
    EXPECT_TRUE(DetailOf<google::rpc::RetryInfo>(status).has_value());
    EXPECT_FALSE(watch->messages().back().resume_token().empty());
    EXPECT_TRUE(watch->changes().empty());
  }
  server_.runtime().drain().Await();
  server_.Kill();
  v1::WatchPresenceResponse message;
  while (stuck->Read(&message)) {
  }
  EXPECT_FALSE(stuck->Finish().ok());
}

// A thousand clients that come back at once are one event each at most.
TEST_F(ServerTest, AThousandClientsThatReconnectAtOnceChangeNothing) {
  constexpr int kClients = 1'000;
  constexpr int kConnections = 10;
  v1::WatchPresenceRequest all;
  for (int i = 0; i < kClients; ++i) {
    all.mutable_users()->add_user_ids(absl::StrCat("u", i));
  }
  WatchClient watch(server_.NewChannel(), all);
  ASSERT_TRUE(watch.AwaitSynced());
  const auto connect_all =
      [&](std::vector<std::unique_ptr<HeartbeatClient>>& clients) {
        std::vector<std::shared_ptr<grpc::Channel>> channels;
        for (int c = 0; c < kConnections; ++c) {
          channels.push_back(server_.NewChannel());
        }
        for (int i = 0; i < kClients; ++i) {
          clients.push_back(std::make_unique<HeartbeatClient>(
              channels[static_cast<std::size_t>(i % kConnections)]));
          v1::HeartbeatRequest request;
          *request.add_opens() = OpenOf(1, absl::StrCat("u", i), "s", kActive,
                                        static_cast<std::uint64_t>(i) + 1);
          request.set_answer_now(true);
          clients.back()->Send(request);
        }
        for (auto& client : clients) ASSERT_TRUE(client->AwaitAcked(1));
      };
  std::vector<std::unique_ptr<HeartbeatClient>> before;
  connect_all(before);
  ASSERT_TRUE(watch.Await([](const auto& messages) {
    int changes = 0;
    for (const auto& message : messages) changes += message.changes_size();
    return changes == kClients;
  }));
  server_.Advance(seconds(5));
  before.clear();
  ASSERT_TRUE(Eventually(
      [&] { return server_.runtime().parts().heartbeats.count() == 0; }));
  server_.Advance(seconds(1));
  std::vector<std::unique_ptr<HeartbeatClient>> after;
  connect_all(after);
  for (auto& client : after) {
    EXPECT_TRUE(client->update(1)->opened().resumed());
  }
  server_.Advance(seconds(2));
  EXPECT_EQ(watch.changes().size(), static_cast<std::size_t>(kClients));
}

// § 2: what a frozen process missed counts into nobody's age.
TEST_F(ServerTest, AServerThatWasFrozenLongerThanTheTtlLosesNobody) {
  WatchClient watch(server_.NewChannel(), WatchOf("u1"));
  ASSERT_TRUE(watch.AwaitSynced());
  HeartbeatClient phone(server_.NewChannel());
  phone.Open(OpenOf(1, "u1", "s", kActive));
  server_.Advance(seconds(5));
  // No tick comes for five minutes.
  clock_.Advance(seconds(300));
  phone.Signal(1, kActive);
  server_.Advance(seconds(10));
  EXPECT_EQ(watch.changes().size(), 1u);
}

TEST_F(ServerTest, AServerThatIsStartingSaysSo) {
  server_.runtime().gate().Set(ServingGate::State::kStarting);
  HeartbeatClient early(server_.NewChannel());
  const grpc::Status status = early.AwaitEnd();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(status), "STARTING");
}

// Cancel and deadline at any point: one finish, nothing left behind.
TEST_F(ServerTest, StreamsThatAreBrokenAtAnyPointLeaveNothing) {
  const auto channel = server_.NewChannel();
  const auto stub = v1::PresenceService::NewStub(channel);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        grpc::ClientContext context;
        context.set_deadline(std::chrono::system_clock::now() +
                             std::chrono::microseconds(50 * (i % 40)));
        if (t % 2 == 0) {
          auto stream = stub->Heartbeat(&context);
          v1::HeartbeatRequest request;
          *request.add_opens() =
              OpenOf(1, absl::StrCat("u", i), "s", kActive, 1);
          request.set_answer_now(true);
          stream->Write(request);
          v1::HeartbeatResponse response;
          if (i % 3 == 0) stream->Read(&response);
          context.TryCancel();
          while (stream->Read(&response)) {
          }
          stream->Finish();
        } else {
          auto stream =
              stub->WatchPresence(&context, WatchOf(absl::StrCat("u", i)));
          v1::WatchPresenceResponse response;
          if (i % 3 == 0) stream->Read(&response);
          context.TryCancel();
          while (stream->Read(&response)) {
          }
          stream->Finish();
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(Eventually([&] {
    return server_.runtime().parts().heartbeats.count() == 0 &&
           server_.runtime().parts().watches.count() == 0;
  }));
}

}  // namespace
}  // namespace lifesign::testing
