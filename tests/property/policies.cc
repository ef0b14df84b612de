// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/property/policies.h"

namespace lifesign::property {
namespace {

Policy WithRows() {
  Policy policy;
  PolicyRow phone;
  phone.active_window = seconds(30);
  phone.idle_window = seconds(90);
  phone.away_window = seconds(400);
  phone.ttl = seconds(600);
  phone.active_interval = seconds(20);
  phone.idle_interval = seconds(60);
  phone.background_interval = seconds(150);
  policy.by_device[static_cast<std::size_t>(DeviceClass::kMobile)] = phone;
  PolicyRow bot;
  bot.active_window = seconds(5);
  bot.idle_window = seconds(6);
  bot.away_window = seconds(7);
  bot.ttl = seconds(8);
  bot.active_interval = seconds(3);
  bot.idle_interval = seconds(3);
  bot.background_interval = seconds(3);
  policy.by_device[static_cast<std::size_t>(DeviceClass::kBot)] = bot;
  return policy;
}

Policy WithoutPatience() {
  Policy policy = ScalePolicy(Policy(), 1, 10);
  policy.downgrade_debounce = Duration(0);
  policy.jitter_percent = 0;
  policy.offline_retention = seconds(5);
  return policy;
}

Policy WithLongDebounce() {
  Policy policy;
  policy.downgrade_debounce = seconds(14);
  policy.jitter_percent = 25;
  policy.offline_retention = seconds(60);
  return policy;
}

}  // namespace

const std::vector<Policy>& Policies() {
  static const std::vector<Policy> policies = {
      Policy(), ScalePolicy(Policy(), 1, 10), WithRows(), WithoutPatience(),
      WithLongDebounce()};
  return policies;
}

}  // namespace lifesign::property
