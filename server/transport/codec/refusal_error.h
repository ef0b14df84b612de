// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What the core refuses, as errors of the API.
#ifndef LIFESIGN_SERVER_TRANSPORT_CODEC_REFUSAL_ERROR_H_
#define LIFESIGN_SERVER_TRANSPORT_CODEC_REFUSAL_ERROR_H_

#include "server/core/session/outcome.h"
#include "server/transport/codec/api_error.h"

namespace lifesign {

// REQUIRES: `refusal` is not kNone. `retry_after` is told with
// kTooManyTakeOvers, `max_sessions_per_user` with kTooManySessions.
ApiError RefusalError(Refusal refusal, Duration retry_after,
                      int max_sessions_per_user);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_CODEC_REFUSAL_ERROR_H_
