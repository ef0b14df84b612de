// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "lifesign/client/session.h"

#include <utility>

#include "lifesign/client/internal/heartbeat_stream.h"
#include "lifesign/client/internal/validate.h"

namespace lifesign::client {
namespace {

using internal::HeartbeatLogic;
using internal::HeartbeatStream;

// The only session of its stream.
constexpr Handle kOnly = 1;

SessionStatus StatusOf(const HeartbeatLogic& logic, RealTime now) {
  return logic.StatusOf(kOnly, now).value_or(SessionStatus());
}

}  // namespace

absl::StatusOr<std::unique_ptr<Session>> Session::Open(
    std::shared_ptr<grpc::Channel> channel, SessionSpec spec,
    SessionOptions options) {
  absl::Status fault = internal::ValidateTenant(options.tenant);
  fault.Update(internal::ValidateSpec(spec));
  if (!fault.ok()) return fault;

  HeartbeatLogic::Options logic;
  logic.tenant = std::move(options.tenant);
  logic.report_interaction_after = options.report_interaction_after;
  // Tells the status of its only session, whatever has changed in it.
  const auto teller = std::make_shared<std::weak_ptr<HeartbeatStream>>();
  HeartbeatStream::Callbacks callbacks;
  if (options.on_status) {
    callbacks.on_session = [on_status = options.on_status](
                               Handle, const SessionStatus& status) {
      on_status(status);
    };
    callbacks.on_link = [on_status = std::move(options.on_status),
                         teller](Link) {
      if (const auto stream = teller->lock()) on_status(stream->Ask(StatusOf));
    };
  }
  auto stream = std::make_shared<HeartbeatStream>(
      std::move(channel), std::move(logic), std::move(callbacks));
  *teller = stream;
  const absl::StatusOr<Handle> opened =
      stream->Do([&spec](auto& its_logic, RealTime now) {
        return its_logic.Open(spec, now);
      });
  if (!opened.ok()) return opened.status();
  return std::unique_ptr<Session>(new Session(std::move(stream)));
}

Session::Session(std::shared_ptr<HeartbeatStream> stream)
    : stream_(std::move(stream)) {}

Session::~Session() { stream_->Close(); }

void Session::Interacted() {
  stream_->Do([](auto& logic, RealTime now) { logic.Interacted(kOnly, now); });
}

void Session::SetLifecycle(Lifecycle lifecycle) {
  stream_->Do([lifecycle](auto& logic, RealTime now) {
    logic.Signal(kOnly, lifecycle, absl::nullopt, now);
  });
}

absl::Status Session::JoinRoom(absl::string_view room) {
  return stream_->Do([room](auto& logic, RealTime now) {
    return logic.JoinRoom(kOnly, room, now);
  });
}

absl::Status Session::LeaveRoom(absl::string_view room) {
  return stream_->Do([room](auto& logic, RealTime now) {
    return logic.LeaveRoom(kOnly, room, now);
  });
}

absl::Status Session::SetAvailability(const Availability& availability) {
  return stream_->Do([&availability](auto& logic, RealTime now) {
    return logic.SetAvailability(kOnly, availability, now);
  });
}

void Session::OnNetworkChange() { stream_->OnNetworkChange(); }

void Session::Leave(Duration linger) {
  stream_->Do(
      [linger](auto& logic, RealTime now) { logic.Leave(kOnly, linger, now); });
}

SessionStatus Session::status() const { return stream_->Ask(StatusOf); }

HeartbeatCounters Session::counters() const {
  return stream_->Ask(
      [](const HeartbeatLogic& logic, RealTime) { return logic.counters(); });
}

bool Session::Await(const std::function<bool(const SessionStatus&)>& condition,
                    Duration timeout) const {
  return stream_->Await(
      [&condition](const HeartbeatLogic& logic, RealTime now) {
        return condition(StatusOf(logic, now));
      },
      timeout);
}

}  // namespace lifesign::client
