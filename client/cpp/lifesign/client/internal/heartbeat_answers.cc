// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The half of HeartbeatLogic that hears: what answers, errors and the end of a
// stream mean for its sessions.
#include <algorithm>
#include <utility>

#include "lifesign/client/internal/heartbeat_logic.h"
#include "lifesign/client/internal/proto_time.h"

namespace lifesign::client::internal {
namespace {

using std::chrono::seconds;

// A session, or stream, that lived this long worked: what comes after is a
// first failure.
constexpr Duration kWorked = seconds(10);
// A lingering session ends on the server's clock and tick, not on ours.
constexpr Duration kLingerMargin = seconds(1);
// Calls that say LEAVE, before time is left to do it.
constexpr int kMaxLeaveCalls = 5;

// Whether the same open, or stream, would be refused again however long one
// waits.
bool CannotHeal(const Error& error) {
  return error.code == grpc::StatusCode::INVALID_ARGUMENT ||
         error.code == grpc::StatusCode::PERMISSION_DENIED;
}

}  // namespace

void HeartbeatLogic::OnResponse(const v1::HeartbeatResponse& response,
                                RealTime now) {
  ++counters_.responses_received;
  if (!answered_) {
    answered_ = true;
    answered_at_ = now;
    last_error_ = Error();
  }
  acked_ = std::max(acked_, response.acked());
  if (acked_ >= asked_message_) {
    if (stream_ != Stream::kHalfClosed && !ask_due_) {
      answer_deadline_ = RealTime::max();
    }
  } else if (answer_deadline_ != RealTime::max()) {
    // Not yet the answer, but the link lives.
    answer_deadline_ = SaturatingAdd(now, kAnswerTimeout);
  }
  unanswered_since_ = acked_ >= message_ ? RealTime::max() : now;

  for (const auto& update : response.updates()) Apply(update, now);
  for (const auto& error : response.errors()) Apply(error, now);
  FinishGoodbyes(now);
  if (response.has_drain() && stream_ == Stream::kUp) {
    stream_ = Stream::kDrained;
    wait_is_named_ = true;
    not_before_ = SaturatingAdd(
        now, NamedWait(FromProto(response.drain().reconnect_delay())));
  }
  Proceed(now);
}

void HeartbeatLogic::Apply(const v1::SessionUpdate& update, RealTime now) {
  HeldSession* session = Holding(update.handle());
  if (session == nullptr) return;
  const bool answers_open = session->phase == Phase::kOpening &&
                            update.has_opened() &&
                            session->open_message <= acked_;
  // Anything else before the open is answered is of the handle's last session.
  if (session->phase != Phase::kOpen && !answers_open) return;

  SessionStatus& told = session->told;
  bool news = answers_open;
  if (answers_open) {
    table_.SetPhase(*session, Phase::kOpen);
    table_.SetDue(update.handle(), RealTime::max());
    session->opened_at = now;
    session->guest_is_gone = true;
    told.attachment = update.opened().attachment();
    told.resumed = update.opened().resumed();
    // Servers that do not say leave what holds.
    if (update.opened().has_report_after()) {
      told.report_after = FromProto(update.opened().report_after());
    }
    told.last_error = Error();
  }
  news |= told.state != update.state();
  told.state = update.state();
  session->state_told_at = now;
  const Duration interval = update.has_next_interval()
                                ? FromProto(update.next_interval())
                                : told.next_interval;
  if (answers_open || interval != told.next_interval) {
    told.next_interval = interval;
    ScheduleBeat(update.handle(), *session);
    news = true;
  }
  if (news) table_.MarkNews(update.handle());
}

void HeartbeatLogic::Apply(const v1::HeartbeatError& heartbeat_error,
                           RealTime now) {
  ++counters_.errors_received;
  const Error error = ErrorFrom(heartbeat_error.status());
  const uint64_t message = heartbeat_error.message();
  const Handle handle = heartbeat_error.handle();
  if (handle == 0) {
    RefuseMessage(message, error, now);
    return;
  }
  HeldSession* session = Holding(handle);
  if (session == nullptr) return;
  // About what the handle was before, or what has been reopened since.
  if (message != 0 &&
      (message < session->open_message || session->phase == Phase::kToOpen)) {
    return;
  }
  switch (session->phase) {
    case Phase::kGoodbyeSent:
      if (message == 0 || message == session->spoken_message) {
        if (error.code != grpc::StatusCode::NOT_FOUND) {
          session->told.last_error = error;
        }
        End(handle, *session,
            session->goodbye == v1::SIGNAL_KIND_LEAVE ? SessionEnd::kLeft
                                                      : SessionEnd::kDetached,
            now);
      }
      return;
    case Phase::kGoodbye:
    case Phase::kLeaveCall:
      return;  // Its goodbye will be answered.
    case Phase::kToOpen:
    case Phase::kOpening:
    case Phase::kOpen:
    case Phase::kEnded:
      ApplyTo(handle, *session, error, now);
  }
}

void HeartbeatLogic::ApplyTo(Handle handle, HeldSession& session,
                             const Error& error, RealTime now) {
  session.told.last_error = error;
  if (error.reason == v1::ERROR_REASON_TOO_MANY_ROOMS) {
    // Of a signal: the session goes on, without what that joined.
    table_.MarkNews(handle);
    return;
  }
  if (error.reason == v1::ERROR_REASON_TOO_MANY_AVAILABILITIES) {
    // All else that it was to say, it says without.
    session.declared.Drop();
    if (session.phase == Phase::kOpening) {
      Reopen(handle, session, Duration::zero(), now);
    } else {
      table_.MarkNews(handle);
      Say(handle, session, now);
    }
    return;
  }
  session.declared.OnLost();
  if (error.reason == v1::ERROR_REASON_SESSION_TAKEN_OVER) {
    End(handle, session, SessionEnd::kTakenOver, now);
    return;
  }
  if (CannotHeal(error) || error.code == grpc::StatusCode::ABORTED) {
    End(handle, session, SessionEnd::kRefused, now);
    return;
  }
  if (error.code == grpc::StatusCode::NOT_FOUND) {
    session.maybe_live = false;
    // It ended while we were not looking: go on at once, unless that happens
    // again and again.
    if (session.opened_at != RealTime::min() &&
        SaturatingDifference(now, session.opened_at) >= kWorked) {
      session.backoff.Reset();
      Reopen(handle, session, Duration::zero(), now);
      return;
    }
  }
  const Duration wait = error.retry_delay.has_value()
                            ? NamedWait(*error.retry_delay)
                            : session.backoff.NextWait(random_);
  Reopen(handle, session, wait, now);
}

void HeartbeatLogic::Reopen(Handle handle, HeldSession& session, Duration wait,
                            RealTime now) {
  table_.SetPhase(session, Phase::kToOpen);
  if (wait > Duration::zero()) {
    table_.SetDue(handle, SaturatingAdd(now, wait));
  } else {
    table_.SetDue(handle, RealTime::max());
    table_.Enqueue(handle);
  }
  table_.MarkNews(handle);
}

void HeartbeatLogic::RefuseMessage(uint64_t message, const Error& error,
                                   RealTime now) {
  last_error_ = error;
  table_.ForEach([&](Handle handle, HeldSession& session) {
    if (session.phase == Phase::kOpening && session.open_message == message) {
      ApplyTo(handle, session, error, now);
    }
  });
}

void HeartbeatLogic::DoubtOpen(Handle handle, HeldSession& session,
                               RealTime now) {
  if (session.open_message <= acked_) {
    // Dealt with, and nothing was said: the error that says why is among those
    // that the server dropped.
    Reopen(handle, session, session.backoff.NextWait(random_), now);
  } else {
    table_.SetDue(handle, SaturatingAdd(now, kAnswerTimeout));
  }
}

void HeartbeatLogic::FinishGoodbyes(RealTime now) {
  while (!goodbyes_.empty() && goodbyes_.front().message <= acked_) {
    const Goodbye goodbye = goodbyes_.front();
    goodbyes_.pop_front();
    HeldSession* session = Holding(goodbye.handle);
    if (session == nullptr || session->phase != Phase::kGoodbyeSent ||
        session->spoken_message != goodbye.message) {
      continue;
    }
    End(goodbye.handle, *session,
        session->goodbye == v1::SIGNAL_KIND_LEAVE ? SessionEnd::kLeft
                                                  : SessionEnd::kDetached,
        now);
  }
}

void HeartbeatLogic::End(Handle handle, HeldSession& session, SessionEnd end,
                         RealTime now) {
  if (session.spoken_message != 0 && session.spoken_message <= acked_) {
    session.confirmed_at = session.spoken_at;
  }
  table_.SetPhase(session, Phase::kEnded);
  table_.SetDue(handle, RealTime::max());
  session.told.end = end;
  session.handle_free_at =
      session.linger > Duration::zero()
          ? SaturatingAdd(now, session.linger + kLingerMargin)
          : now;
  if (session.successor != nullptr) {
    const SessionSpec next = std::move(*session.successor);
    table_.Replace(handle, next, now);
    table_.Enqueue(handle);
  }
  table_.MarkNews(handle);
}

void HeartbeatLogic::OnLeaveAnswered(Handle handle, const Error& error,
                                     RealTime now) {
  --calls_;
  HeldSession* session = Holding(handle);
  if (session != nullptr && session->calling) {
    session->calling = false;
    // Without an attachment the server refuses it while it takes the broken
    // stream for connected.
    const bool worth_repeating =
        error.code == grpc::StatusCode::UNAVAILABLE ||
        error.code == grpc::StatusCode::DEADLINE_EXCEEDED ||
        error.code == grpc::StatusCode::RESOURCE_EXHAUSTED ||
        (error.code == grpc::StatusCode::FAILED_PRECONDITION &&
         session->told.attachment == 0);
    session->told.last_error = error;
    if (worth_repeating && session->call_attempts < kMaxLeaveCalls) {
      const Duration wait = error.retry_delay.has_value()
                                ? NamedWait(*error.retry_delay)
                                : session->backoff.NextWait(random_);
      LeaveByCall(handle, *session, wait, now);
    } else {
      End(handle, *session, SessionEnd::kLeft, now);
    }
  }
  Proceed(now);
}

void HeartbeatLogic::OnStreamEnded(const Error& error, RealTime now) {
  const Error& cause = broken_because_.ok() ? error : broken_because_;
  // That nobody answered says less than why nobody could be reached.
  const bool says_less =
      !answered_ && !broken_because_.ok() && !last_error_.ok();
  if (!cause.ok() && !says_less) last_error_ = cause;
  ScheduleAttempt(cause, now);
  stream_ = Stream::kNone;
  writing_ = false;
  hello_due_ = false;
  ask_due_ = false;
  answer_deadline_ = RealTime::max();
  goodbyes_.clear();
  if (CannotHeal(cause)) {
    EndForGood(cause, now);
  } else {
    table_.ForEach([&](Handle handle, HeldSession& session) {
      LoseStream(handle, session, now);
    });
  }
  Proceed(now);
}

void HeartbeatLogic::ScheduleAttempt(const Error& error, RealTime now) {
  if (wait_is_named_) return;  // By its Drain.
  if (error.retry_delay.has_value()) {
    wait_is_named_ = true;
    not_before_ = SaturatingAdd(now, NamedWait(*error.retry_delay));
    return;
  }
  if (error.reason == v1::ERROR_REASON_NO_SESSION) {
    // Nothing failed: there was nothing to carry.
    not_before_ = SaturatingAdd(now, kShortestNamedWait);
    return;
  }
  if (answered_ && SaturatingDifference(now, answered_at_) >= kWorked) {
    backoff_.Reset();
  }
  not_before_ = SaturatingAdd(now, backoff_.NextWait(random_));
}

void HeartbeatLogic::LoseStream(Handle handle, HeldSession& session,
                                RealTime now) {
  if (session.spoken_message != 0 && session.spoken_message <= acked_) {
    session.confirmed_at = session.spoken_at;
  }
  session.declared.OnAcked(acked_);
  session.declared.OnLost();
  session.open_message = 0;
  session.spoken_message = 0;
  switch (session.phase) {
    case Phase::kToOpen:
      if (session.due == RealTime::max()) table_.Enqueue(handle);
      return;
    case Phase::kOpening:
    case Phase::kOpen:
      table_.SetPhase(session, Phase::kToOpen);
      table_.SetDue(handle, RealTime::max());
      table_.Enqueue(handle);
      return;
    case Phase::kGoodbye:
    case Phase::kGoodbyeSent:
      if (session.goodbye == v1::SIGNAL_KIND_LEAVE) {
        LeaveByCall(handle, session, Duration::zero(), now);
      } else {
        End(handle, session, SessionEnd::kDetached, now);
      }
      return;
    case Phase::kLeaveCall:
    case Phase::kEnded:
      return;
  }
}

void HeartbeatLogic::EndForGood(const Error& error, RealTime now) {
  ended_ = true;
  table_.ForEach([&](Handle handle, HeldSession& session) {
    if (session.phase == Phase::kEnded) return;
    const bool leaving = session.goodbye == v1::SIGNAL_KIND_LEAVE;
    session.successor.reset();
    session.told.last_error = error;
    End(handle, session, leaving ? SessionEnd::kLeft : SessionEnd::kRefused,
        now);
  });
}

}  // namespace lifesign::client::internal
