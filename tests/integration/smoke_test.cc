// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The whole way of a signal, over real gRPC.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/testing/heartbeat_client.h"
#include "tests/integration/testing/test_server.h"
#include "tests/integration/testing/watch_client.h"

namespace lifesign::testing {
namespace {

TEST(Smoke, ASignalReachesAWatcherAndEveryRead) {
  SimulatedClock clock;
  TestServer server(clock, {});
  v1::WatchPresenceRequest request;
  request.mutable_users()->add_user_ids("u1");
  WatchClient watch(server.NewChannel(), request);
  ASSERT_TRUE(watch.AwaitSynced());
  ASSERT_EQ(watch.snapshot().size(), 1u);
  EXPECT_EQ(watch.snapshot()[0].state(), v1::PRESENCE_STATE_OFFLINE);

  HeartbeatClient phone(server.NewChannel());
  const auto update =
      phone.Open(OpenOf(1, "u1", "phone", v1::SIGNAL_KIND_ACTIVE));
  EXPECT_EQ(update.state(), v1::PRESENCE_STATE_ACTIVE);
  EXPECT_EQ(update.next_interval().seconds(), 10);
  EXPECT_FALSE(update.opened().resumed());
  EXPECT_TRUE(watch.AwaitChange("u1", v1::PRESENCE_STATE_ACTIVE));

  server.Advance(milliseconds(15'100));
  EXPECT_TRUE(watch.AwaitChange("u1", v1::PRESENCE_STATE_IDLE));
  EXPECT_TRUE(phone.Signal(1, v1::SIGNAL_KIND_LEAVE).empty());
  EXPECT_TRUE(watch.AwaitChange("u1", v1::PRESENCE_STATE_OFFLINE));
  EXPECT_EQ(watch.changes().size(), 3u);
  EXPECT_TRUE(phone.Finish().ok());

  const auto stub = v1::PresenceService::NewStub(server.NewChannel());
  {
    grpc::ClientContext context;
    v1::GetPresenceRequest get;
    get.set_user_id("u1");
    v1::GetPresenceResponse answer;
    ASSERT_TRUE(stub->GetPresence(&context, get, &answer).ok());
    EXPECT_EQ(answer.presence().state(), v1::PRESENCE_STATE_OFFLINE);
    EXPECT_EQ(answer.presence().revision(), watch.changes()[2].revision());
    EXPECT_TRUE(answer.has_read_time());
    EXPECT_TRUE(answer.has_reconverging_until());
  }
  {
    grpc::ClientContext context;
    v1::SendSignalRequest open;
    open.set_user_id("u2");
    open.set_session_id("tab");
    open.mutable_open();
    open.set_kind(v1::SIGNAL_KIND_ACTIVE);
    v1::SendSignalResponse answer;
    ASSERT_TRUE(stub->SendSignal(&context, open, &answer).ok());
    EXPECT_EQ(answer.state(), v1::PRESENCE_STATE_ACTIVE);
    EXPECT_GT(answer.attachment(), 0u);
  }
  {
    grpc::ClientContext context;
    v1::ListSessionsRequest list;
    list.set_user_id("u2");
    v1::ListSessionsResponse answer;
    ASSERT_TRUE(stub->ListSessions(&context, list, &answer).ok());
    ASSERT_EQ(answer.sessions_size(), 1);
    EXPECT_EQ(answer.sessions(0).session_id(), "tab");
  }
}

}  // namespace
}  // namespace lifesign::testing
