// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/codec/refusal_error.h"

namespace lifesign {

ApiError RefusalError(Refusal refusal, Duration retry_after,
                      int max_sessions_per_user) {
  switch (refusal) {
    case Refusal::kSessionNotOpen:
      return SessionNotOpen();
    case Refusal::kStaleAttachment:
      return StaleAttachment();
    case Refusal::kTooManyTakeOvers:
      return TooManyTakeOvers(retry_after);
    case Refusal::kTooManySessions:
      return TooManySessions(max_sessions_per_user);
    case Refusal::kTooManyRooms:
      return TooManyRooms();
    case Refusal::kTooManyIntents:
      return TooManyIntents();
    case Refusal::kTooManyAvailabilities:
      return TooManyAvailabilities();
    case Refusal::kNone:
      break;
  }
  return ApiError{};
}

}  // namespace lifesign
