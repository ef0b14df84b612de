// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/client/heartbeat_world.h"

#include <algorithm>
#include <cassert>

#include "google/rpc/error_details.pb.h"
#include "lifesign/client/internal/proto_time.h"

namespace lifesign::client::internal {

google::rpc::Status MakeStatus(grpc::StatusCode code, v1::ErrorReason reason,
                               absl::optional<Duration> retry_delay) {
  google::rpc::Status status;
  status.set_code(code);
  status.set_message("as scripted");
  google::rpc::ErrorInfo info;
  info.set_domain("presence.lifesign.dev");
  info.set_reason(
      v1::ErrorReason_Name(reason).substr(sizeof("ERROR_REASON_") - 1));
  status.add_details()->PackFrom(info);
  if (retry_delay.has_value()) {
    google::rpc::RetryInfo retry;
    ToProto(*retry_delay, *retry.mutable_retry_delay());
    status.add_details()->PackFrom(retry);
  }
  return status;
}

HeartbeatWorld::HeartbeatWorld(HeartbeatLogic::Options options, uint64_t seed)
    : random(seed), logic(std::move(options), *this, random) {}

void HeartbeatWorld::Advance(Duration by) {
  const RealTime end = now + by;
  while (logic.NextDeadline() <= end) {
    now = std::max(now, logic.NextDeadline());
    logic.OnTimer(now);
    Settle();
  }
  now = end;
}

void HeartbeatWorld::Sleep(Duration by) {
  now += by;
  logic.OnTimer(now);
  Settle();
}

void HeartbeatWorld::EndStream(grpc::StatusCode code, v1::ErrorReason reason,
                               absl::optional<Duration> retry_delay) {
  assert(streaming);
  streaming = false;
  writing_ = nullptr;
  Error error;
  if (code != grpc::StatusCode::OK) {
    error = ErrorFrom(MakeStatus(code, reason, retry_delay));
  }
  logic.OnStreamEnded(error, now);
  Settle();
}

void HeartbeatWorld::Send(const v1::HeartbeatResponse& response) {
  assert(streaming);
  logic.OnResponse(response, now);
  Settle();
}

void HeartbeatWorld::SendError(Handle handle, grpc::StatusCode code,
                               v1::ErrorReason reason, uint64_t message,
                               absl::optional<Duration> retry_delay) {
  v1::HeartbeatResponse response;
  response.set_acked(received);
  v1::HeartbeatError& error = *response.add_errors();
  error.set_handle(handle);
  error.set_message(message);
  *error.mutable_status() = MakeStatus(code, reason, retry_delay);
  if (reason == v1::ERROR_REASON_SESSION_TAKEN_OVER ||
      reason == v1::ERROR_REASON_UNKNOWN_HANDLE) {
    bound.erase(handle);
  }
  Send(response);
}

void HeartbeatWorld::SendDrain(Duration delay) {
  v1::HeartbeatResponse response;
  response.set_acked(received);
  ToProto(delay, *response.mutable_drain()->mutable_reconnect_delay());
  Send(response);
}

void HeartbeatWorld::Acknowledge() {
  v1::HeartbeatResponse response;
  response.set_acked(received);
  Send(response);
}

void HeartbeatWorld::AnswerCall(size_t index, grpc::StatusCode code) {
  Error error;
  if (code != grpc::StatusCode::OK) {
    error = ErrorFrom(MakeStatus(code, v1::ERROR_REASON_UNSPECIFIED));
  }
  logic.OnLeaveAnswered(called.at(index).handle, error, now);
  Settle();
}

void HeartbeatWorld::Settle() {
  while (streaming) {
    if (cancelled || half_closed) {
      const bool broken = cancelled;
      streaming = false;
      writing_ = nullptr;
      Error error;
      if (broken) error.code = grpc::StatusCode::CANCELLED;
      logic.OnStreamEnded(error, now);
    } else if (writing_ != nullptr && takes_writes) {
      const v1::HeartbeatRequest message = *std::exchange(writing_, nullptr);
      ++received;
      const v1::HeartbeatResponse answer = AnswerTo(message);
      logic.OnWritten(true, now);
      if (answers && (message.answer_now() || answer.updates_size() > 0 ||
                      answer.errors_size() > 0)) {
        logic.OnResponse(answer, now);
      }
    } else {
      return;
    }
  }
}

Handle HeartbeatWorld::Open(const std::string& user, const std::string& session,
                            absl::optional<Lifecycle> lifecycle) {
  SessionSpec spec;
  spec.user_id = user;
  spec.session_id = session;
  spec.lifecycle = lifecycle;
  const absl::StatusOr<Handle> handle = logic.Open(spec, now);
  assert(handle.ok());
  Settle();
  return *handle;
}

SessionStatus HeartbeatWorld::Status(Handle handle) const {
  const absl::optional<SessionStatus> status = logic.StatusOf(handle, now);
  assert(status.has_value());
  return *status;
}

bool HeartbeatWorld::BeginStream() {
  assert(!streaming);
  streaming = true;
  half_closed = false;
  cancelled = false;
  received = 0;
  bound.clear();
  kinds.clear();
  begun.push_back(now);
  return connection_stands;
}

void HeartbeatWorld::Write(const v1::HeartbeatRequest& message) {
  assert(streaming && writing_ == nullptr && !half_closed && !cancelled);
  writing_ = &message;
  said.push_back({now, message});
}

void HeartbeatWorld::CallLeave(Handle handle,
                               const v1::SendSignalRequest& request) {
  called.push_back({now, handle, request});
}

void HeartbeatWorld::Update(Handle handle, v1::SignalKind kind,
                            v1::HeartbeatResponse& response) {
  kinds[handle] = kind;
  v1::SessionUpdate& update = *response.add_updates();
  update.set_handle(handle);
  update.set_state(kind == v1::SIGNAL_KIND_ACTIVE ? v1::PRESENCE_STATE_ACTIVE
                                                  : v1::PRESENCE_STATE_IDLE);
  ToProto(intervals.at(kind), *update.mutable_next_interval());
}

v1::HeartbeatResponse HeartbeatWorld::AnswerTo(
    const v1::HeartbeatRequest& message) {
  v1::HeartbeatResponse response;
  response.set_acked(received);
  for (const v1::Open& open : message.opens()) {
    if (refuses_opens != grpc::StatusCode::OK) {
      v1::HeartbeatError& error = *response.add_errors();
      error.set_message(received);
      error.set_handle(open.handle());
      *error.mutable_status() =
          MakeStatus(refuses_opens, v1::ERROR_REASON_UNSPECIFIED);
      continue;
    }
    bound[open.handle()] = open.user_id() + "/" + open.session_id();
    Update(open.handle(), open.kind(), response);
    v1::OpenResult& opened =
        *response.mutable_updates()->rbegin()->mutable_opened();
    opened.set_attachment(++attachments_);
    opened.set_resumed(attachments_ > 1);
    if (report_after.has_value()) {
      ToProto(*report_after, *opened.mutable_report_after());
    }
  }
  for (const v1::Signal& signal : message.signals()) {
    if (bound.count(signal.handle()) == 0) {
      v1::HeartbeatError& error = *response.add_errors();
      error.set_message(received);
      error.set_handle(signal.handle());
      *error.mutable_status() = MakeStatus(grpc::StatusCode::NOT_FOUND,
                                           v1::ERROR_REASON_UNKNOWN_HANDLE);
    } else if (signal.kind() == v1::SIGNAL_KIND_LEAVE ||
               signal.kind() == v1::SIGNAL_KIND_DETACH) {
      if (!signal.has_linger()) bound.erase(signal.handle());
    } else if (kinds[signal.handle()] != signal.kind()) {
      Update(signal.handle(), signal.kind(), response);
    }
  }
  return response;
}

}  // namespace lifesign::client::internal
