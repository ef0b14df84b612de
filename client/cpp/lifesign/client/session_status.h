// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What is said of a session, and what its holder knows about it.
#ifndef LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_SESSION_STATUS_H_
#define LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_SESSION_STATUS_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "absl/types/optional.h"
#include "lifesign/client/error.h"
#include "lifesign/v1/presence.pb.h"

namespace lifesign::client {

using Duration = std::chrono::microseconds;

// Where the client of a session stands.
enum class Lifecycle {
  // In the foreground, in use. Beats tell how old the last interaction is; that
  // age alone makes the state decay.
  kActive,
  // In the foreground, known to be unattended (a locked screen).
  kIdle,
  // In the background.
  kBackground,
};

// What a user declares about themselves; docs/concepts.md § 13. It is the
// user's, not the session's: it outlasts the session, and what another device
// declares later replaces it.
struct Availability {
  // AVAILABLE without text takes back whatever was declared.
  v1::AvailabilityKind kind = v1::AVAILABILITY_KIND_AVAILABLE;
  // Up to 256 bytes; empty: none.
  std::string text = {};
  // Not given: until it is replaced.
  absl::optional<Duration> expires_in = absl::nullopt;
};

// Which session is to be held, and how it begins.
struct SessionSpec {
  // Required: the rules of ids stand at the top of presence_service.proto.
  std::string user_id = {};
  // Required. Stable over reconnects, unique for each tab, process or device of
  // the user; never copied to another one.
  std::string session_id = {};
  // UNSPECIFIED: OTHER for a new session.
  v1::DeviceClass device_class = v1::DEVICE_CLASS_UNSPECIFIED;
  // Not given: a resumed session keeps what it has.
  absl::optional<std::map<std::string, std::string>> metadata = absl::nullopt;
  // Given (also empty): the session is in these rooms and no others, from the
  // open on, and what JoinRoom and LeaveRoom make of them; it is put there anew
  // with every open. At most 100. Not given: a resumed session stays in the
  // rooms that it is in, whoever joined them.
  absl::optional<std::set<std::string>> rooms = absl::nullopt;
  // Of a user who was a guest until now: the guest, whose session of this
  // `session_id` goes on as the user's. Let go of the guest's own Session
  // first, without `Leave`: it would open it again.
  std::string guest_user_id = {};
  // The first signal, applied with the open: a login is one change. Not given:
  // connecting alone says nothing, and beats say kIdle.
  absl::optional<Lifecycle> lifecycle = Lifecycle::kActive;
  // Declared in the same step. Not given: what the user declared before holds.
  absl::optional<Availability> availability = absl::nullopt;
  // One number for each life of a process or page; the same one may reconnect
  // at any time, another one takes the session over. 0: drawn at random.
  uint64_t instance = 0;
};

// Where the stream that carries sessions stands.
enum class Link {
  // Nothing to carry yet (a gateway without sessions).
  kIdle,
  // An attempt is under way; the server has not answered yet.
  kConnecting,
  // The server has answered on this stream.
  kConnected,
  // Broken, or told to move on: the next attempt has its time.
  kWaiting,
  // Over for good.
  kEnded,
};

// Why a session is no longer held. None of them is retried.
enum class SessionEnd {
  kNotEnded,
  // `Leave` was called; the server has said that it knows, unless `last_error`
  // says otherwise.
  kLeft,
  // `Detach` was called (gateways only).
  kDetached,
  // Another instance opened the session. Do not open this id again without
  // asking a person; a copy of a tab takes an id of its own.
  kTakenOver,
  // The server refused the session in a way that waiting does not heal, or
  // ended it; `last_error` says why.
  kRefused,
};

// What a client truly knows of its session, at the instant of asking. Ages run
// from then backwards.
struct SessionStatus {
  Link link = Link::kIdle;
  // Time to the next attempt. Given with Link::kWaiting.
  absl::optional<Duration> reconnect_in;

  // What the server derived at the last signal that it told the outcome of;
  // UNSPECIFIED before. Decay is not pushed: the older it is, the less it says.
  v1::PresenceState state = v1::PRESENCE_STATE_UNSPECIFIED;
  // Since that was told. Given with `state`.
  absl::optional<Duration> state_age;

  // When the newest message that the server is known to have applied was sent:
  // up to then the server has surely heard of this session. None: never.
  absl::optional<Duration> confirmed_age;
  // Something was said, or is to be said, that the server has not confirmed.
  // Normal for a while: answers are sparse.
  bool unconfirmed = false;

  // The longest silence promised, without jitter; 0 before the first answer.
  Duration next_interval = Duration::zero();
  // An interaction is worth reporting at once when the last one reported is
  // older than this: as told with the last open, and until then by default. A
  // gateway may hand it on to those whose clients interact.
  Duration report_after = std::chrono::seconds(5);
  // Of the last open that was answered: the attachment (0: none yet), and
  // whether a live session went on.
  uint64_t attachment = 0;
  bool resumed = false;

  SessionEnd end = SessionEnd::kNotEnded;
  // The newest error about this session or its stream; stays until the next
  // open is answered.
  Error last_error;
};

// Names a session held by a GatewayStream. Stays the same over reconnects;
// may name another session once this one has ended.
using Handle = uint32_t;

// Who sends the beats that the promised interval asks for.
enum class Beats {
  // Every signal comes from the caller (clients beat to their gateway).
  kByCaller,
  // The stream beats by itself for sessions that say nothing else.
  kByStream,
};

// What crossed the wire on one object's streams since it was made. Counted
// when gRPC took a message, not when it was meant to be sent.
struct HeartbeatCounters {
  uint64_t streams = 0;  // begun, the first included
  uint64_t messages_sent = 0;
  uint64_t opens_sent = 0;
  // Signals, those carried by opens included.
  uint64_t signals_sent = 0;
  uint64_t responses_received = 0;
  uint64_t errors_received = 0;  // in the stream
};

}  // namespace lifesign::client

#endif  // LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_SESSION_STATUS_H_
