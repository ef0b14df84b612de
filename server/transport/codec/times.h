// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Times and durations between the wire and the core. docs/concepts.md § 2.
#ifndef LIFESIGN_SERVER_TRANSPORT_CODEC_TIMES_H_
#define LIFESIGN_SERVER_TRANSPORT_CODEC_TIMES_H_

#include "absl/types/optional.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "server/base/time.h"

namespace lifesign {

// The duration; none if it is malformed, negative, or above
// limits::kMaxDurationSeconds. Fractions of a microsecond are cut off.
absl::optional<Duration> DecodeDuration(
    const google::protobuf::Duration& duration);

// What is wrong with a duration that DecodeDuration refuses.
inline constexpr char kDurationFault[] =
    "must be a well-formed duration of 0 to 315,576,000,000 s";

// Held at the limits of google.protobuf.Duration.
void EncodeDuration(Duration duration, google::protobuf::Duration& to);

// Held at the limits of google.protobuf.Timestamp: the years 1 to 9999.
void EncodeTime(WallTime time, google::protobuf::Timestamp& to);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_CODEC_TIMES_H_
