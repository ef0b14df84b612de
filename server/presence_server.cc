// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/presence_server.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <limits>
#include <random>
#include <thread>
#include <utility>

#include "server/base/log.h"
#include "server/ops/config/load_config.h"
#include "server/ops/config/setting.h"
#include "server/transport/channel/channel_settings.h"
#include "server/transport/listener/descriptor_budget.h"
#include "server/transport/listener/grpc_acceptor.h"

namespace lifesign {
namespace {

constexpr unsigned kShardsPerCore = 8;
constexpr unsigned kFewestShards = 16;
constexpr unsigned kMostShards = 4'096;

int ShardsOf(const config::v1::Server& config) {
  const unsigned wanted =
      config.shards() > 0
          ? static_cast<unsigned>(config.shards())
          : std::max(kShardsPerCore * std::thread::hardware_concurrency(),
                     kFewestShards);
  return static_cast<int>(std::min(std::bit_ceil(wanted), kMostShards));
}

PresenceRuntime::Options RuntimeOptions(const config::v1::Config& config) {
  PresenceRuntime::Options options;
  options.policy = PolicyOf(config);
  options.shards = ShardsOf(config.server());
  options.max_retained_users = config.policy().max_retained_users();
  options.limits.max_sessions_per_user =
      config.limits().max_sessions_per_user();
  options.limits.max_sessions_per_stream =
      config.limits().max_sessions_per_stream();
  options.limits.max_streams_per_connection =
      config.server().max_streams_per_connection();
  std::random_device device;
  options.seed = std::uint64_t{device()} << 32 | device();
  return options;
}

Listener::Options ListenerOptions(const config::v1::Server& config,
                                  const SocketAddress& address) {
  const auto or_all = [](int setting, int all) {
    return setting > 0 ? setting : all;
  };
  return {address,
          or_all(config.max_connections(),
                 ConnectionBudget(RaiseDescriptorLimit())),
          or_all(config.max_connections_per_address(),
                 std::numeric_limits<int>::max()),
          DurationSetting(config.keepalive_timeout())};
}

ChannelSettings ChannelSettingsOf(const config::v1::Server& config) {
  ChannelSettings settings;
  settings.keepalive_time = DurationSetting(config.keepalive_time());
  settings.keepalive_timeout = DurationSetting(config.keepalive_timeout());
  settings.min_ping_interval = DurationSetting(config.min_ping_interval());
  settings.http2_max_concurrent_streams =
      100 * config.max_streams_per_connection();
  settings.memory_quota_bytes = config.memory_quota_mib() > 0
                                    ? std::int64_t{config.memory_quota_mib()}
                                          << 20
                                    : DefaultMemoryQuotaBytes();
  settings.reflection = config.reflection();
  return settings;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PresenceServer>> PresenceServer::Start(
    const config::v1::Config& config, const Clock& clock) {
  const auto address = SocketAddress::Parse(config.server().listen_address());
  if (!address.ok()) return address.status();
  auto listener =
      Listener::Bind(ListenerOptions(config.server(), *address), clock);
  if (!listener.ok()) return listener.status();
  return std::unique_ptr<PresenceServer>(
      new PresenceServer(config, clock, *std::move(listener)));
}

PresenceServer::PresenceServer(const config::v1::Config& config,
                               const Clock& clock,
                               std::unique_ptr<Listener> listener)
    : clock_(clock),
      listener_(std::move(listener)),
      runtime_(RuntimeOptions(config), clock) {
  grpc::ServerBuilder builder;
  ApplyChannelSettings(ChannelSettingsOf(config.server()), builder);
  builder.RegisterService(&runtime_.service());
  auto hand_over = AddAcceptor(builder, grpc::InsecureServerCredentials());
  server_ = builder.BuildAndStart();
  health_.emplace(*server_);
  self_call_.emplace(*server_, clock_);
  ticker_.emplace(clock_, DurationSetting(config.server().tick()),
                  [this] { Tick(); });
  runtime_.gate().Set(ServingGate::State::kServing);
  health_->SetServing(true);
  listener_->Start(std::move(hand_over));
}

PresenceServer::~PresenceServer() {
  if (server_ != nullptr) Shutdown(Duration(0));
}

void PresenceServer::Tick() {
  runtime_.Tick();
  self_call_->Poke(clock_.RealNow());
}

bool PresenceServer::Shutdown(Duration budget) {
  const RealTime end = clock_.RealNow() + budget;
  health_->SetServing(false);
  listener_->StopAccepting();
  runtime_.drain().Begin(budget);
  runtime_.drain().Await();
  self_call_->Stop();
  // What is left of the budget is for clients to take what they were told.
  const Duration left = std::max(end - clock_.RealNow(), Duration(0));
  server_->Shutdown(std::chrono::system_clock::now() + left);
  server_->Wait();
  const bool in_time = clock_.RealNow() < end;
  ticker_.reset();
  self_call_.reset();
  health_.reset();
  server_.reset();
  return in_time;
}

}  // namespace lifesign
