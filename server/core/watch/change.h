// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What is told of a user. docs/concepts.md § 8.
#ifndef LIFESIGN_SERVER_CORE_WATCH_CHANGE_H_
#define LIFESIGN_SERVER_CORE_WATCH_CHANGE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/types/optional.h"
#include "server/core/availability/availability.h"
#include "server/core/availability/veil.h"
#include "server/core/presence_state.h"
#include "server/core/time.h"

namespace lifesign {

// Orders the changes of a user and of a shard within an epoch.
using Revision = std::uint64_t;

// A user as of a revision.
struct PresenceRecord {
  std::string user;
  State state = State::kOffline;
  DeviceStates devices = kNoDevices;
  Cause cause = Cause::kNone;
  // Of a user who is not known: the newest one of the shard, so that it stands
  // above whatever was once told of them.
  Revision revision = 0;
  bool known = false;
  // None for a user who is not known.
  absl::optional<WallTime> since;
  absl::optional<WallTime> last_seen;
  // None also if the user was never active.
  absl::optional<WallTime> last_active;
  // Whom the user, a guest who is OFFLINE, turned out to be; null if nobody.
  std::shared_ptr<const std::string> merged_into;
  // What is in effect of what the user declared; null while not live.
  AvailabilityViewPtr availability;
};

struct Change {
  PresenceRecord after;
  Audience audience = Audience::kEverybody;
  // Its revision is Outbox::Beside's, and not one of the shard's own.
  bool beside = false;
  State before = State::kOffline;
  DeviceStates devices_before = kNoDevices;
  AvailabilityViewPtr availability_before;
  // Of the user, within its shard.
  std::uint32_t slot = 0;

  // False if only the state on some class of device differs.
  bool ChangesState() const {
    return before != after.state ||
           !IsSame(availability_before, after.availability);
  }
};

// How much of a user a watch is told: their state, or also their state on each
// class of device.
enum class Detail : std::uint8_t { kState, kDevices };
inline constexpr std::size_t kDetails = 2;

// Makes of a change the bytes that its watchers of a detail share.
using ChangeEncoder =
    std::function<std::shared_ptr<const void>(const Change&, Detail)>;

// A change on its way to its watchers, and the bytes that their transport made
// of it: for each detail once, when the first watch of that detail is left the
// change. The core does not look into them.
struct PublishedChange {
  Change change;
  // By Detail; null for one that no watch was left it in.
  std::array<std::shared_ptr<const void>, kDetails> wires;

  const std::shared_ptr<const void>& wire(Detail detail) const {
    return wires[static_cast<std::size_t>(detail)];
  }
};
using PublishedChangePtr = std::shared_ptr<const PublishedChange>;

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_WATCH_CHANGE_H_
