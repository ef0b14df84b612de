// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// How connections of the server behave below our protocol. Each default is
// there because gRPC's own does harm; the tests show the harm.
#ifndef LIFESIGN_SERVER_TRANSPORT_CHANNEL_CHANNEL_SETTINGS_H_
#define LIFESIGN_SERVER_TRANSPORT_CHANNEL_CHANNEL_SETTINGS_H_

#include <grpcpp/server_builder.h>

#include <cstddef>
#include <cstdint>

#include "server/base/limits.h"
#include "server/base/time.h"

namespace lifesign {

struct ChannelSettings {
  // Silence of a connection, also of one without calls, after which it is
  // pinged, and how long it may take to answer. With gRPC's default of two
  // hours a dead peer to which nothing is sent stays for hours. Give the
  // timeout to the listener, too: a peer whose kernel takes nothing is cut
  // after it.
  Duration keepalive_time = seconds(75);
  Duration keepalive_timeout = seconds(20);
  // The shortest time between two pings of a client. gRPC's default of five
  // minutes ends a silent watch whose client pings every ten seconds ("Too many
  // pings").
  Duration min_ping_interval = seconds(9);
  // A connection that has not spoken HTTP/2 (and TLS) by then is closed.
  Duration handshake_timeout = seconds(20);
  // What HTTP/2 allows. Far above our own limit of streams: beyond this one,
  // calls hang in the client without an error or a trace. No further, because
  // a call whose request never comes is held as long as its connection is.
  static constexpr int FarAbove(int streams) {
    return streams + limits::kMaxCallsBesideStreams;
  }
  int http2_max_concurrent_streams = FarAbove(limits::kMaxStreamsPerConnection);
  std::size_t max_message_bytes = limits::kMaxMessageBytes;
  std::size_t max_metadata_bytes = limits::kMaxCallMetadataBytes;
  // Memory that all connections may take for what is in transit. Past it gRPC
  // refuses connections and cancels calls at random: the last line, to be set
  // at twice what our own admission allows. 0: half of the machine's memory.
  std::int64_t memory_quota_bytes = 0;
  // Whether tools may ask for the services (gRPC reflection).
  bool reflection = true;
};

// Applies `settings` to the server that `builder` builds, and gives it the
// standard health service (grpc.health.v1), which says SERVING from the start:
// use server/ops/health before connections are accepted.
void ApplyChannelSettings(const ChannelSettings& settings,
                          grpc::ServerBuilder& builder);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_CHANNEL_CHANNEL_SETTINGS_H_
