// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What users declare about themselves: a second axis beside the state.
// docs/concepts.md § 13.
#ifndef LIFESIGN_SERVER_CORE_AVAILABILITY_AVAILABILITY_H_
#define LIFESIGN_SERVER_CORE_AVAILABILITY_AVAILABILITY_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "server/core/time.h"

namespace lifesign {

enum class AvailabilityKind : std::uint8_t {
  kAvailable,
  kBusy,
  kDoNotDisturb,
  // To everybody without the right to see through: as if the last session had
  // left.
  kInvisible,
};

// Of what does not run out.
inline constexpr RealTime kNoExpiry = RealTime::max();

// As it is held. By default what holds of whoever declared nothing.
struct Availability {
  AvailabilityKind kind = AvailabilityKind::kAvailable;
  std::string text;
  RealTime expires_at = kNoExpiry;

  friend bool operator==(const Availability&, const Availability&) = default;
};

// As a client says it, validated. A view: valid as long as its text.
struct AvailabilityDeclaration {
  AvailabilityKind kind = AvailabilityKind::kAvailable;
  absl::string_view text;
  absl::optional<Duration> expires_in;  // positive

  // As it is held if it was said at `now`. AVAILABLE without text is what
  // everything reverts to: it does not run out.
  Availability SaidAt(RealTime now) const;
};

// As it is told to people.
struct AvailabilityView {
  AvailabilityKind kind = AvailabilityKind::kAvailable;
  std::string text;
  absl::optional<WallTime> expires_at;

  friend bool operator==(const AvailabilityView&,
                         const AvailabilityView&) = default;
};
// Null: AVAILABLE without text, as of almost everybody.
using AvailabilityViewPtr = std::shared_ptr<const AvailabilityView>;

AvailabilityViewPtr AsTold(const Availability& availability, const Now& now);

inline bool IsSame(const AvailabilityView* a, const AvailabilityView* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return *a == *b;
}
inline bool IsSame(const AvailabilityViewPtr& a, const AvailabilityViewPtr& b) {
  return IsSame(a.get(), b.get());
}

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_AVAILABILITY_AVAILABILITY_H_
