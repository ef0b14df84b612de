// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// How long to wait before trying again. docs/concepts.md § 12.
#ifndef LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_BACKOFF_H_
#define LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_BACKOFF_H_

#include <algorithm>
#include <chrono>

#include "absl/random/bit_gen_ref.h"
#include "lifesign/client/session_status.h"

namespace lifesign::client::internal {

// Waits after failures in a row: the first anywhere in 5 s, so that clients
// cut off together do not return together; then full jitter, anywhere from 0
// to 2 s, 4 s, … 60 s.
//
// A plain value.
class Backoff {
 public:
  static constexpr Duration kFirstWait = std::chrono::seconds(5);
  static constexpr Duration kLongestWait = std::chrono::seconds(60);

  // The wait before the next attempt. Counts as a failure.
  Duration NextWait(absl::BitGenRef random);

  // It worked: the next wait is a first one again.
  void Reset() { failures_ = 0; }

 private:
  int failures_ = 0;
};

// A wait that the server named, which is no shorter than this: whatever it
// names, no attempts in a tight loop.
inline constexpr Duration kShortestNamedWait = std::chrono::milliseconds(100);
inline Duration NamedWait(Duration named) {
  return std::max(named, kShortestNamedWait);
}

// `interval` with the jitter of § 12: uniformly within 10 % either way.
Duration WithJitter(Duration interval, absl::BitGenRef random);

}  // namespace lifesign::client::internal

#endif  // LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_BACKOFF_H_
