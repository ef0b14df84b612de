// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/ops/config/part_options.h"

#include <limits>
#include <string>

#include "gtest/gtest.h"
#include "server/base/limits.h"
#include "server/ops/config/setting.h"

namespace lifesign {
namespace {

class PartOptionsTest : public ::testing::Test {
 protected:
  PartOptionsTest() { FillDefaults(config_); }

  config::v1::Config config_;
};

TEST_F(PartOptionsTest, DefaultsOfTheConfigurationAreThoseOfTheParts) {
  const ChannelSettings channel = ChannelSettingsOf(config_);
  const ChannelSettings built_in;
  EXPECT_EQ(channel.keepalive_time, built_in.keepalive_time);
  EXPECT_EQ(channel.keepalive_timeout, built_in.keepalive_timeout);
  EXPECT_EQ(channel.min_ping_interval, built_in.min_ping_interval);
  EXPECT_EQ(channel.http2_max_concurrent_streams,
            built_in.http2_max_concurrent_streams);
  EXPECT_EQ(channel.http2_max_concurrent_streams,
            limits::kMaxStreamsPerConnection + limits::kMaxCallsBesideStreams);
  EXPECT_EQ(channel.reflection, built_in.reflection);

  const PresenceRuntime::Options runtime = RuntimeOptionsOf(config_, 2);
  EXPECT_EQ(runtime.policy, Policy());
  EXPECT_EQ(runtime.max_retained_users, limits::kMaxRetainedUsers);
  EXPECT_EQ(runtime.limits.max_sessions_per_user, limits::kMaxSessionsPerUser);
  EXPECT_EQ(runtime.limits.max_sessions_per_stream,
            limits::kMaxSessionsPerStream);
  EXPECT_EQ(runtime.limits.max_streams_per_connection,
            limits::kMaxStreamsPerConnection);
  EXPECT_EQ(runtime.limits.max_watched_users, limits::kMaxWatchedUsers);
  EXPECT_EQ(runtime.limits.max_mailbox_bytes, limits::kMaxMailboxBytes);
  EXPECT_EQ(runtime.limits.max_awaited_users, limits::kMaxAwaitedUsers);

  EXPECT_EQ(TickOf(config_), limits::kDefaultTick);
  EXPECT_EQ(DrainBudgetOf(config_), seconds(30));
}

TEST_F(PartOptionsTest, ZeroChoosesFromTheMachine) {
  EXPECT_EQ(RuntimeOptionsOf(config_, 1).shards, 16);
  EXPECT_EQ(RuntimeOptionsOf(config_, 8).shards, 64);
  EXPECT_EQ(RuntimeOptionsOf(config_, 1'000).shards, 1'024);
  EXPECT_EQ(ListenerOptionsOf(config_, 10'128).max_connections, 5'000);
  EXPECT_EQ(ListenerOptionsOf(config_, 10'128).max_connections_per_address,
            std::numeric_limits<int>::max());
}

TEST_F(PartOptionsTest, WhatIsSetIsTaken) {
  config_.mutable_server()->set_shards(3);
  config_.mutable_server()->set_max_connections(7);
  config_.mutable_server()->set_max_connections_per_address(5);
  config_.mutable_server()->set_memory_quota_mib(1);
  config_.mutable_server()->set_keepalive_timeout("3s");
  config_.mutable_limits()->set_max_sessions_per_user(9);
  config_.mutable_limits()->set_max_awaited_users(7);
  EXPECT_EQ(RuntimeOptionsOf(config_, 2).shards, 3);
  EXPECT_EQ(RuntimeOptionsOf(config_, 2).limits.max_sessions_per_user, 9);
  EXPECT_EQ(RuntimeOptionsOf(config_, 2).limits.max_awaited_users, 7);
  EXPECT_FALSE(RuntimeOptionsOf(config_, 2).may_see_through);
  config_.mutable_server()->set_see_through(true);
  EXPECT_TRUE(RuntimeOptionsOf(config_, 2).may_see_through);
  const Listener::Options listener = ListenerOptionsOf(config_, 10'000);
  EXPECT_EQ(listener.max_connections, 7);
  EXPECT_EQ(listener.max_connections_per_address, 5);
  EXPECT_EQ(listener.unacknowledged_timeout, seconds(3));
  EXPECT_EQ(ChannelSettingsOf(config_).memory_quota_bytes, 1'048'576);
}

TEST_F(PartOptionsTest, LogIsTextForPeopleAndJsonForMachines) {
  const auto format_of = [&](const std::string& format, bool on_terminal,
                             const std::string& file) {
    config_.mutable_log()->set_format(format);
    config_.mutable_log()->set_file(file);
    return LogOptionsOf(config_, on_terminal).format;
  };
  EXPECT_EQ(format_of("auto", true, ""), AsyncLog::Format::kText);
  EXPECT_EQ(format_of("auto", false, ""), AsyncLog::Format::kJson);
  EXPECT_EQ(format_of("auto", true, "log"), AsyncLog::Format::kJson);
  EXPECT_EQ(format_of("text", false, ""), AsyncLog::Format::kText);
  EXPECT_EQ(format_of("json", true, ""), AsyncLog::Format::kJson);
  for (const char* level : {"debug", "info", "warning", "error"}) {
    config_.mutable_log()->set_level(level);
    EXPECT_EQ(LogLevelName(LogOptionsOf(config_, false).min_level), level);
  }
}

}  // namespace
}  // namespace lifesign
