// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Who is shown what. docs/concepts.md § 13, docs/threat-model.md.
#ifndef LIFESIGN_SERVER_CORE_AVAILABILITY_VEIL_H_
#define LIFESIGN_SERVER_CORE_AVAILABILITY_VEIL_H_

#include <cstdint>

#include "server/core/presence_state.h"
#include "server/core/reduce/reduce_user.h"
#include "server/core/time.h"

namespace lifesign {

// What a caller is shown of users who are invisible, or were: what everybody
// is, or, with the right to see through, what is true.
enum class View : std::uint8_t { kPublic, kTrue };

// Who is told of a change: everybody, or, of a user who is invisible or was,
// those who see through and all others apart.
enum class Audience : std::uint8_t { kEverybody, kPublic, kTrue };

inline bool Includes(Audience audience, View view) {
  return audience == Audience::kEverybody ||
         (audience == Audience::kTrue) == (view == View::kTrue);
}

// Of a user who was invisible and is not any more: how the true view still
// differs from the public one.
struct Veil {
  // What is older is not public: of a session, whatever it did before this
  // instant.
  RealTime visible_since{};
  PresenceTime visible_since_presence{};
  // As last told to those who see through; their availability lies in the
  // AvailabilityTable.
  Aggregate told;
  Cause cause = Cause::kNone;
  std::uint64_t revision = 0;
  RealTime since{};
  // The maxima of sessions that ended.
  RealTime last_seen = kNeverReal;
  RealTime last_active = kNeverReal;

  bool Covers(RealTime at) const { return at < visible_since; }
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_AVAILABILITY_VEIL_H_
