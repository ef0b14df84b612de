// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What each part of the server is started with, as the configuration says.
//
// REQUIRES, of all: an effective configuration (ReadCommandLine's).
#ifndef LIFESIGN_SERVER_OPS_CONFIG_PART_OPTIONS_H_
#define LIFESIGN_SERVER_OPS_CONFIG_PART_OPTIONS_H_

#include <cstdint>

#include "lifesign/config/v1/config.pb.h"
#include "server/ops/logging/async_log.h"
#include "server/transport/channel/channel_settings.h"
#include "server/transport/listener/listener.h"
#include "server/transport/presence_runtime.h"

namespace lifesign {

// Without a limit of connections of its own, as many as `descriptors` (see
// RaiseDescriptorLimit) has room for.
Listener::Options ListenerOptionsOf(const config::v1::Config& config,
                                    std::int64_t descriptors);

ChannelSettings ChannelSettingsOf(const config::v1::Config& config);

// Format auto is text if `on_terminal` says that standard error is one and no
// file is named.
AsyncLog::Options LogOptionsOf(const config::v1::Config& config,
                               bool on_terminal);

// Without a number of shards, one chosen for `cores`. The epoch and the seed
// are the caller's.
PresenceRuntime::Options RuntimeOptionsOf(const config::v1::Config& config,
                                          int cores);

Duration TickOf(const config::v1::Config& config);
Duration DrainBudgetOf(const config::v1::Config& config);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_OPS_CONFIG_PART_OPTIONS_H_
