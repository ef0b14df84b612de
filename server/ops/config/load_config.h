// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// From what was written to a configuration that may be used.
#ifndef LIFESIGN_SERVER_OPS_CONFIG_LOAD_CONFIG_H_
#define LIFESIGN_SERVER_OPS_CONFIG_LOAD_CONFIG_H_

#include <string>
#include <vector>

#include "lifesign/config/v1/config.pb.h"
#include "server/core/policy/policy.h"
#include "server/ops/config/config_document.h"

namespace lifesign {

// Every way in which `document` is not a configuration that may be used: each
// value by itself, then what must hold between them (the relations of a policy,
// and that a server beyond loopback was allowed). Empty: it may be used.
std::vector<ConfigError> CheckConfig(const ConfigDocument& document);

// What `document` says, with the defaults of all it does not say. REQUIRES:
// CheckConfig found nothing.
config::v1::Config EffectiveConfig(const ConfigDocument& document);

// `config` as a file that, given to --config, means the same.
std::string ConfigText(const config::v1::Config& config);

// The policy of the core, scaled as policy.time_scale_percent says. REQUIRES:
// an effective configuration.
Policy PolicyOf(const config::v1::Config& config);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_OPS_CONFIG_LOAD_CONFIG_H_
