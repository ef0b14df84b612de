// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What the holder of sessions says to a HeartbeatLogic.
#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "absl/random/distributions.h"
#include "absl/strings/str_cat.h"
#include "lifesign/client/internal/heartbeat_logic.h"
#include "lifesign/client/internal/validate.h"
#include "server/base/limits.h"

namespace lifesign::client::internal {
namespace {

// LEAVEs by calls of their own that are under way at once, for a gateway.
constexpr int kMaxCalls = 16;

uint64_t DrawInstance(absl::BitGenRef random) {
  return absl::Uniform<uint64_t>(absl::IntervalClosedClosed, random, 1,
                                 std::numeric_limits<uint64_t>::max());
}

}  // namespace

absl::StatusOr<Handle> HeartbeatLogic::Open(const SessionSpec& spec,
                                            RealTime now) {
  if (const absl::Status fault = ValidateSpec(spec); !fault.ok()) return fault;
  if (ended_) {
    return absl::FailedPreconditionError(
        absl::StrCat("the stream has ended: ", ToString(last_error_)));
  }
  if (table_.held() >= limits::kMaxSessionsPerStream) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "a stream holds at most ", limits::kMaxSessionsPerStream, " sessions"));
  }
  SessionSpec drawn = spec;
  if (drawn.instance == 0) drawn.instance = DrawInstance(random_);
  Handle handle = table_.Find(drawn);
  if (handle == 0) {
    handle = table_.Add(drawn, now);
  } else {
    HeldSession& held = *table_.Find(handle);
    if (held.leaving() && held.successor == nullptr) {
      held.successor = std::make_unique<SessionSpec>(std::move(drawn));
      return handle;
    }
    if (held.phase != Phase::kEnded) {
      return absl::AlreadyExistsError("the stream holds this session");
    }
    table_.Replace(handle, drawn, now);
  }
  table_.Enqueue(handle);
  Proceed(now);
  return handle;
}

HeldSession* HeartbeatLogic::Holding(Handle handle) const {
  HeldSession* session = table_.Find(handle);
  return session == nullptr || session->phase == Phase::kEnded ? nullptr
                                                               : session;
}

void HeartbeatLogic::Say(Handle handle, const HeldSession& session,
                         RealTime now) {
  // One that is not open yet says it with its open, one that leaves not at all.
  if (session.phase != Phase::kOpening && session.phase != Phase::kOpen) return;
  table_.Enqueue(handle);
  Proceed(now);
}

void HeartbeatLogic::Signal(Handle handle, Lifecycle lifecycle,
                            absl::optional<Duration> idle_for, RealTime now) {
  HeldSession* session = Holding(handle);
  if (session == nullptr) return;
  const RealTime interaction = SaturatingSubtract(
      now, std::max(idle_for.value_or(Duration::zero()), Duration::zero()));
  bool tell_at_once = !options_.beats;
  if (lifecycle == Lifecycle::kActive) {
    tell_at_once |= session->attention.Interact(
        interaction,
        options_.report_interaction_after.value_or(session->told.report_after));
  } else {
    tell_at_once |= session->attention.Become(lifecycle);
    if (idle_for.has_value()) session->attention.NoteInteraction(interaction);
  }
  if (tell_at_once) Say(handle, *session, now);
}

void HeartbeatLogic::Interacted(Handle handle, RealTime now) {
  Signal(handle, Lifecycle::kActive, absl::nullopt, now);
}

absl::Status HeartbeatLogic::JoinRoom(Handle handle, absl::string_view room,
                                      RealTime now) {
  absl::Status fault = ValidateId("room_id", room);
  HeldSession* session = Holding(handle);
  if (!fault.ok() || session == nullptr) return fault;
  fault = session->rooms.Join(room);
  if (fault.ok() && session->rooms.HasNews()) Say(handle, *session, now);
  return fault;
}

absl::Status HeartbeatLogic::LeaveRoom(Handle handle, absl::string_view room,
                                       RealTime now) {
  absl::Status fault = ValidateId("room_id", room);
  HeldSession* session = Holding(handle);
  if (!fault.ok() || session == nullptr) return fault;
  session->rooms.Leave(room);
  if (session->rooms.HasNews()) Say(handle, *session, now);
  return fault;
}

absl::Status HeartbeatLogic::SetAvailability(Handle handle,
                                             const Availability& availability,
                                             RealTime now) {
  if (const absl::Status fault = ValidateAvailability(availability);
      !fault.ok()) {
    return fault;
  }
  HeldSession* session = Holding(handle);
  if (session == nullptr) return absl::OkStatus();
  session->declared.Declare(availability, now);
  Say(handle, *session, now);
  return absl::OkStatus();
}

void HeartbeatLogic::Detach(Handle handle, RealTime now) {
  HeldSession* session = Holding(handle);
  if (session == nullptr) return;
  session->successor.reset();
  if (session->leaving()) return;
  const bool bound = session->phase != Phase::kToOpen;
  if (bound && (stream_ == Stream::kUp || stream_ == Stream::kDrained)) {
    SayGoodbye(handle, *session, v1::SIGNAL_KIND_DETACH, now);
  } else {
    // The broken stream has said the same.
    End(handle, *session, SessionEnd::kDetached, now);
    Proceed(now);
  }
}

void HeartbeatLogic::Leave(Handle handle, Duration linger, RealTime now) {
  HeldSession* session = Holding(handle);
  if (session == nullptr) return;
  session->successor.reset();
  if (session->leaving() && session->goodbye == v1::SIGNAL_KIND_LEAVE) return;
  session->linger =
      std::clamp<Duration>(linger, Duration::zero(), limits::kMaxLinger);
  if (!session->maybe_live) {
    End(handle, *session, SessionEnd::kLeft, now);
    Proceed(now);
    return;
  }
  const bool bound = session->phase == Phase::kOpening ||
                     session->phase == Phase::kOpen ||
                     session->phase == Phase::kGoodbye;
  if (bound && (stream_ == Stream::kUp || stream_ == Stream::kDrained)) {
    SayGoodbye(handle, *session, v1::SIGNAL_KIND_LEAVE, now);
  } else {
    LeaveByCall(handle, *session, Duration::zero(), now);
    Proceed(now);
  }
}

void HeartbeatLogic::SayGoodbye(Handle handle, HeldSession& session,
                                v1::SignalKind kind, RealTime now) {
  session.goodbye = kind;
  table_.SetPhase(session, Phase::kGoodbye);
  table_.SetDue(handle, RealTime::max());
  table_.Enqueue(handle);
  Proceed(now);
}

void HeartbeatLogic::LeaveByCall(Handle handle, HeldSession& session,
                                 Duration wait, RealTime now) {
  session.goodbye = v1::SIGNAL_KIND_LEAVE;
  table_.SetPhase(session, Phase::kLeaveCall);
  if (wait > Duration::zero()) {
    table_.SetDue(handle, SaturatingAdd(now, wait));
  } else {
    table_.SetDue(handle, RealTime::max());
    calls_waiting_.push_back(handle);
  }
}

void HeartbeatLogic::StartCalls() {
  while (calls_ < kMaxCalls && !calls_waiting_.empty()) {
    const Handle handle = calls_waiting_.front();
    calls_waiting_.pop_front();
    HeldSession* session = Holding(handle);
    if (session == nullptr || session->phase != Phase::kLeaveCall ||
        session->calling) {
      continue;
    }
    session->calling = true;
    ++session->call_attempts;
    ++calls_;
    port_.CallLeave(handle, session->LeaveRequest(options_.tenant));
  }
}

void HeartbeatLogic::Close(RealTime now) {
  closing_ = true;
  bool goodbyes = false;
  table_.ForEach([&](Handle handle, HeldSession& session) {
    session.successor.reset();
    if (session.phase == Phase::kEnded || session.phase == Phase::kLeaveCall) {
      return;
    }
    if (session.leaving()) {
      goodbyes = true;
    } else {
      End(handle, session, SessionEnd::kDetached, now);
    }
  });
  const bool up = stream_ == Stream::kUp || stream_ == Stream::kDrained;
  if (up && !goodbyes) BreakLink();
  Proceed(now);
}

void HeartbeatLogic::OnNetworkChange(RealTime now) {
  if (stream_ != Stream::kNone) {
    Ask(now);
    return;
  }
  if (!wait_is_named_) not_before_ = now;
  Proceed(now);
}

void HeartbeatLogic::Ask(RealTime now) {
  if (stream_ != Stream::kUp && stream_ != Stream::kDrained) return;
  ask_due_ = true;
  if (answer_deadline_ == RealTime::max()) {
    answer_deadline_ = SaturatingAdd(now, kAnswerTimeout);
  }
  Proceed(now);
}

}  // namespace lifesign::client::internal
