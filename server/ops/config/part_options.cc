// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/ops/config/part_options.h"

#include <algorithm>
#include <limits>

#include "server/base/socket_address.h"
#include "server/ops/config/load_config.h"
#include "server/ops/config/setting.h"
#include "server/transport/listener/descriptor_budget.h"

namespace lifesign {
namespace {

// Enough stripes that two cores seldom meet at one; a stripe costs kilobytes.
constexpr int kShardsPerCore = 8;
constexpr int kMinShards = 16;
constexpr int kMaxShards = 1'024;
constexpr std::int64_t kBytesPerMib = 1 << 20;
constexpr std::size_t kBytesPerKib = 1u << 10;

int OrUnlimited(int limit) {
  return limit > 0 ? limit : std::numeric_limits<int>::max();
}

LogLevel LevelOf(absl::string_view name) {
  for (const LogLevel level :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning}) {
    if (name == LogLevelName(level)) {
      return level;
    }
  }
  return LogLevel::kError;
}

}  // namespace

Listener::Options ListenerOptionsOf(const config::v1::Config& config,
                                    std::int64_t descriptors) {
  const config::v1::Server& server = config.server();
  const int within_descriptors = ConnectionBudget(descriptors);
  return {SocketAddress::Parse(server.listen_address()).value(),
          server.max_connections() > 0 ? server.max_connections()
                                       : within_descriptors,
          OrUnlimited(server.max_connections_per_address()),
          DurationSetting(server.keepalive_timeout())};
}

ChannelSettings ChannelSettingsOf(const config::v1::Config& config) {
  const config::v1::Server& server = config.server();
  ChannelSettings settings;
  settings.keepalive_time = DurationSetting(server.keepalive_time());
  settings.keepalive_timeout = DurationSetting(server.keepalive_timeout());
  settings.min_ping_interval = DurationSetting(server.min_ping_interval());
  settings.http2_max_concurrent_streams =
      ChannelSettings::FarAbove(server.max_streams_per_connection());
  settings.memory_quota_bytes = server.memory_quota_mib() * kBytesPerMib;
  settings.reflection = server.reflection();
  return settings;
}

AsyncLog::Options LogOptionsOf(const config::v1::Config& config,
                               bool on_terminal) {
  const config::v1::Log& log = config.log();
  AsyncLog::Options options;
  const bool text =
      log.format() == "text" ||
      (log.format() == "auto" && on_terminal && log.file().empty());
  options.format = text ? AsyncLog::Format::kText : AsyncLog::Format::kJson;
  options.min_level = LevelOf(log.level());
  options.file = log.file();
  return options;
}

PresenceRuntime::Options RuntimeOptionsOf(const config::v1::Config& config,
                                          int cores) {
  PresenceRuntime::Options options;
  options.policy = PolicyOf(config);
  options.shards =
      config.server().shards() > 0
          ? config.server().shards()
          : std::clamp(cores * kShardsPerCore, kMinShards, kMaxShards);
  options.max_retained_users = config.policy().max_retained_users();
  options.may_see_through = config.server().see_through();
  options.limits.max_sessions_per_user =
      config.limits().max_sessions_per_user();
  options.limits.max_sessions_per_stream =
      config.limits().max_sessions_per_stream();
  options.limits.max_streams_per_connection =
      config.server().max_streams_per_connection();
  options.limits.max_watched_users = config.limits().max_watched_users();
  options.limits.max_mailbox_bytes =
      static_cast<std::size_t>(config.limits().max_mailbox_kib()) *
      kBytesPerKib;
  options.limits.max_awaited_users = config.limits().max_awaited_users();
  return options;
}

Duration TickOf(const config::v1::Config& config) {
  return DurationSetting(config.server().tick());
}

Duration DrainBudgetOf(const config::v1::Config& config) {
  return DurationSetting(config.server().drain_budget());
}

}  // namespace lifesign
