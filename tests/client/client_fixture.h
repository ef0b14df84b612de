// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The clients over real gRPC on loopback, against a scripted server. What they
// decide is proven in simulated time by the other tests of this folder; these
// prove that it is carried out.
#ifndef LIFESIGN_TESTS_CLIENT_CLIENT_FIXTURE_H_
#define LIFESIGN_TESTS_CLIENT_CLIENT_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "lifesign/client/channel.h"
#include "lifesign/client/session.h"
#include "tests/client/scripted_server.h"

namespace lifesign::client {

// A test that passes does not wait for it.
constexpr Duration kPatience = seconds(30);

inline bool Connected(const SessionStatus& status) {
  return status.link == Link::kConnected && !status.unconfirmed;
}
inline bool Ended(const SessionStatus& status) {
  return status.link == Link::kEnded;
}

class ClientTest : public testing::Test {
 protected:
  std::shared_ptr<grpc::Channel> Channel() {
    return MakeChannel(server_.address());
  }
  std::unique_ptr<Session> Open(SessionOptions options = {}) {
    auto session =
        Session::Open(Channel(), {.user_id = "ann", .session_id = "laptop"},
                      std::move(options));
    EXPECT_TRUE(session.ok()) << session.status();
    return *std::move(session);
  }

  ScriptedServer server_;
};

}  // namespace lifesign::client

#endif  // LIFESIGN_TESTS_CLIENT_CLIENT_FIXTURE_H_
