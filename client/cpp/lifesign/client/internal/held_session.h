// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What a client knows of one session it holds, and the words it would say of
// it now. Nothing is queued: a message is composed from what is true at the
// instant it is sent, so that only the newest is ever told.
#ifndef LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_HELD_SESSION_H_
#define LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_HELD_SESSION_H_

#include <cstdint>
#include <memory>

#include "absl/types/optional.h"
#include "lifesign/client/internal/backoff.h"
#include "lifesign/client/internal/held_rooms.h"
#include "lifesign/client/session_status.h"
#include "lifesign/v1/presence_service.pb.h"
#include "server/base/time.h"

namespace lifesign::client::internal {

// Where a session stands towards the stream.
enum class Phase {
  // To be opened with the next message, or when `due` comes.
  kToOpen,
  // An open was written, its outcome is not known.
  kOpening,
  kOpen,
  // LEAVE or DETACH is to be said with the next message …
  kGoodbye,
  // … was written on this stream, and is not acknowledged …
  kGoodbyeSent,
  // … or, because the stream broke: LEAVE by a call of its own.
  kLeaveCall,
  kEnded,
};
inline constexpr int kPhases = static_cast<int>(Phase::kEnded) + 1;

// The person and the client behind a session: what there is to report.
//
// A plain value. Knows nothing of streams. Times are the client's own real
// time; the wire carries ages only.
class Attention {
 public:
  explicit Attention(absl::optional<Lifecycle> lifecycle, RealTime now);

  absl::optional<Lifecycle> lifecycle() const { return lifecycle_; }

  // The person interacted at `when`; ends kIdle and kBackground. Returns
  // whether that must be told at once: the lifecycle changed, or the last
  // interaction told is older than `report_after`.
  bool Interact(RealTime when, Duration report_after);

  // The lifecycle became `lifecycle`. Returns whether it changed.
  bool Become(Lifecycle lifecycle);

  // The last interaction was at `when`, if that is later than what is known.
  void NoteInteraction(RealTime when);

  // Forgets what the server was told: it is told all of it again.
  void ForgetTold() { told_.reset(); }

  // The signal to be sent at `now`, whose kind is UNSPECIFIED if nothing is
  // known (an open without a signal). Counts as told.
  struct Word {
    v1::SignalKind kind = v1::SIGNAL_KIND_UNSPECIFIED;
    absl::optional<Duration> idle_for;
  };
  Word Tell(RealTime now);

 private:
  absl::optional<Lifecycle> lifecycle_;
  absl::optional<RealTime> interaction_;
  // The newest interaction that was written to the server.
  absl::optional<RealTime> told_;
};

// What the user declared by way of a session, and whether the server knows.
//
// A plain value. It is said once with a signal or an open, and again when the
// stream broke before that was acknowledged. Once it was, opens say it for a
// server that holds nothing any more.
class Declared {
 public:
  void Declare(const Availability& availability, RealTime now);

  // Whether there is something to be said with the next signal.
  bool IsUnsaid() const { return is_news_ && message_ == 0; }

  // Says it, as if in message `number`. REQUIRES: IsUnsaid(), for a signal.
  void FillSignal(uint64_t number, RealTime now, v1::Signal& signal);
  void FillOpen(uint64_t number, RealTime now, v1::OpenOptions& options);
  // The most bytes it takes there.
  size_t Bytes() const;

  // Messages up to `acked` were dealt with, and none of them refused that is
  // not known of.
  void OnAcked(uint64_t acked) {
    if (message_ != 0 && message_ <= acked) is_news_ = false;
  }
  // What was said last was refused, or its stream is gone.
  void OnLost() { message_ = 0; }
  // The server has no room for it.
  void Drop() { *this = Declared(); }

 private:
  // As it is to be told now: with what is left of its time, AVAILABLE once
  // nothing is.
  void Fill(RealTime now, v1::AvailabilityDeclaration& declaration) const;

  absl::optional<Availability> availability_;
  RealTime expires_at_ = RealTime::max();
  bool is_news_ = false;
  // In which it was said last on the stream in hand; 0: none.
  uint64_t message_ = 0;
};

// One session of a HeartbeatLogic.
struct HeldSession {
  HeldSession(const SessionSpec& session_spec, RealTime now);

  // Constant. Its instance is drawn.
  const SessionSpec spec;

  Attention attention;
  HeldRooms rooms;
  Declared declared;
  Phase phase = Phase::kToOpen;
  // Waits for its place in the next message.
  bool queued = false;
  // Stands in the list of those whose status has news.
  bool news = false;
  // When something is to be done of itself: a beat, another open, another call.
  // max: nothing.
  RealTime due = RealTime::max();
  // Waits between opens (or calls) that were refused or went lost.
  Backoff backoff;

  // An open was answered: the guest, if there was one, is no more.
  bool guest_is_gone = false;
  // The server may hold the session: an open of it was written.
  bool maybe_live = false;
  // What `phase` says goodbye with.
  v1::SignalKind goodbye = v1::SIGNAL_KIND_UNSPECIFIED;
  Duration linger = Duration::zero();
  // A call of its own is under way.
  bool calling = false;
  int call_attempts = 0;
  // Opened again before it has ended: begins when it has.
  std::unique_ptr<SessionSpec> successor;
  // Of an ended session: its end was told; and until when the server may hold
  // its handle bound (a LEAVE that lingers).
  bool forgotten = false;
  RealTime handle_free_at = RealTime::min();

  // Numbers of messages on the stream in hand; 0: none.
  uint64_t open_message = 0;
  uint64_t spoken_message = 0;
  RealTime spoken_at = RealTime::min();
  // When the newest message that was acknowledged was sent.
  absl::optional<RealTime> confirmed_at;
  RealTime opened_at = RealTime::min();

  // As told by the server; the ages in it are not kept current.
  SessionStatus told;
  RealTime state_told_at = RealTime::min();

  // It is being said goodbye to.
  bool leaving() const {
    return phase == Phase::kGoodbye || phase == Phase::kGoodbyeSent ||
           phase == Phase::kLeaveCall;
  }

  // Composes what is to be said now, as if in message `number`.
  void FillOpen(Handle handle, uint64_t number, RealTime now, v1::Open& open);
  void FillSignal(Handle handle, uint64_t number, RealTime now,
                  v1::Signal& signal);
  v1::SendSignalRequest LeaveRequest(const std::string& tenant) const;

  // The bytes that an open of it takes, at most, and those of a signal that its
  // kind does not.
  size_t OpenBytes() const;
  size_t SignalBytes() const;

 private:
  void Spoke(uint64_t number, RealTime now);
};

}  // namespace lifesign::client::internal

#endif  // LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_HELD_SESSION_H_
