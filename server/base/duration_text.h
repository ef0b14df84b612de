// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Durations as people write them: "250ms", "15s", "1m30s", "24h".
#ifndef LIFESIGN_SERVER_BASE_DURATION_TEXT_H_
#define LIFESIGN_SERVER_BASE_DURATION_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "server/base/time.h"

namespace lifesign {

// Reads a sequence of decimal numbers, each with a unit of h, m, s, ms or us,
// from the largest unit to the smallest, each unit at most once: "1m30s",
// "1.5s". "0" needs no unit. Nothing for anything else: a sign, white space, a
// number without unit, more than six digits of fraction or less than a
// microsecond, or beyond 292,000 years.
absl::optional<Duration> ParseDuration(absl::string_view text);

// The shortest such text: ParseDuration(FormatDuration(d)) == d for d >= 0.
// Below a second in ms or us. A negative duration gets a sign.
std::string FormatDuration(Duration duration);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_BASE_DURATION_TEXT_H_
