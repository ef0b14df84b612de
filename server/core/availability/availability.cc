// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/availability/availability.h"

namespace lifesign {

Availability AvailabilityDeclaration::SaidAt(RealTime now) const {
  Availability said;
  said.kind = kind;
  said.text = std::string(text);
  const bool runs_out =
      kind != AvailabilityKind::kAvailable || !said.text.empty();
  if (runs_out && expires_in.has_value()) {
    said.expires_at = SaturatingAdd(now, *expires_in);
  }
  return said;
}

AvailabilityViewPtr AsTold(const Availability& availability, const Now& now) {
  if (availability == Availability()) return nullptr;
  auto view = std::make_shared<AvailabilityView>();
  view->kind = availability.kind;
  view->text = availability.text;
  if (availability.expires_at != kNoExpiry) {
    view->expires_at = WallAt(availability.expires_at, now);
  }
  return view;
}

}  // namespace lifesign
