// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/policy/policy.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/base/limits.h"

namespace lifesign {
namespace {

constexpr Duration kLongest = seconds(limits::kMaxDurationSeconds);
constexpr int kMaxJitterPercent = 50;

// Calls `visit(name, duration)` for each duration of a row.
template <typename Row, typename Visit>
void ForEachDuration(Row& row, Visit visit) {
  visit("active_window", row.active_window);
  visit("idle_window", row.idle_window);
  visit("away_window", row.away_window);
  visit("ttl", row.ttl);
  visit("active_interval", row.active_interval);
  visit("idle_interval", row.idle_interval);
  visit("background_interval", row.background_interval);
}

class Validator {
 public:
  explicit Validator(const Policy& policy) : policy_(policy) {}

  void ValidateRow(const PolicyRow& row, const std::string& prefix) {
    prefix_ = prefix;
    if (!ValidateRanges(row)) return;
    Require(row.active_window < row.idle_window, "idle_window",
            "must be longer than active_window");
    Require(row.idle_window < row.away_window, "away_window",
            "must be longer than idle_window");
    Require(row.away_window < row.ttl, "ttl",
            "must be longer than away_window");
    Require(policy_.WithJitter(row.LongestInterval()) * 2 < row.away_window,
            "away_window",
            "must be longer than twice the longest interval with jitter, so "
            "that one lost heartbeat never shows as STALE");
    Require(policy_.WithJitter(row.active_interval) < row.active_window,
            "active_interval",
            "with jitter must be shorter than active_window");
    Require(policy_.downgrade_debounce < row.active_window,
            "downgrade_debounce", "must be shorter than active_window");
  }

  // Returns false if the rows cannot be looked at.
  bool ValidateShared() {
    prefix_.clear();
    const bool jitter = Require(
        policy_.jitter_percent >= 0 &&
            policy_.jitter_percent <= kMaxJitterPercent,
        "jitter_percent", absl::StrCat("must be 0 to ", kMaxJitterPercent));
    for (const auto& [name, value] :
         {std::pair{"downgrade_debounce", policy_.downgrade_debounce},
          std::pair{"restart_grace", policy_.restart_grace},
          std::pair{"offline_retention", policy_.offline_retention}}) {
      Require(value >= Duration::zero() && value <= kLongest, name,
              absl::StrCat("must be 0 to ", limits::kMaxDurationSeconds, " s"));
    }
    return jitter;
  }

  std::vector<PolicyViolation> TakeViolations() {
    return std::move(violations_);
  }

 private:
  bool ValidateRanges(const PolicyRow& row) {
    bool good = true;
    ForEachDuration(row, [&](const char* name, Duration value) {
      good &= Require(value > Duration::zero() && value <= kLongest, name,
                      absl::StrCat("must be above 0 and at most ",
                                   limits::kMaxDurationSeconds, " s"));
    });
    for (const auto& [name, value] :
         {std::pair{"active_interval", row.active_interval},
          std::pair{"idle_interval", row.idle_interval},
          std::pair{"background_interval", row.background_interval}}) {
      good &= Require(value <= limits::kMaxInterval &&
                          value % milliseconds(1) == Duration::zero(),
                      name, "must be whole milliseconds, at most 30 days");
    }
    return good;
  }

  bool Require(bool holds, absl::string_view field,
               absl::string_view description) {
    if (!holds) {
      violations_.push_back(
          {absl::StrCat(prefix_, field), std::string(description)});
    }
    return holds;
  }

  const Policy& policy_;
  std::string prefix_;
  std::vector<PolicyViolation> violations_;
};

}  // namespace

Duration PolicyRow::LongestInterval() const {
  return std::max({active_interval, idle_interval, background_interval});
}

Duration Policy::WithJitter(Duration interval) const {
  return interval +
         Duration((interval.count() / 100) * jitter_percent +
                  ((interval.count() % 100) * jitter_percent + 99) / 100);
}

Duration Policy::Reconvergence() const {
  Duration longest = defaults.LongestInterval();
  for (const auto& row : by_device) {
    if (row.has_value()) longest = std::max(longest, row->LongestInterval());
  }
  return WithJitter(longest) + restart_grace;
}

Duration Policy::LongestTtl() const {
  Duration longest = defaults.ttl;
  for (const auto& row : by_device) {
    if (row.has_value()) longest = std::max(longest, row->ttl);
  }
  return longest;
}

Duration Policy::ShortestTtl() const {
  Duration shortest = defaults.ttl;
  for (const auto& row : by_device) {
    if (row.has_value()) shortest = std::min(shortest, row->ttl);
  }
  return shortest;
}

std::vector<PolicyViolation> ValidatePolicy(const Policy& policy) {
  Validator validator(policy);
  if (validator.ValidateShared()) {
    validator.ValidateRow(policy.defaults, "");
    for (std::size_t i = 0; i < kDeviceClasses; ++i) {
      if (policy.by_device[i].has_value()) {
        validator.ValidateRow(
            *policy.by_device[i],
            absl::StrCat(DeviceClassName(static_cast<DeviceClass>(i)), "."));
      }
    }
  }
  return validator.TakeViolations();
}

Policy ScalePolicy(const Policy& policy, int numerator, int denominator) {
  Policy scaled = policy;
  const auto scale = [&](const char*, Duration& value) {
    value = value / denominator * numerator +
            value % denominator * numerator / denominator;
  };
  ForEachDuration(scaled.defaults, scale);
  for (auto& row : scaled.by_device) {
    if (row.has_value()) ForEachDuration(*row, scale);
  }
  scale("", scaled.downgrade_debounce);
  scale("", scaled.restart_grace);
  scale("", scaled.offline_retention);
  return scaled;
}

const char* DeviceClassName(DeviceClass device) {
  switch (device) {
    case DeviceClass::kWeb:
      return "web";
    case DeviceClass::kMobile:
      return "mobile";
    case DeviceClass::kDesktop:
      return "desktop";
    case DeviceClass::kTv:
      return "tv";
    case DeviceClass::kBot:
      return "bot";
    case DeviceClass::kOther:
      break;
  }
  return "other";
}

}  // namespace lifesign
