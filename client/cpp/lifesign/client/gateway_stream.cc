// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "lifesign/client/gateway_stream.h"

#include <utility>

#include "lifesign/client/internal/heartbeat_stream.h"

namespace lifesign::client {

using internal::HeartbeatLogic;
using internal::HeartbeatStream;

std::unique_ptr<GatewayStream> GatewayStream::Make(
    std::shared_ptr<grpc::Channel> channel, GatewayOptions options) {
  HeartbeatLogic::Options logic;
  logic.tenant = std::move(options.tenant);
  logic.report_interaction_after = options.report_interaction_after;
  logic.beats = options.beats == Beats::kByStream;
  logic.ends_with_sessions = false;
  HeartbeatStream::Callbacks callbacks;
  callbacks.on_session = std::move(options.on_session);
  callbacks.on_link = std::move(options.on_link);
  callbacks.forgets_ended = true;
  return std::unique_ptr<GatewayStream>(
      new GatewayStream(std::make_shared<HeartbeatStream>(
          std::move(channel), std::move(logic), std::move(callbacks))));
}

GatewayStream::GatewayStream(std::shared_ptr<HeartbeatStream> stream)
    : stream_(std::move(stream)) {}

GatewayStream::~GatewayStream() { stream_->Close(); }

absl::StatusOr<Handle> GatewayStream::Open(const SessionSpec& spec) {
  return stream_->Do(
      [&spec](auto& logic, RealTime now) { return logic.Open(spec, now); });
}

void GatewayStream::Signal(Handle handle, Lifecycle lifecycle,
                           absl::optional<Duration> idle_for) {
  stream_->Do([=](auto& logic, RealTime now) {
    logic.Signal(handle, lifecycle, idle_for, now);
  });
}

void GatewayStream::Interacted(Handle handle) {
  stream_->Do(
      [handle](auto& logic, RealTime now) { logic.Interacted(handle, now); });
}

absl::Status GatewayStream::JoinRoom(Handle handle, absl::string_view room) {
  return stream_->Do([=](auto& logic, RealTime now) {
    return logic.JoinRoom(handle, room, now);
  });
}

absl::Status GatewayStream::LeaveRoom(Handle handle, absl::string_view room) {
  return stream_->Do([=](auto& logic, RealTime now) {
    return logic.LeaveRoom(handle, room, now);
  });
}

absl::Status GatewayStream::SetAvailability(Handle handle,
                                            const Availability& availability) {
  return stream_->Do([&](auto& logic, RealTime now) {
    return logic.SetAvailability(handle, availability, now);
  });
}

void GatewayStream::Detach(Handle handle) {
  stream_->Do(
      [handle](auto& logic, RealTime now) { logic.Detach(handle, now); });
}

void GatewayStream::Leave(Handle handle, Duration linger) {
  stream_->Do(
      [=](auto& logic, RealTime now) { logic.Leave(handle, linger, now); });
}

void GatewayStream::OnNetworkChange() { stream_->OnNetworkChange(); }

absl::optional<SessionStatus> GatewayStream::status(Handle handle) const {
  return stream_->Ask([handle](const HeartbeatLogic& logic, RealTime now) {
    return logic.StatusOf(handle, now);
  });
}

Link GatewayStream::link() const {
  return stream_->Ask(
      [](const HeartbeatLogic& logic, RealTime) { return logic.link(); });
}

Error GatewayStream::last_error() const {
  return stream_->Ask(
      [](const HeartbeatLogic& logic, RealTime) { return logic.last_error(); });
}

size_t GatewayStream::size() const {
  return stream_->Ask(
      [](const HeartbeatLogic& logic, RealTime) { return logic.held(); });
}

HeartbeatCounters GatewayStream::counters() const {
  return stream_->Ask(
      [](const HeartbeatLogic& logic, RealTime) { return logic.counters(); });
}

bool GatewayStream::AwaitSettled(Duration timeout) const {
  stream_->Do([](auto& logic, RealTime now) { logic.Ask(now); });
  return stream_->Await(
      [](const HeartbeatLogic& logic, RealTime) { return logic.Settled(); },
      timeout);
}

}  // namespace lifesign::client
