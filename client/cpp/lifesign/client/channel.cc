// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "lifesign/client/channel.h"

#include <grpc/impl/codegen/compression_types.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>

namespace lifesign::client {
namespace {

using std::chrono::milliseconds;

// Servers tolerate pings this often.
constexpr milliseconds kShortestKeepalive = std::chrono::seconds(10);
// A ping unanswered for this long, or data that the peer's kernel does not
// take, ends the connection.
constexpr milliseconds kKeepaliveTimeout = std::chrono::seconds(10);
// gRPC's own 120 s outlasts any grace that a server gives.
constexpr milliseconds kLongestReconnectWait = std::chrono::seconds(10);
// gRPC's name for it is "min reconnect backoff": how long one attempt to
// connect may take. Its own 20 s is longer than we wait for an answer.
constexpr milliseconds kConnectTimeout = std::chrono::seconds(10);

int Millis(milliseconds time) { return static_cast<int>(time.count()); }

}  // namespace

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target,
                                           const ChannelOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS,
                   Millis(kLongestReconnectWait));
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, Millis(kConnectTimeout));
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  // Uncompressed only, as the server: a few compressed bytes may become
  // gigabytes before any limit is looked at.
  arguments.SetInt(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET,
                   1 << GRPC_COMPRESS_NONE);
  // A stream is repeated by us, with what is true then, not by gRPC with what
  // it has kept.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  if (options.keepalive > milliseconds::zero()) {
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS,
                     Millis(std::max(options.keepalive, kShortestKeepalive)));
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Millis(kKeepaliveTimeout));
    // Else gRPC stops after two pings on a stream without data: a quiet watch.
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  }
  return grpc::CreateCustomChannel(target,
                                   options.credentials != nullptr
                                       ? options.credentials
                                       : grpc::InsecureChannelCredentials(),
                                   arguments);
}

}  // namespace lifesign::client
