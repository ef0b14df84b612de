// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Whoever holds the last channel of a process, the process lives.
#include <gtest/gtest.h>

#include <memory>

#include "lifesign/client/channel.h"
#include "lifesign/client/session.h"
#include "tests/client/scripted_server.h"

namespace lifesign::client {
namespace {

// gRPC joins the threads of its callbacks with the last channel: when that went
// at the end of a call, on one of these threads, it aborted the process, in one
// of ten.
TEST(LastChannelTest, MayGoWhileItsCallsEnd) {
  ScriptedServer server;
  constexpr int kTimes = 1000;
  for (int i = 0; i < kTimes; ++i) {
    auto session =
        Session::Open(MakeChannel(server.address()),
                      {.user_id = "ann", .session_id = "laptop"}, {});
    ASSERT_TRUE(session.ok());
    ASSERT_TRUE((*session)->Await(
        [](const SessionStatus& status) {
          return status.link == Link::kConnected;
        },
        std::chrono::seconds(30)));
  }
}

}  // namespace
}  // namespace lifesign::client
