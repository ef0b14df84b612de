// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Answers about many users. docs/concepts.md § 10.
#ifndef LIFESIGN_SERVER_TRANSPORT_CODEC_ENCODE_QUERY_H_
#define LIFESIGN_SERVER_TRANSPORT_CODEC_ENCODE_QUERY_H_

#include "lifesign/v1/presence_service.pb.h"
#include "server/core/query/await.h"
#include "server/core/query/presence_counts.h"
#include "server/core/room/occupancy.h"
#include "server/core/time.h"

namespace lifesign {

// Everything but read_time and reconverging_until, as seen from `now`.
void EncodeCounts(const CountsView& view, const Now& now,
                  v1::CountPresencesResponse& to);

// Likewise, of a room as it is at `now`.
void EncodeRoomCounts(const Occupancy& occupancy, const Now& now,
                      v1::CountPresencesResponse& to);

// What is known of its predicates, likewise.
void EncodeAwait(const Await& await, v1::AwaitPresenceResponse& to);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_CODEC_ENCODE_QUERY_H_
