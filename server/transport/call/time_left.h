// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// How long a caller waits for an answer.
#ifndef LIFESIGN_SERVER_TRANSPORT_CALL_TIME_LEFT_H_
#define LIFESIGN_SERVER_TRANSPORT_CALL_TIME_LEFT_H_

#include <grpc/support/time.h>
#include <grpcpp/server_context.h>

#include <algorithm>

#include "server/base/limits.h"
#include "server/base/time.h"

namespace lifesign {

// Until the deadline of the call, which gRPC keeps on a clock of its own: hence
// not from our Clock. Zero or less when it has passed; at most
// limits::kMaxDurationSeconds, also without a deadline.
inline Duration TimeLeft(const grpc::ServerContextBase& context) {
  const gpr_timespec deadline = context.raw_deadline();
  const double micros = gpr_timespec_to_micros(
      gpr_time_sub(deadline, gpr_now(deadline.clock_type)));
  constexpr Duration kMost = seconds(limits::kMaxDurationSeconds);
  constexpr auto kMostMicros = static_cast<double>(kMost.count());
  return Duration(static_cast<Duration::rep>(
      std::clamp(micros, -kMostMicros, kMostMicros)));
}

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_CALL_TIME_LEFT_H_
