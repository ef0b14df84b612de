// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Whether those who are there feel that many leave.
#ifndef LIFESIGN_BENCH_MICRO_EXPIRY_H_
#define LIFESIGN_BENCH_MICRO_EXPIRY_H_

#include <cstddef>

namespace lifesign::bench {

struct ExpiryOptions {
  std::size_t sessions = 1'000'000;
  int shards = 16;
};

// One line: how long heartbeats wait, from when they were meant to be applied,
// before and while `sessions` others expire at one instant; real time, and the
// ticker and publisher of the server. expire_seconds: until the last of them
// was gone.
int RunExpiry(const ExpiryOptions& options);

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_MICRO_EXPIRY_H_
