// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/presence_service.h"

#include <utility>

#include "server/transport/await/await_call.h"
#include "server/transport/call/call_reactor.h"
#include "server/transport/call/refused_stream.h"
#include "server/transport/call/time_left.h"
#include "server/transport/codec/bytes.h"
#include "server/transport/codec/decode.h"
#include "server/transport/codec/decode_query.h"
#include "server/transport/heartbeat/heartbeat_stream.h"
#include "server/transport/watch/watch_stream.h"

namespace lifesign {
namespace {

// Makes the reactor of a call and starts its stream.
template <typename Reactor, typename Stream>
Reactor* Begin(grpc::CallbackServerContext& context,
               const std::shared_ptr<Stream>& stream,
               absl::optional<ConnectionStreams::Slot> slot) {
  auto* reactor = new Reactor(context, stream, std::move(slot));
  stream->Start(*reactor);
  return reactor;
}

template <typename Reactor>
Reactor* Refuse(grpc::CallbackServerContext& context, const ApiError& error) {
  return Begin<Reactor>(context,
                        std::make_shared<RefusedStream>(ToGrpcStatus(error)),
                        absl::nullopt);
}

grpc::ServerUnaryReactor* Finish(grpc::CallbackServerContext* context,
                                 const grpc::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(status);
  return reactor;
}

}  // namespace

PresenceService::PresenceService(const ServerParts& parts,
                                 const ServingGate& gate)
    : parts_(parts),
      gate_(gate),
      unary_(parts),
      connections_(parts.limits.max_streams_per_connection),
      awaited_users_(parts.limits.max_awaited_users) {}

absl::optional<ApiError> PresenceService::Admit(
    const grpc::CallbackServerContext& context,
    absl::optional<ConnectionStreams::Slot>& slot) {
  if (auto refusal = gate_.Refusal()) return refusal;
  auto taken = connections_.Take(context.peer());
  if (!taken.has_value()) return TooManyStreams(connections_.most());
  slot.emplace(*std::move(taken));
  return absl::nullopt;
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>*
PresenceService::Heartbeat(grpc::CallbackServerContext* context) {
  absl::optional<ConnectionStreams::Slot> slot;
  if (const auto error = Admit(*context, slot)) {
    return Refuse<BidiReactor>(*context, *error);
  }
  const auto stream = std::make_shared<HeartbeatStream>(parts_);
  auto* reactor = Begin<BidiReactor>(*context, stream, std::move(slot));
  // Whoever drains may have counted the streams before this one was there.
  if (gate_.state() == ServingGate::State::kDraining) stream->EndForDrain();
  return reactor;
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* PresenceService::WatchPresence(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  absl::optional<ConnectionStreams::Slot> slot;
  if (const auto error = Admit(*context, slot)) {
    return Refuse<ServerStreamReactor>(*context, *error);
  }
  ScratchArena arena;
  auto& message = arena.Create<v1::WatchPresenceRequest>();
  WatchOptions options;
  auto error =
      ParseMessage(*request, message)
          ? DecodeWatch(message, parts_.limits.max_watched_users, options)
          : MalformedMessage();
  if (!parts_.MaySee(options.terms.view)) error = SeeThroughDenied();
  if (error.has_value()) return Refuse<ServerStreamReactor>(*context, *error);
  const auto stream = std::make_shared<WatchStream>(parts_, std::move(options));
  auto* reactor = Begin<ServerStreamReactor>(*context, stream, std::move(slot));
  if (gate_.state() == ServingGate::State::kDraining) stream->EndForDrain();
  return reactor;
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>*
PresenceService::FollowPresence(grpc::CallbackServerContext* context) {
  absl::optional<ConnectionStreams::Slot> slot;
  if (const auto error = Admit(*context, slot)) {
    return Refuse<BidiReactor>(*context, *error);
  }
  const auto stream = std::make_shared<WatchStream>(parts_);
  auto* reactor = Begin<BidiReactor>(*context, stream, std::move(slot));
  if (gate_.state() == ServingGate::State::kDraining) stream->EndForDrain();
  return reactor;
}

grpc::ServerUnaryReactor* PresenceService::AwaitPresence(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  absl::optional<ConnectionStreams::Slot> slot;
  if (const auto error = Admit(*context, slot)) {
    return Finish(context, ToGrpcStatus(*error));
  }
  ScratchArena arena;
  auto& message = arena.Create<v1::AwaitPresenceRequest>();
  AwaitOptions options;
  auto error = ParseMessage(*request, message)
                   ? DecodeAwait(message, TimeLeft(*context), options)
                   : MalformedMessage();
  if (!parts_.MaySee(options.terms.view)) error = SeeThroughDenied();
  if (error.has_value()) return Finish(context, ToGrpcStatus(*error));
  auto share = awaited_users_.Take(options.weight);
  if (!share.has_value()) {
    return Finish(context,
                  ToGrpcStatus(TooManyAwaitedUsers(awaited_users_.most())));
  }
  const auto await = std::make_shared<AwaitCall>(parts_, std::move(options),
                                                 *std::move(share));
  auto* reactor = new UnaryReactor(*context, await, std::move(slot), *response);
  await->Start(*reactor);
  if (gate_.state() == ServingGate::State::kDraining) await->EndForDrain();
  return reactor;
}

grpc::ServerUnaryReactor* PresenceService::SendSignal(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  if (const auto error = gate_.Refusal()) {
    return Finish(context, ToGrpcStatus(*error));
  }
  return Finish(context, unary_.SendSignal(*request, *response));
}

grpc::ServerUnaryReactor* PresenceService::GetPresence(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Finish(context, unary_.GetPresence(*request, *response));
}

grpc::ServerUnaryReactor* PresenceService::BatchGetPresences(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Finish(context, unary_.BatchGetPresences(*request, *response));
}

grpc::ServerUnaryReactor* PresenceService::ListPresences(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Finish(context, unary_.ListPresences(*request, *response));
}

grpc::ServerUnaryReactor* PresenceService::CountPresences(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Finish(context, unary_.CountPresences(*request, *response));
}

grpc::ServerUnaryReactor* PresenceService::ListSessions(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Finish(context, unary_.ListSessions(*request, *response));
}

grpc::ServerUnaryReactor* PresenceService::ExplainPresence(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Finish(context, unary_.ExplainPresence(*request, *response));
}

grpc::ServerUnaryReactor* PresenceService::GetRoom(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Finish(context, unary_.GetRoom(*request, *response));
}

}  // namespace lifesign
