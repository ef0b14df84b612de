// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/session/records.h"

namespace lifesign {

bool Session::Connected(const Policy& by, PresenceTime now) const {
  if (!Has(kAttached) || LingerUntil() != kNever) return false;
  if (!binding().unary()) return Has(kStreamOpen);
  return SaturatingDifference(now, last_signal) < by.WithJitter(Promised());
}

PresenceTime Session::TokenAt() const {
  const Duration debt = rate_debt * kRateUnit;
  return debt <= kRateTolerance
             ? last_signal
             : SaturatingAdd(last_signal, debt - kRateTolerance);
}

Silence Session::SilenceAt(const Policy& by, PresenceTime now) const {
  return {lifecycle, SaturatingDifference(now, last_signal), Promised(),
          by.RowFor(device).ttl, by.jitter_percent};
}

}  // namespace lifesign
