// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Values of the core into answers.
#ifndef LIFESIGN_SERVER_TRANSPORT_CODEC_ENCODE_H_
#define LIFESIGN_SERVER_TRANSPORT_CODEC_ENCODE_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <memory>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "lifesign/v1/presence.pb.h"
#include "lifesign/v1/presence_service.pb.h"
#include "server/core/query/views.h"
#include "server/core/room/intent.h"
#include "server/core/room/occupancy.h"
#include "server/core/room/room.h"
#include "server/core/watch/change.h"

namespace lifesign {

v1::PresenceState EncodeState(State state);
v1::Cause EncodeCause(Cause cause);
v1::DeviceClass EncodeDevice(DeviceClass device);
v1::AvailabilityKind EncodeKind(AvailabilityKind kind);

void EncodeUser(const UserView& view, v1::Presence& to);
void EncodeSession(const SessionView& view, v1::Session& to);
// Everything but read_time and reconverging_until.
void EncodeExplanation(const UserExplanation& explanation,
                       v1::ExplainPresenceResponse& to);
void EncodeOccupancy(absl::string_view room, const Occupancy& occupancy,
                     v1::Occupancy& to);
// How many are in a room as the field `occupancy` of a WatchPresenceResponse:
// the bytes that all who watch that share. Fits Room::Encoders.
std::shared_ptr<const void> EncodeWholeRoom(absl::string_view room,
                                            const Occupancy& occupancy);
void EncodeIntent(const IntentView& intent, v1::Intent& to);
// Who wants to reach a user there, likewise.
std::shared_ptr<const void> EncodeAllIntents(
    absl::string_view room, absl::Span<const IntentView> intents);
// Both.
Room::Encoders RoomEncoders();
void EncodeRecord(const PresenceRecord& record, Detail detail,
                  v1::PresenceRecord& to);

// A change as the field `changes` of a WatchPresenceResponse: the bytes that
// all of its watchers of this detail share. Fits PresenceEngine::Encode.
std::shared_ptr<const void> EncodeChange(const Change& change, Detail detail);

// A message of a watch: `head`, then `changes` as EncodeChange made them for
// `detail`, then `tail`, then `whole` as one of RoomEncoders made it, if any.
// Message fields are given in the order of their numbers: head holds those up
// to `changes`, tail those above.
grpc::ByteBuffer JoinWatchResponse(const v1::WatchPresenceResponse& head,
                                   absl::Span<const PublishedChangePtr> changes,
                                   Detail detail,
                                   const v1::WatchPresenceResponse& tail,
                                   const void* whole);

// A message of nothing but `changes`.
grpc::ByteBuffer JoinChanges(absl::Span<const PublishedChangePtr> changes,
                             Detail detail);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_CODEC_ENCODE_H_
