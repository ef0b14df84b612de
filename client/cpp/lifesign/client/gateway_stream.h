// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Many sessions on one stream: what a gateway, or a simulated fleet, runs.
#ifndef LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_GATEWAY_STREAM_H_
#define LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_GATEWAY_STREAM_H_

#include <grpcpp/channel.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "lifesign/client/session_status.h"

namespace lifesign::client {

namespace internal {
class HeartbeatStream;
}  // namespace internal

struct GatewayOptions {
  // Empty: the caller's own.
  std::string tenant = {};
  Beats beats = Beats::kByCaller;
  // See SessionOptions.
  absl::optional<Duration> report_interaction_after = absl::nullopt;
  // Told of a session when the state, the promise, the attachment, the end or
  // the error in its status has changed. Of several changes of a session only
  // the newest may be told. Threads: see SessionOptions::on_status.
  std::function<void(Handle, const SessionStatus&)> on_session = nullptr;
  // Told when `link` has changed.
  std::function<void(Link)> on_link = nullptr;
};

// Holds up to 20,000 sessions on one stream. Whatever is said while a message
// is under way shares the next one; of each session only the newest is sent, so
// that nothing queues up behind a slow server. After a reconnect all sessions
// are opened again as the same instances.
//
// When the object is destroyed, sessions that were told to leave still do; the
// others stay, and decay.
//
// Thread-safe.
class GatewayStream {
 public:
  // Connects with the first session. Never null.
  static std::unique_ptr<GatewayStream> Make(
      std::shared_ptr<grpc::Channel> channel, GatewayOptions options = {});

  // No callback runs after it, except the one that is destroying it.
  ~GatewayStream();

  GatewayStream(const GatewayStream&) = delete;
  GatewayStream& operator=(const GatewayStream&) = delete;

  // Begins to hold a session. The answer comes by `on_session`.
  //   INVALID_ARGUMENT    see Session::Open
  //   ALREADY_EXISTS      held already: `Detach` or `Leave` it first
  //   RESOURCE_EXHAUSTED  20,000 sessions are held
  //   FAILED_PRECONDITION the server refuses the stream for good (its tenant)
  absl::StatusOr<Handle> Open(const SessionSpec& spec);

  // The client said so. kActive: an interaction `idle_for` ago. With the other
  // kinds `idle_for`, if given, is when the last interaction was. Sent with the
  // next message; under Beats::kByStream as Session::SetLifecycle would.
  // A handle that names no session is ignored, here and below: the client's
  // word and the session's end may cross.
  void Signal(Handle handle, Lifecycle lifecycle,
              absl::optional<Duration> idle_for = absl::nullopt);

  // The client's person interacted, now: sent at once or with the next beat, as
  // Session::Interacted.
  void Interacted(Handle handle);

  // The client's session joins a room, or leaves it. See Session::JoinRoom.
  absl::Status JoinRoom(Handle handle, absl::string_view room);
  absl::Status LeaveRoom(Handle handle, absl::string_view room);

  // The client's user declares something about themselves. See
  // Session::SetAvailability.
  absl::Status SetAvailability(Handle handle, const Availability& availability);

  // The client's connection broke; its session stays and decays.
  void Detach(Handle handle);

  // The client left. See Session::Leave.
  void Leave(Handle handle, Duration linger = Duration::zero());

  // See Session::OnNetworkChange.
  void OnNetworkChange();

  // None if `handle` names no session. An ended session is known until its end
  // was told by `on_session`.
  absl::optional<SessionStatus> status(Handle handle) const;
  Link link() const;
  // The newest error that ended a stream; OK once another one has answered.
  Error last_error() const;
  // Sessions held, ending ones included.
  size_t size() const;
  HeartbeatCounters counters() const;

  // Waits until the server has answered everything that was said before, at
  // most `timeout`, and returns whether it has.
  // REQUIRES: not on the callback thread.
  bool AwaitSettled(Duration timeout) const;

 private:
  explicit GatewayStream(std::shared_ptr<internal::HeartbeatStream> stream);

  const std::shared_ptr<internal::HeartbeatStream> stream_;
};

}  // namespace lifesign::client

#endif  // LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_GATEWAY_STREAM_H_
