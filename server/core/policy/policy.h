// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// By which times a tenant's sessions are judged. docs/concepts.md § 3.
#ifndef LIFESIGN_SERVER_CORE_POLICY_POLICY_H_
#define LIFESIGN_SERVER_CORE_POLICY_POLICY_H_

#include <array>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "server/core/presence_state.h"
#include "server/core/signal/signal.h"
#include "server/core/time.h"

namespace lifesign {

// Windows, ttl and intervals: what a device class may override.
struct PolicyRow {
  Duration active_window = seconds(15);
  Duration idle_window = seconds(60);
  Duration away_window = seconds(180);
  Duration ttl = seconds(240);
  // The longest silence promised to a client, by what it said last.
  Duration active_interval = seconds(10);
  Duration idle_interval = seconds(30);
  Duration background_interval = seconds(60);

  Duration Interval(Lifecycle lifecycle) const {
    switch (lifecycle) {
      case Lifecycle::kActive:
        return active_interval;
      case Lifecycle::kIdle:
        return idle_interval;
      case Lifecycle::kBackground:
        break;
    }
    return background_interval;
  }
  Duration LongestInterval() const;

  friend bool operator==(const PolicyRow&, const PolicyRow&) = default;
};

struct Policy {
  PolicyRow defaults;
  // Rows that stand in for `defaults` as a whole.
  std::array<absl::optional<PolicyRow>, kDeviceClasses> by_device;
  Duration downgrade_debounce = seconds(2);
  // The share of an interval by which clients vary it either way, in percent.
  int jitter_percent = 10;
  Duration restart_grace = seconds(15);
  Duration offline_retention = hours(24);

  const PolicyRow& RowFor(DeviceClass device) const {
    const auto& row = by_device[static_cast<std::size_t>(device)];
    return row.has_value() ? *row : defaults;
  }
  // `interval` lengthened by the jitter, rounded up.
  Duration WithJitter(Duration interval) const;
  // For how long after a start the server reconverges: the longest interval of
  // any row with jitter, and restart_grace.
  Duration Reconvergence() const;
  // The longest and the shortest ttl of any row.
  Duration LongestTtl() const;
  Duration ShortestTtl() const;

  friend bool operator==(const Policy&, const Policy&) = default;
};

// One relation of docs/concepts.md § 3 that a policy breaks.
struct PolicyViolation {
  // The field to be named: "ttl", or "mobile.ttl" for the row of a class.
  std::string field;
  std::string description;
};

// Every relation that `policy` breaks; empty if it may be used. Each row is
// validated as a whole.
std::vector<PolicyViolation> ValidatePolicy(const Policy& policy);

// `policy` with every window, interval and other duration multiplied by
// `numerator / denominator`, for demonstrations and tests in real time.
Policy ScalePolicy(const Policy& policy, int numerator, int denominator);

// Lower-case name of a class as it stands in field names: "web", "mobile", …
const char* DeviceClassName(DeviceClass device);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_POLICY_POLICY_H_
