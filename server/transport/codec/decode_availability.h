// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What users declare about themselves. Part of decode.h.
#ifndef LIFESIGN_SERVER_TRANSPORT_CODEC_DECODE_AVAILABILITY_H_
#define LIFESIGN_SERVER_TRANSPORT_CODEC_DECODE_AVAILABILITY_H_

#include "absl/strings/string_view.h"
#include "lifesign/v1/presence_service.pb.h"
#include "server/core/availability/availability.h"
#include "server/transport/codec/field_faults.h"

namespace lifesign {

// The field at `path`; `declaration` points into `message`. What is wrong is
// added to `faults`.
void DecodeAvailability(const v1::AvailabilityDeclaration& message,
                        absl::string_view path,
                        AvailabilityDeclaration& declaration,
                        FieldFaults& faults);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_CODEC_DECODE_AVAILABILITY_H_
