// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// `read_time` and `reconverging_until`, which every read carries.
// docs/concepts.md §§ 2, 5.
#ifndef LIFESIGN_SERVER_TRANSPORT_CODEC_READ_TIME_H_
#define LIFESIGN_SERVER_TRANSPORT_CODEC_READ_TIME_H_

#include "server/core/presence_engine.h"
#include "server/core/time.h"
#include "server/transport/codec/times.h"

namespace lifesign {

// Into any message that has both fields.
template <typename Message>
void EncodeReadTime(const PresenceEngine& engine, const Now& now,
                    Message& message) {
  EncodeTime(now.wall, *message.mutable_read_time());
  if (const auto until = engine.ReconvergingUntil(now)) {
    EncodeTime(WallAt(*until, now), *message.mutable_reconverging_until());
  }
}

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_CODEC_READ_TIME_H_
