// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The service as gRPC sees it.
#ifndef LIFESIGN_SERVER_TRANSPORT_PRESENCE_SERVICE_H_
#define LIFESIGN_SERVER_TRANSPORT_PRESENCE_SERVICE_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <memory>

#include "lifesign/v1/presence_service.grpc.pb.h"
#include "server/transport/connection_streams.h"
#include "server/transport/quota.h"
#include "server/transport/server_parts.h"
#include "server/transport/serving_gate.h"
#include "server/transport/unary/unary_calls.h"

namespace lifesign {

// Every method on raw bytes: a message that does not parse is ours to answer,
// and what many watchers are told is serialized once.
using RawQueries = v1::PresenceService::WithRawCallbackMethod_ListPresences<
    v1::PresenceService::WithRawCallbackMethod_CountPresences<
        v1::PresenceService::WithRawCallbackMethod_AwaitPresence<
            v1::PresenceService::Service>>>;
using RawPresenceService = v1::PresenceService::WithRawCallbackMethod_Heartbeat<
    v1::PresenceService::WithRawCallbackMethod_WatchPresence<
        v1::PresenceService::WithRawCallbackMethod_FollowPresence<
            v1::PresenceService::WithRawCallbackMethod_SendSignal<
                v1::PresenceService::WithRawCallbackMethod_GetPresence<
                    v1::PresenceService::
                        WithRawCallbackMethod_BatchGetPresences<
                            v1::PresenceService::
                                WithRawCallbackMethod_ListSessions<
                                    v1::PresenceService::
                                        WithRawCallbackMethod_ExplainPresence<
                                            v1::PresenceService::
                                                WithRawCallbackMethod_GetRoom<
                                                    RawQueries>>>>>>>>>;

// Admits calls and hands them to what answers them. Thread-safe.
class PresenceService final : public RawPresenceService {
 public:
  // All outlive it.
  PresenceService(const ServerParts& parts, const ServingGate& gate);

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Heartbeat(
      grpc::CallbackServerContext* context) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* WatchPresence(
      grpc::CallbackServerContext* context,
      const grpc::ByteBuffer* request) override;
  grpc::ServerUnaryReactor* AwaitPresence(grpc::CallbackServerContext* context,
                                          const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) override;

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* FollowPresence(
      grpc::CallbackServerContext* context) override;

  grpc::ServerUnaryReactor* SendSignal(grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetPresence(grpc::CallbackServerContext* context,
                                        const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* BatchGetPresences(
      grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
      grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ListPresences(grpc::CallbackServerContext* context,
                                          const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* CountPresences(grpc::CallbackServerContext* context,
                                           const grpc::ByteBuffer* request,
                                           grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ListSessions(grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ExplainPresence(
      grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
      grpc::ByteBuffer* response) override;

  grpc::ServerUnaryReactor* GetRoom(grpc::CallbackServerContext* context,
                                    const grpc::ByteBuffer* request,
                                    grpc::ByteBuffer* response) override;

  // Waits until every stream and await is done, for at most `timeout`. False if
  // some are not.
  bool AwaitNoStreams(Duration timeout) {
    return connections_.AwaitNone(timeout);
  }

 private:
  // A slot on the call's connection, or why the stream is refused.
  absl::optional<ApiError> Admit(const grpc::CallbackServerContext& context,
                                 absl::optional<ConnectionStreams::Slot>& slot);

  const ServerParts& parts_;
  const ServingGate& gate_;
  const UnaryCalls unary_;
  ConnectionStreams connections_;
  Quota awaited_users_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_PRESENCE_SERVICE_H_
