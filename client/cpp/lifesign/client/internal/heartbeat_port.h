// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What a HeartbeatLogic asks of the world.
#ifndef LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_HEARTBEAT_PORT_H_
#define LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_HEARTBEAT_PORT_H_

#include "lifesign/client/session_status.h"
#include "lifesign/v1/presence_service.pb.h"

namespace lifesign::client::internal {

// Called with the logic's lock held; must not call the logic back before it
// has returned.
class HeartbeatPort {
 public:
  virtual ~HeartbeatPort() = default;

  // Begins a stream; exactly one OnStreamEnded follows, after every other event
  // of it. Returns whether the connection below it stands already. REQUIRES:
  // there is none.
  virtual bool BeginStream() = 0;

  // Writes `message`, which stays as it is until OnWritten. That may be missing
  // only if the stream ends. REQUIRES: a stream, not half-closed, no write
  // under way.
  virtual void Write(const v1::HeartbeatRequest& message) = 0;

  // Nothing more will be written. REQUIRES: as Write.
  virtual void HalfClose() = 0;

  // Has the stream end soon. REQUIRES: a stream.
  virtual void CancelStream() = 0;

  // Sends `request` by SendSignal; OnLeaveAnswered(handle) follows.
  virtual void CallLeave(Handle handle,
                         const v1::SendSignalRequest& request) = 0;
};

}  // namespace lifesign::client::internal

#endif  // LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_HEARTBEAT_PORT_H_
