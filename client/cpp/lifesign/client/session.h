// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// One session, held for as long as the object lives: what an app, a tab or a
// process of a user runs.
#ifndef LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_SESSION_H_
#define LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_SESSION_H_

#include <grpcpp/channel.h>

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

struct SessionOptions {
  // Empty: the caller's own.
  std::string tenant = {};
  // An interaction is reported at once when the last one reported is older than
  // this, else with the next beat. Not given: what the server tells for the
  // session, `report_after` in its status.
  absl::optional<Duration> report_interaction_after = absl::nullopt;
  // Told when the link, the state, the promise, the attachment, the end or the
  // error in `status` has changed. Calls never overlap; of several changes only
  // the newest may be told. Runs on the
  // library's callback thread, which all objects of the process share, without
  // a lock held: it may call this object, also destroy it, but must not block.
  std::function<void(const SessionStatus&)> on_status = nullptr;
};

// Opens a session and keeps its promises: beats at the interval the server
// names (10 % jitter either way), reports news at once, never queues (only the
// newest is sent), reconnects as the same instance, moves on when the server
// drains, opens anew when the server no longer knows it, and stops when another
// instance takes it over. Knows nothing of state: that is derived, and told.
//
//   auto session = Session::Open(MakeChannel("localhost:7400"),
//                                {.user_id = "ann", .session_id = "laptop"});
//   (*session)->Interacted();            // on input; as often as you like
//   (*session)->SetLifecycle(Lifecycle::kBackground);
//   (*session)->Leave();                 // at logout
//
// Destroying it without `Leave` is like losing the network: the session decays.
// After `Leave` it may be destroyed at once; the library goes on telling it,
// for as long as the process lives.
//
// Cheap: no thread of its own; thousands fit a process (at most 1,000 streams
// a channel). Thread-safe.
class Session {
 public:
  // Starts to open the session; does not wait for the server.
  //   INVALID_ARGUMENT  ids or metadata that are not UTF-8, empty or too long.
  //                     What else is wrong the server says, in `status`.
  static absl::StatusOr<std::unique_ptr<Session>> Open(
      std::shared_ptr<grpc::Channel> channel, SessionSpec spec,
      SessionOptions options = {});

  // No callback runs after it, except the one that is destroying it.
  ~Session();

  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // The person interacted, now. Also says that the client is in use: ends
  // kIdle and kBackground. Cheap enough for every key stroke.
  void Interacted();

  // The client's lifecycle changed: told at once. kActive counts as an
  // interaction. Nothing happens if it has not changed, except that kActive is
  // an interaction again.
  void SetLifecycle(Lifecycle lifecycle);

  // Joins a room, or leaves it: told at once. Idempotent. The session is put
  // into its rooms again whenever it is opened again.
  //   INVALID_ARGUMENT    `room` is not UTF-8, empty or longer than 128 bytes
  //   RESOURCE_EXHAUSTED  (JoinRoom) it would be in more than 100 rooms
  // Of rooms that others put it in, only the server knows: then its error
  // TOO_MANY_ROOMS comes by the status, and nothing was joined.
  absl::Status JoinRoom(absl::string_view room);
  absl::Status LeaveRoom(absl::string_view room);

  // The user declares something about themselves; told at once, or with the
  // next open. After a reconnect a server that holds nothing of the user (it
  // was started anew) is told again.
  //   INVALID_ARGUMENT  no kind, or a text or an expiry that no server takes
  absl::Status SetAvailability(const Availability& availability);

  // The network changed, or the machine slept: asks the server for an answer,
  // and takes the link for broken without one within 10 s. While waiting to
  // reconnect, the attempt is made at once, unless the server named its time.
  void OnNetworkChange();

  // Ends the session, `linger` (0 to 10 s, clamped) from now unless it is
  // opened again before. Told at once, on the stream or, when that is broken,
  // by a call of its own. Final for this object; only the first call counts.
  void Leave(Duration linger = Duration::zero());

  SessionStatus status() const;
  HeartbeatCounters counters() const;

  // Waits until `condition` holds of the status, at most `timeout`. Returns
  // whether it holds. `condition` is asked with a lock held: it must not call
  // this object. REQUIRES: not on the callback thread.
  bool Await(const std::function<bool(const SessionStatus&)>& condition,
             Duration timeout) const;

 private:
  explicit Session(std::shared_ptr<internal::HeartbeatStream> stream);

  const std::shared_ptr<internal::HeartbeatStream> stream_;
};

}  // namespace lifesign::client

#endif  // LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_SESSION_H_
