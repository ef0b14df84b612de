// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What requests say of rooms. Parts of decode.h; what is wrong is added to
// `faults`.
#ifndef LIFESIGN_SERVER_TRANSPORT_CODEC_DECODE_ROOMS_H_
#define LIFESIGN_SERVER_TRANSPORT_CODEC_DECODE_ROOMS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/repeated_field.h"
#include "lifesign/v1/presence_service.pb.h"
#include "server/core/signal/signal.h"
#include "server/transport/codec/decode.h"
#include "server/transport/codec/field_faults.h"

namespace lifesign {

// A list of room ids, found at `path`; `rooms` are views of it, each once.
void DecodeRooms(const google::protobuf::RepeatedPtrField<std::string>& ids,
                 absl::string_view path, std::vector<absl::string_view>& rooms,
                 FieldFaults& faults);

// The field `intents`, likewise.
void DecodeIntents(
    const google::protobuf::RepeatedPtrField<v1::IntentDeclaration>& messages,
    std::vector<IntentDeclaration>& intents, FieldFaults& faults);

// The selector `room` of a watch. REQUIRES: it is given.
void DecodeRoomSelector(const v1::WatchPresenceRequest& message,
                        WatchOptions& options, FieldFaults& faults);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_CODEC_DECODE_ROOMS_H_
