// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Whether the server takes calls at all.
#ifndef LIFESIGN_SERVER_TRANSPORT_SERVING_GATE_H_
#define LIFESIGN_SERVER_TRANSPORT_SERVING_GATE_H_

#include <atomic>

#include "absl/types/optional.h"
#include "server/base/limits.h"
#include "server/transport/codec/api_error.h"
#include "server/transport/jitter.h"

namespace lifesign {

// Thread-safe.
class ServingGate {
 public:
  enum class State { kStarting, kServing, kDraining };

  // `jitter` outlives it.
  explicit ServingGate(Jitter& jitter) : jitter_(jitter) {}

  State state() const { return state_.load(std::memory_order_acquire); }
  void Set(State state) { state_.store(state, std::memory_order_release); }

  // Why a new stream, or a signal, is refused; none while serving.
  absl::optional<ApiError> Refusal() const {
    const State now = state();
    if (now == State::kServing) return absl::nullopt;
    const Duration delay =
        jitter_.Between(limits::kMinReconnectDelay, limits::kMaxReconnectDelay);
    return now == State::kStarting ? Starting(delay) : Draining(delay);
  }

 private:
  Jitter& jitter_;
  std::atomic<State> state_{State::kStarting};
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_SERVING_GATE_H_
