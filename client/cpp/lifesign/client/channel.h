// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The channel to a Lifesign server, with the settings that suit presence.
#ifndef LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_CHANNEL_H_
#define LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_CHANNEL_H_

#include <grpcpp/channel.h>
#include <grpcpp/security/credentials.h>

#include <chrono>
#include <memory>
#include <string>

namespace lifesign::client {

struct ChannelOptions {
  // Null: plaintext.
  std::shared_ptr<grpc::ChannelCredentials> credentials = nullptr;
  // How often the connection is proven by an HTTP/2 ping while a call is open:
  // at least 10 s (raised to that), 0 for never. A ping wakes a phone's radio;
  // without pings a link that died is noticed at the next beat. Pings are no
  // presence.
  std::chrono::milliseconds keepalive = std::chrono::seconds(30);
};

// A channel to `target` ("host:port", or any name that gRPC resolves).
//
// Each call makes a connection of its own, although gRPC would share one
// between equal channels: a server takes at most 1,000 streams a connection,
// so that a process with more needs to say which stream goes where. Reconnects
// at latest every 10 s, and never measures bandwidth by pings (which would
// answer every beat with one).
//
// Never null; connects with the first call.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target,
                                           const ChannelOptions& options = {});

}  // namespace lifesign::client

#endif  // LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_CHANNEL_H_
