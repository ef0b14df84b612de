// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/channel/channel_settings.h"

#include <grpc/impl/codegen/compression_types.h>
#include <grpc/impl/codegen/grpc_types.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/impl/server_builder_plugin.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/support/channel_arguments.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace lifesign {
namespace {

constexpr char kReflectionPlugin[] = "proto_server_reflection";
constexpr std::int64_t kMemoryIfUnknown = std::int64_t{4} << 30;

int Milliseconds(Duration duration) {
  return static_cast<int>(std::chrono::ceil<milliseconds>(duration).count());
}

class WithoutReflection final : public grpc::ServerBuilderOption {
 public:
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>*
                         plugins) override {
    plugins->erase(
        std::remove_if(plugins->begin(), plugins->end(),
                       [](const std::unique_ptr<grpc::ServerBuilderPlugin>& p) {
                         return p->name() == kReflectionPlugin;
                       }),
        plugins->end());
  }
};

std::int64_t HalfOfTheMemory() {
  const std::int64_t pages = sysconf(_SC_PHYS_PAGES);
  const std::int64_t page_bytes = sysconf(_SC_PAGESIZE);
  const std::int64_t memory =
      pages > 0 && page_bytes > 0 ? pages * page_bytes : kMemoryIfUnknown;
  return memory / 2;
}

}  // namespace

void ApplyChannelSettings(const ChannelSettings& settings,
                          grpc::ServerBuilder& builder) {
  // For the whole process, and read when the server is built.
  grpc::EnableDefaultHealthCheckService(true);

  // Otherwise every message received is answered by a PING to measure the
  // bandwidth, and the PING by its ACK: a phone's radio wakes for each.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS,
                             Milliseconds(settings.keepalive_time));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                             Milliseconds(settings.keepalive_timeout));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // No limit to our own pings on a connection that carries no data.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(
      GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
      Milliseconds(settings.min_ping_interval));
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                             Milliseconds(settings.handshake_timeout));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                             settings.http2_max_concurrent_streams);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE,
                             static_cast<int>(settings.max_metadata_bytes));
  const int max_message = static_cast<int>(settings.max_message_bytes);
  builder.SetMaxReceiveMessageSize(max_message);
  builder.SetMaxSendMessageSize(max_message);
  // gRPC inflates a message whole before it looks how long it is: 4 MiB of
  // nothing but zeros become 4 GiB. What we exchange is small, and not worth
  // compressing.
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);

  grpc::ResourceQuota quota("lifesign");
  quota.Resize(static_cast<std::size_t>(settings.memory_quota_bytes > 0
                                            ? settings.memory_quota_bytes
                                            : HalfOfTheMemory()));
  // Reflection blocks a thread for each of its calls as long as the client
  // likes. Nothing else of ours does.
  quota.SetMaxThreads(limits::kMaxReflectionThreads);
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetResourceQuota(quota);

  // Reflection comes with its library, which this call keeps linked, to every
  // server that does not take it off.
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  if (!settings.reflection) {
    builder.SetOption(std::make_unique<WithoutReflection>());
  }
}

}  // namespace lifesign
