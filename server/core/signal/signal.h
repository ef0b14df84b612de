// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What a client said, validated. docs/concepts.md §§ 1, 4, 5.
#ifndef LIFESIGN_SERVER_CORE_SIGNAL_SIGNAL_H_
#define LIFESIGN_SERVER_CORE_SIGNAL_SIGNAL_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "server/core/availability/availability.h"
#include "server/core/presence_state.h"
#include "server/core/time.h"

namespace lifesign {

enum class SignalKind : std::uint8_t {
  kActive,
  kIdle,
  kBackground,
  kDetach,
  kLeave,
};

// What a session's silences are compared with, and what its promised interval
// follows: the kind of the last signal that told of the client. An open without
// a signal counts as kIdle.
enum class Lifecycle : std::uint8_t { kActive, kIdle, kBackground };
inline constexpr std::size_t kLifecycles = 3;

struct Signal {
  SignalKind kind = SignalKind::kActive;
  // Not negative; none with kDetach and kLeave.
  absl::optional<Duration> idle_for;
  // Only with kLeave: 0 to limits::kMaxLinger.
  Duration linger{0};
};

// Rooms to be left, and rooms to be joined after that. Views: valid as long as
// what they point at.
struct RoomChange {
  std::vector<absl::string_view> leave;
  std::vector<absl::string_view> join;
};

// That the user wants to reach another one in a room. Views, likewise.
struct IntentDeclaration {
  absl::string_view room;
  absl::string_view target;
  // At most limits::kMaxIntentExpiry; zero: not any more.
  Duration expires_in{0};
};

// What few signals declare beside their kind: only kActive, kIdle and
// kBackground. Null: nothing.
struct Declaration {
  const RoomChange* rooms = nullptr;
  const AvailabilityDeclaration* availability = nullptr;
  // Of the same room and target the last counts.
  absl::Span<const IntentDeclaration> intents;

  bool empty() const {
    return rooms == nullptr && availability == nullptr && intents.empty();
  }
};

// Names a session. Views: valid as long as what they point at.
struct SessionName {
  absl::string_view user;
  absl::string_view session;
};

// Key and value, as given.
using Metadata = std::vector<std::pair<std::string, std::string>>;

// Which life of a client speaks. kNoInstance differs from every other,
// including another kNoInstance.
using Instance = std::uint64_t;
inline constexpr Instance kNoInstance = 0;

// Numbers one binding of a session to a stream or to unary calls. Never reused.
using Attachment = std::uint64_t;
inline constexpr Attachment kNoAttachment = 0;

// Where a session's answers go: a stream and the session's handle on it. The
// core keeps it and hands it back; it never calls it.
struct Binding {
  std::uint64_t stream = 0;  // 0: unary calls
  std::uint32_t handle = 0;

  bool unary() const { return stream == 0; }
};

struct GuestHistory;

struct OpenRequest {
  SessionName name;
  // Not empty: the session, of the same id, was this user's until now, a
  // guest's. What is not given comes with it.
  absl::string_view guest;
  // Of `guest`; null if the guest has no such session.
  const GuestHistory* history = nullptr;
  Binding binding;
  Instance instance = kNoInstance;
  // None: kOther for a new session, the held one for a resumed session.
  absl::optional<DeviceClass> device;
  // Null: keep what is held. Else replaces it, also when empty.
  const Metadata* metadata = nullptr;
  // Null: a resumed session stays in its rooms. Else it is in these from now
  // on, also if there are none. At most limits::kMaxRoomsPerSession.
  const std::vector<absl::string_view>* rooms = nullptr;
  // kActive, kIdle or kBackground.
  absl::optional<Signal> signal;
  // Null: none. Taken if the user has declared nothing, or if
  // `replaces_availability`.
  const AvailabilityDeclaration* availability = nullptr;
  bool replaces_availability = false;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_SIGNAL_SIGNAL_H_
