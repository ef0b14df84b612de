// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/unary/unary_calls.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "lifesign/v1/presence_service.pb.h"
#include "server/base/limits.h"
#include "server/transport/codec/bytes.h"
#include "server/transport/codec/decode.h"
#include "server/transport/codec/decode_query.h"
#include "server/transport/codec/encode.h"
#include "server/transport/codec/encode_query.h"
#include "server/transport/codec/read_time.h"
#include "server/transport/codec/refusal_error.h"
#include "server/transport/heartbeat/heartbeat_stream.h"

namespace lifesign {
namespace {

// Parses, lets `answer` fill in the response or say what is wrong, serializes.
template <typename Request, typename Response, typename Answer>
grpc::Status Call(const grpc::ByteBuffer& request_bytes,
                  grpc::ByteBuffer& response_bytes, const Answer& answer) {
  ScratchArena arena;
  auto& request = arena.Create<Request>();
  if (!ParseMessage(request_bytes, request)) {
    return ToGrpcStatus(MalformedMessage());
  }
  if (!ResolveTenant(request.tenant()).has_value()) {
    return ToGrpcStatus(TenantDenied());
  }
  auto& response = arena.Create<Response>();
  const absl::optional<ApiError> error = answer(request, response);
  if (error.has_value()) return ToGrpcStatus(*error);
  response_bytes = SerializeToBytes(response);
  return grpc::Status::OK;
}

// What is wrong with the `user_id` of a request about one user.
template <typename Request>
absl::optional<ApiError> UserError(const Request& request) {
  FieldFaults faults;
  CheckId(request.user_id(), "user_id", faults);
  if (faults.empty()) return absl::nullopt;
  return std::move(faults).ToError();
}

absl::optional<ApiError> Open(const ServerParts& parts,
                              const OpenRequest& request, const Now& now,
                              v1::SendSignalResponse& response) {
  const OpenOutcome outcome = parts.engine.Open(request, now);
  if (!outcome.ok()) {
    return RefusalError(outcome.refusal, outcome.retry_after,
                        parts.limits.max_sessions_per_user);
  }
  if (outcome.taken_over.has_value() && !outcome.taken_over->unary()) {
    const auto stream = parts.heartbeats.Find(outcome.taken_over->stream);
    if (stream != nullptr) stream->OnTakenOver(outcome.taken_over->handle);
  }
  response.set_attachment(outcome.ref.attachment);
  response.set_resumed(outcome.resumed);
  response.set_state(EncodeState(outcome.state));
  EncodeDuration(outcome.next_interval, *response.mutable_next_interval());
  EncodeDuration(outcome.report_after, *response.mutable_report_after());
  return absl::nullopt;
}

absl::optional<ApiError> Apply(const ServerParts& parts,
                               const UnarySignal& signal, const Now& now,
                               v1::SendSignalResponse& response) {
  const SignalOutcome outcome = parts.engine.ApplyUnary(
      signal.name, signal.attachment, signal.signal, now, signal.declaration);
  if (!outcome.ok()) {
    return RefusalError(outcome.refusal, Duration(0),
                        parts.limits.max_sessions_per_user);
  }
  const bool leaves = signal.signal.kind == SignalKind::kLeave;
  response.set_attachment(leaves ? kNoAttachment : signal.attachment);
  response.set_state(EncodeState(outcome.state));
  if (!leaves && signal.signal.kind != SignalKind::kDetach) {
    EncodeDuration(outcome.next_interval, *response.mutable_next_interval());
  }
  return absl::nullopt;
}

// The word of a user for whom no session speaks.
absl::optional<ApiError> Declare(const ServerParts& parts,
                                 const UnarySignal& signal, const Now& now) {
  const Refusal refusal = parts.engine.Declare(
      signal.name.user, *signal.declaration.availability, now);
  if (refusal == Refusal::kNone) return absl::nullopt;
  return RefusalError(refusal, Duration(0), parts.limits.max_sessions_per_user);
}

absl::optional<ApiError> BatchError(
    const v1::BatchGetPresencesRequest& request) {
  FieldFaults faults;
  if (request.user_ids_size() > limits::kMaxBatchUsers) {
    faults.AddLimit("user_ids", "max_batch_users", "at most 1,000");
    return std::move(faults).ToError();
  }
  for (int i = 0; i < request.user_ids_size(); ++i) {
    CheckId(request.user_ids(i), absl::StrCat("user_ids[", i, "]"), faults);
  }
  if (faults.empty()) return absl::nullopt;
  return std::move(faults).ToError();
}

absl::optional<ApiError> ExplainError(
    const v1::ExplainPresenceRequest& request) {
  FieldFaults faults;
  CheckId(request.user_id(), "user_id", faults);
  if (!request.room_id().empty()) CheckId(request.room_id(), "room_id", faults);
  if (faults.empty()) return absl::nullopt;
  return std::move(faults).ToError();
}

absl::optional<ApiError> RoomError(const v1::GetRoomRequest& request) {
  FieldFaults faults;
  CheckId(request.room_id(), "room_id", faults);
  if (!request.intents_for_user_id().empty()) {
    CheckId(request.intents_for_user_id(), "intents_for_user_id", faults);
  }
  if (faults.empty()) return absl::nullopt;
  return std::move(faults).ToError();
}

}  // namespace

grpc::Status UnaryCalls::SendSignal(const grpc::ByteBuffer& request,
                                    grpc::ByteBuffer& response) const {
  return Call<v1::SendSignalRequest, v1::SendSignalResponse>(
      request, response,
      [&](const auto& message, auto& answer) -> absl::optional<ApiError> {
        UnarySignal signal;
        if (auto error = DecodeSendSignal(message, signal)) return error;
        const Now now = parts_.time.Read();
        EncodeTime(now.wall, *answer.mutable_read_time());
        if (signal.of_user) return Declare(parts_, signal, now);
        return signal.open.has_value() ? Open(parts_, *signal.open, now, answer)
                                       : Apply(parts_, signal, now, answer);
      });
}

grpc::Status UnaryCalls::GetPresence(const grpc::ByteBuffer& request,
                                     grpc::ByteBuffer& response) const {
  return Call<v1::GetPresenceRequest, v1::GetPresenceResponse>(
      request, response,
      [&](const auto& message, auto& answer) -> absl::optional<ApiError> {
        const auto view =
            ResolveView(message.see_through(), parts_.may_see_through);
        if (!view.has_value()) return SeeThroughDenied();
        if (auto error = UserError(message)) return error;
        const Now now = parts_.time.Read();
        EncodeUser(parts_.engine.GetUser(message.user_id(), now, *view),
                   *answer.mutable_presence());
        EncodeReadTime(parts_.engine, now, answer);
        return absl::nullopt;
      });
}

grpc::Status UnaryCalls::BatchGetPresences(const grpc::ByteBuffer& request,
                                           grpc::ByteBuffer& response) const {
  return Call<v1::BatchGetPresencesRequest, v1::BatchGetPresencesResponse>(
      request, response,
      [&](const auto& message, auto& answer) -> absl::optional<ApiError> {
        const auto view =
            ResolveView(message.see_through(), parts_.may_see_through);
        if (!view.has_value()) return SeeThroughDenied();
        if (auto error = BatchError(message)) return error;
        Now now = parts_.time.Read();
        for (const std::string& user : message.user_ids()) {
          now = parts_.time.Read();
          EncodeUser(parts_.engine.GetUser(user, now, *view),
                     *answer.add_presences());
        }
        EncodeReadTime(parts_.engine, now, answer);
        return absl::nullopt;
      });
}

grpc::Status UnaryCalls::ListPresences(const grpc::ByteBuffer& request,
                                       grpc::ByteBuffer& response) const {
  return Call<v1::ListPresencesRequest, v1::ListPresencesResponse>(
      request, response,
      [&](const auto& message, auto& answer) -> absl::optional<ApiError> {
        if (!ResolveView(message.see_through(), parts_.may_see_through)
                 .has_value()) {
          return SeeThroughDenied();
        }
        const Now now = parts_.time.Read();
        const Revision epoch = parts_.engine.epoch();
        ListOptions options;
        if (auto error = DecodeList(message, epoch, now, options)) return error;
        const PresencePage page = parts_.engine.List(
            options.filter, options.from, options.page_size, now);
        for (const UserView& user : page.users) {
          EncodeUser(user, *answer.add_presences());
        }
        if (page.next.has_value()) {
          answer.set_next_page_token(
              NextPageToken(message, options, *page.next, epoch, now));
        }
        EncodeReadTime(parts_.engine, now, answer);
        return absl::nullopt;
      });
}

grpc::Status UnaryCalls::CountPresences(const grpc::ByteBuffer& request,
                                        grpc::ByteBuffer& response) const {
  return Call<v1::CountPresencesRequest, v1::CountPresencesResponse>(
      request, response,
      [&](const auto& message, auto& answer) -> absl::optional<ApiError> {
        absl::string_view room;
        if (auto error = DecodeCount(message, room)) return error;
        const auto view =
            ResolveView(message.see_through(), parts_.may_see_through);
        if (!view.has_value()) return SeeThroughDenied();
        const Now now = parts_.time.Read();
        if (room.empty()) {
          EncodeCounts(parts_.engine.Counts(*view), now, answer);
        } else {
          EncodeRoomCounts(parts_.engine.GetOccupancy(room, now, *view), now,
                           answer);
        }
        EncodeReadTime(parts_.engine, now, answer);
        return absl::nullopt;
      });
}

grpc::Status UnaryCalls::ListSessions(const grpc::ByteBuffer& request,
                                      grpc::ByteBuffer& response) const {
  return Call<v1::ListSessionsRequest, v1::ListSessionsResponse>(
      request, response,
      [&](const auto& message, auto& answer) -> absl::optional<ApiError> {
        const auto view =
            ResolveView(message.see_through(), parts_.may_see_through);
        if (!view.has_value()) return SeeThroughDenied();
        if (auto error = UserError(message)) return error;
        const Now now = parts_.time.Read();
        for (const SessionView& session :
             parts_.engine.ListSessions(message.user_id(), now, *view)) {
          EncodeSession(session, *answer.add_sessions());
        }
        EncodeReadTime(parts_.engine, now, answer);
        return absl::nullopt;
      });
}

grpc::Status UnaryCalls::ExplainPresence(const grpc::ByteBuffer& request,
                                         grpc::ByteBuffer& response) const {
  return Call<v1::ExplainPresenceRequest, v1::ExplainPresenceResponse>(
      request, response,
      [&](const auto& message, auto& answer) -> absl::optional<ApiError> {
        const auto view =
            ResolveView(message.see_through(), parts_.may_see_through);
        if (!view.has_value()) return SeeThroughDenied();
        if (auto error = ExplainError(message)) return error;
        const Now now = parts_.time.Read();
        EncodeExplanation(parts_.engine.Explain(message.user_id(), now,
                                                message.room_id(), *view),
                          answer);
        EncodeReadTime(parts_.engine, now, answer);
        return absl::nullopt;
      });
}

grpc::Status UnaryCalls::GetRoom(const grpc::ByteBuffer& request,
                                 grpc::ByteBuffer& response) const {
  return Call<v1::GetRoomRequest, v1::GetRoomResponse>(
      request, response,
      [&](const auto& message, auto& answer) -> absl::optional<ApiError> {
        const auto view =
            ResolveView(message.see_through(), parts_.may_see_through);
        if (!view.has_value()) return SeeThroughDenied();
        if (auto error = RoomError(message)) return error;
        const Now now = parts_.time.Read();
        EncodeOccupancy(
            message.room_id(),
            parts_.engine.GetOccupancy(message.room_id(), now, *view),
            *answer.mutable_occupancy());
        if (!message.intents_for_user_id().empty()) {
          for (const IntentView& intent : parts_.engine.IntentsTowards(
                   message.room_id(), message.intents_for_user_id(), now,
                   *view)) {
            EncodeIntent(intent, *answer.add_intents());
          }
        }
        EncodeReadTime(parts_.engine, now, answer);
        return absl::nullopt;
      });
}

}  // namespace lifesign
