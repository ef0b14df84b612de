// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/codec/times.h"

#include <algorithm>
#include <cstdint>

#include "server/base/limits.h"

namespace lifesign {
namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;
constexpr std::int32_t kNanosPerMicro = 1'000;
constexpr std::int32_t kNanosPerSecond = 1'000'000'000;
// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z.
constexpr std::int64_t kFirstTime = -62'135'596'800 * kMicrosPerSecond;
constexpr std::int64_t kLastTime = 253'402'300'800 * kMicrosPerSecond - 1;

}  // namespace

absl::optional<Duration> DecodeDuration(
    const google::protobuf::Duration& duration) {
  const std::int64_t whole = duration.seconds();
  const std::int32_t nanos = duration.nanos();
  if (whole < 0 || nanos < 0 || nanos >= kNanosPerSecond ||
      whole > limits::kMaxDurationSeconds ||
      (whole == limits::kMaxDurationSeconds && nanos > 0)) {
    return absl::nullopt;
  }
  return Duration(whole * kMicrosPerSecond + nanos / kNanosPerMicro);
}

void EncodeDuration(Duration duration, google::protobuf::Duration& to) {
  constexpr std::int64_t kMost = limits::kMaxDurationSeconds * kMicrosPerSecond;
  const std::int64_t micros =
      std::clamp<std::int64_t>(duration.count(), -kMost, kMost);
  to.set_seconds(micros / kMicrosPerSecond);
  to.set_nanos(
      static_cast<std::int32_t>(micros % kMicrosPerSecond * kNanosPerMicro));
}

void EncodeTime(WallTime time, google::protobuf::Timestamp& to) {
  const std::int64_t micros = std::clamp<std::int64_t>(
      time.time_since_epoch().count(), kFirstTime, kLastTime);
  // Rounded down, so that nanos are never negative.
  std::int64_t whole = micros / kMicrosPerSecond;
  std::int64_t rest = micros % kMicrosPerSecond;
  if (rest < 0) {
    rest += kMicrosPerSecond;
    --whole;
  }
  to.set_seconds(whole);
  to.set_nanos(static_cast<std::int32_t>(rest * kNanosPerMicro));
}

}  // namespace lifesign
