// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// GatewayStream over real gRPC.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "lifesign/client/gateway_stream.h"
#include "tests/client/client_fixture.h"

namespace lifesign::client {
namespace {

using std::chrono::milliseconds;
using testing::SizeIs;

class GatewayStreamTest : public ClientTest {};

TEST_F(GatewayStreamTest, GatewayCarriesThousandsOfSessionsInFewMessages) {
  std::atomic<int> told = 0;
  GatewayOptions options;
  options.on_session = [&told](Handle, const SessionStatus&) { ++told; };
  const auto gateway = GatewayStream::Make(Channel(), std::move(options));
  std::vector<Handle> handles;
  for (int i = 0; i < 5'000; ++i) {
    const auto handle = gateway->Open(
        {.user_id = "user" + std::to_string(i), .session_id = "tab"});
    ASSERT_TRUE(handle.ok());
    handles.push_back(*handle);
  }
  ASSERT_TRUE(gateway->AwaitSettled(kPatience));
  EXPECT_THAT(server_.seen().opens, SizeIs(5'000));
  EXPECT_LT(server_.seen().messages, 2'500);
  for (const Handle handle : handles) {
    gateway->Signal(handle, Lifecycle::kBackground);
  }
  ASSERT_TRUE(gateway->AwaitSettled(kPatience));
  EXPECT_THAT(server_.seen().signals, SizeIs(5'000));

  server_.BreakStreams();
  ASSERT_TRUE(
      server_.Await([](auto& seen) { return seen.ended_streams == 1; }));
  while (gateway->link() != Link::kConnected) gateway->OnNetworkChange();
  ASSERT_TRUE(gateway->AwaitSettled(kPatience));
  EXPECT_THAT(server_.seen().opens, SizeIs(10'000));

  for (const Handle handle : handles) gateway->Leave(handle);
  ASSERT_TRUE(gateway->AwaitSettled(kPatience));
  EXPECT_EQ(gateway->size(), 0u);
  EXPECT_GE(told, 5'000);
}

TEST_F(GatewayStreamTest, GatewayForgetsASessionWhoseEndWasTold) {
  Mutex mutex;
  CondVar changed;
  absl::optional<SessionEnd> end;
  GatewayOptions options;
  options.on_session = [&](Handle, const SessionStatus& status) {
    MutexLock lock(mutex);
    if (status.end == SessionEnd::kNotEnded) return;
    end = status.end;
    changed.NotifyAll();
  };
  const auto gateway = GatewayStream::Make(Channel(), std::move(options));
  const Handle handle = *gateway->Open({.user_id = "ann", .session_id = "tab"});
  ASSERT_TRUE(gateway->AwaitSettled(kPatience));
  gateway->Detach(handle);
  {
    MutexLock lock(mutex);
    while (!end.has_value()) changed.Wait(mutex);
    EXPECT_EQ(end, SessionEnd::kDetached);
  }
  EXPECT_FALSE(gateway->status(handle).has_value());
  EXPECT_EQ(*gateway->Open({.user_id = "bob", .session_id = "tab"}), handle);
}

TEST_F(GatewayStreamTest, GatewayOfTheSecondKindBeatsByItself) {
  server_.Promise(milliseconds(50));
  GatewayOptions options;
  options.beats = Beats::kByStream;
  const auto gateway = GatewayStream::Make(Channel(), std::move(options));
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(
        gateway->Open({.user_id = std::to_string(i), .session_id = "tab"})
            .ok());
  }
  EXPECT_TRUE(
      server_.Await([](auto& seen) { return seen.signals.size() > 100; }));
}

}  // namespace
}  // namespace lifesign::client
