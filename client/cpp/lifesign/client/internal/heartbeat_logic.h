// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Everything that Session and GatewayStream decide: when to connect, what to
// say, what an answer means. docs/concepts.md § 12.
#ifndef LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_HEARTBEAT_LOGIC_H_
#define LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_HEARTBEAT_LOGIC_H_

#include <cstdint>
#include <deque>
#include <string>

#include "absl/random/bit_gen_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "lifesign/client/internal/backoff.h"
#include "lifesign/client/internal/heartbeat_port.h"
#include "lifesign/client/internal/held_session.h"
#include "lifesign/client/internal/session_table.h"
#include "lifesign/client/session_status.h"
#include "lifesign/v1/presence_service.pb.h"
#include "server/base/time.h"

namespace lifesign::client::internal {

// Sessions on one stream, as a state machine: what the holder says, what the
// stream brings and what time it is go in; what is to be done goes out through
// the port. It knows no gRPC, no thread and no clock.
//
// It never has two writes under way, and holds no message but that one: each is
// composed, when it can be written, from what is true then.
//
// Not thread-safe: its owner guards it. After any call NextDeadline() may have
// become earlier, and HasNews() true.
class HeartbeatLogic {
 public:
  struct Options {
    std::string tenant;
    // Not given: as the server tells for each session.
    absl::optional<Duration> report_interaction_after;
    // Whether beats are sent by itself.
    bool beats = true;
    // Whether the stream is closed, for good, when its last session has ended.
    bool ends_with_sessions = true;
  };

  // `port` and `random` outlive it.
  HeartbeatLogic(Options options, HeartbeatPort& port, absl::BitGenRef random);

  HeartbeatLogic(const HeartbeatLogic&) = delete;
  HeartbeatLogic& operator=(const HeartbeatLogic&) = delete;

  // What the holder says. See GatewayStream for each; an unknown or ended
  // handle is ignored.
  absl::StatusOr<Handle> Open(const SessionSpec& spec, RealTime now);
  void Signal(Handle handle, Lifecycle lifecycle,
              absl::optional<Duration> idle_for, RealTime now);
  void Interacted(Handle handle, RealTime now);
  absl::Status JoinRoom(Handle handle, absl::string_view room, RealTime now);
  absl::Status LeaveRoom(Handle handle, absl::string_view room, RealTime now);
  absl::Status SetAvailability(Handle handle, const Availability& availability,
                               RealTime now);
  void Detach(Handle handle, RealTime now);
  void Leave(Handle handle, Duration linger, RealTime now);
  void OnNetworkChange(RealTime now);
  // Asks for an answer to all that was said.
  void Ask(RealTime now);
  // The holder goes: sessions that leave are still told to, and the stream ends
  // after them; the others are let go as if the network broke.
  void Close(RealTime now);

  // What happens.
  void OnWritten(bool ok, RealTime now);
  void OnResponse(const v1::HeartbeatResponse& response, RealTime now);
  void OnStreamEnded(const Error& error, RealTime now);
  void OnLeaveAnswered(Handle handle, const Error& error, RealTime now);
  void OnTimer(RealTime now);

  // When OnTimer is to be called; max: not of itself.
  RealTime NextDeadline() const;

  // What is known.
  Link link() const;
  absl::optional<SessionStatus> StatusOf(Handle handle, RealTime now) const;
  const Error& last_error() const { return last_error_; }
  size_t held() const { return table_.held(); }
  // No open and no goodbye is under way, and every Ask was answered.
  bool Settled() const;
  const HeartbeatCounters& counters() const { return counters_; }

  // Sessions whose status has changed in more than ages and link, each once.
  bool HasNews() const { return table_.HasNews(); }
  Handle PopNews() { return table_.PopNews(); }  // 0: none
  // Forgets an ended session; ignored if it has not ended.
  void Forget(Handle handle, RealTime now);

 private:
  // Without an answer for this long after asking, the link is broken.
  static constexpr Duration kAnswerTimeout = std::chrono::seconds(10);

  struct Goodbye {
    uint64_t message;
    Handle handle;
  };

  // The stream. Whatever went in, Proceed does what then can be done.
  void Proceed(RealTime now);
  void MaybeBegin(RealTime now);
  void MaybeWrite(RealTime now);
  // The first session that has something to say on this stream; 0: none.
  Handle FirstSayable();
  void Compose(RealTime now);
  // Returns whether the message has room for more.
  bool ComposeOne(Handle handle, RealTime now);
  void RequireAnswer(RealTime now);
  void BreakLink();
  void EndForGood(const Error& error, RealTime now);
  void HalfClose(RealTime now);
  void ScheduleAttempt(const Error& error, RealTime now);
  // Puts a session back to where another stream, or nobody, takes it up.
  void LoseStream(Handle handle, HeldSession& session, RealTime now);

  // Its sessions.
  HeldSession* Holding(Handle handle) const;
  void Say(Handle handle, const HeldSession& session, RealTime now);
  void SayGoodbye(Handle handle, HeldSession& session, v1::SignalKind kind,
                  RealTime now);
  void ScheduleBeat(Handle handle, HeldSession& session);
  void Reopen(Handle handle, HeldSession& session, Duration wait, RealTime now);
  void LeaveByCall(Handle handle, HeldSession& session, Duration wait,
                   RealTime now);
  void StartCalls();
  void End(Handle handle, HeldSession& session, SessionEnd end, RealTime now);

  // Answers.
  void Apply(const v1::SessionUpdate& update, RealTime now);
  void Apply(const v1::HeartbeatError& error, RealTime now);
  void ApplyTo(Handle handle, HeldSession& session, const Error& error,
               RealTime now);
  void RefuseMessage(uint64_t message, const Error& error, RealTime now);
  // The open of `session` should have been answered by now.
  void DoubtOpen(Handle handle, HeldSession& session, RealTime now);
  void FinishGoodbyes(RealTime now);

  const Options options_;
  HeartbeatPort& port_;
  const absl::BitGenRef random_;

  SessionTable table_;
  // Goodbyes written on this stream, in order, not acknowledged.
  std::deque<Goodbye> goodbyes_;
  // LEAVEs by calls of their own: those that wait for one under way to finish.
  std::deque<Handle> calls_waiting_;
  int calls_ = 0;

  // The stream in hand, and what holds of it.
  enum class Stream {
    kNone,
    kUp,
    // The server drains: what is waiting is still said, then kHalfClosed.
    kDrained,
    // Nothing more is said; the server ends it.
    kHalfClosed,
    // Broken by us.
    kCancelled,
  };
  Stream stream_ = Stream::kNone;
  bool answered_ = false;   // a response has come
  bool hello_due_ = false;  // the first message goes without sessions
  bool writing_ = false;    // one write in flight
  uint64_t message_ = 0;    // the number of the newest message
  uint64_t acked_ = 0;
  RealTime answered_at_ = RealTime::min();
  v1::HeartbeatRequest request_;
  size_t bytes_ = 0;  // of opens and rooms in it

  // An answer is awaited until then; max: none is.
  RealTime answer_deadline_ = RealTime::max();
  bool ask_due_ = false;        // the next message asks
  uint64_t asked_message_ = 0;  // the newest that asked
  // When the last of what is now unanswered began to be.
  RealTime unanswered_since_ = RealTime::max();

  Backoff backoff_;
  // No stream is begun earlier; `wait_is_named_` by the server.
  RealTime not_before_ = RealTime::min();
  bool wait_is_named_ = false;
  bool closing_ = false;
  bool ended_ = false;
  Error broken_because_;  // of a stream that we cancelled
  Error last_error_;
  HeartbeatCounters counters_;
};

}  // namespace lifesign::client::internal

#endif  // LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_HEARTBEAT_LOGIC_H_
