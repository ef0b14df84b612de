// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The words of presence as values. docs/concepts.md § 1.
#ifndef LIFESIGN_SERVER_CORE_PRESENCE_STATE_H_
#define LIFESIGN_SERVER_CORE_PRESENCE_STATE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace lifesign {

// Ordered: a lower value is more present.
enum class State : std::uint8_t { kActive, kIdle, kAway, kStale, kOffline };
inline constexpr std::size_t kStates = 5;

// The more present of two, and the less.
constexpr State Higher(State a, State b) { return a < b ? a : b; }
constexpr State Lower(State a, State b) { return a < b ? b : a; }
// Whether `state` is `floor`, or more present.
constexpr bool IsAtLeast(State state, State floor) { return state <= floor; }
constexpr bool IsLive(State state) { return state != State::kOffline; }

// Some of the states.
class StateSet {
 public:
  constexpr StateSet() = default;
  constexpr StateSet(std::initializer_list<State> states) {
    for (const State state : states) Add(state);
  }
  static constexpr StateSet All() {
    return {State::kActive, State::kIdle, State::kAway, State::kStale,
            State::kOffline};
  }

  constexpr void Add(State state) {
    bits_ = static_cast<std::uint8_t>(bits_ | Bit(state));
  }
  constexpr bool Has(State state) const { return (bits_ & Bit(state)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  // One for each state, the lowest for kActive.
  constexpr std::uint8_t bits() const { return bits_; }

  friend bool operator==(const StateSet&, const StateSet&) = default;

 private:
  static constexpr std::uint8_t Bit(State state) {
    return static_cast<std::uint8_t>(1u << static_cast<unsigned>(state));
  }

  std::uint8_t bits_ = 0;
};

enum class Cause : std::uint8_t {
  kNone,
  kSignal,
  kDecay,
  kExpiry,
  kLeave,
  kReconvergence,
  kAvailability,
};

enum class DeviceClass : std::uint8_t {
  kWeb,
  kMobile,
  kDesktop,
  kTv,
  kBot,
  kOther,
};
inline constexpr std::size_t kDeviceClasses = 6;

// The user's state on each class of device; kOffline without a session there.
using DeviceStates = std::array<State, kDeviceClasses>;
inline constexpr DeviceStates kNoDevices = {State::kOffline, State::kOffline,
                                            State::kOffline, State::kOffline,
                                            State::kOffline, State::kOffline};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_PRESENCE_STATE_H_
