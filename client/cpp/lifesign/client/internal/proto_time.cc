// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "lifesign/client/internal/proto_time.h"

#include <algorithm>

#include "server/base/limits.h"

namespace lifesign::client::internal {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kNanosPerMicro = 1'000;
constexpr std::chrono::seconds kLongestWaitTaken = std::chrono::hours(24);

}  // namespace

Duration FromProto(const google::protobuf::Duration& duration) {
  const int64_t seconds =
      std::clamp<int64_t>(duration.seconds(), 0, kLongestWaitTaken.count());
  const Duration whole = std::chrono::seconds(seconds);
  return std::clamp<Duration>(
      whole + Duration(duration.nanos() / kNanosPerMicro), Duration::zero(),
      kLongestWaitTaken);
}

void ToProto(Duration duration, google::protobuf::Duration& out) {
  const int64_t seconds = std::min(duration.count() / kMicrosPerSecond,
                                   limits::kMaxDurationSeconds);
  out.set_seconds(seconds);
  out.set_nanos(seconds == limits::kMaxDurationSeconds
                    ? 0
                    : static_cast<int32_t>(duration.count() % kMicrosPerSecond *
                                           kNanosPerMicro));
}

absl::Time FromProto(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) +
         absl::Nanoseconds(timestamp.nanos());
}

}  // namespace lifesign::client::internal
