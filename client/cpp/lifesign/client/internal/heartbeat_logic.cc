// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// When HeartbeatLogic connects and what it writes. What the holder says stands
// in heartbeat_words.cc, what is heard in heartbeat_answers.cc.
#include "lifesign/client/internal/heartbeat_logic.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "server/base/limits.h"

namespace lifesign::client::internal {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Servers answer at latest after a third of the ttl, 80 s by default. Longer
// without any answer is worth asking, even if the network is said to be well.
constexpr Duration kDoubtAfter = seconds(100);
// A timer this late means that the machine slept.
constexpr Duration kSlept = seconds(5);
// Beats of a gateway that are due within this share a message.
constexpr Duration kBeatsTogether = milliseconds(20);
// Before the first promise.
constexpr Duration kUnpromisedInterval = seconds(10);
// However small a promise, no beats in a tight loop.
constexpr Duration kShortestInterval = milliseconds(50);
// A message grows no further by opens and rooms, far below the 4 MiB that
// servers take.
constexpr size_t kBytesPerMessage = 1u << 20;

}  // namespace

HeartbeatLogic::HeartbeatLogic(Options options, HeartbeatPort& port,
                               absl::BitGenRef random)
    : options_(std::move(options)), port_(port), random_(random) {}

// --- The stream

void HeartbeatLogic::Proceed(RealTime now) {
  StartCalls();
  MaybeBegin(now);
  MaybeWrite(now);
  if ((options_.ends_with_sessions || closing_) && table_.held() == 0 &&
      stream_ == Stream::kNone) {
    ended_ = true;
  }
}

void HeartbeatLogic::MaybeBegin(RealTime now) {
  if (ended_ || stream_ != Stream::kNone) return;
  const Handle first = table_.FirstQueued([](const HeldSession& session) {
    return session.phase == Phase::kToOpen;
  });
  if (first == 0 || now < not_before_) return;
  stream_ = Stream::kUp;
  answered_ = false;
  writing_ = false;
  message_ = 0;
  acked_ = 0;
  wait_is_named_ = false;
  broken_because_ = Error();
  // Holds until something has been asked and answered.
  answer_deadline_ = SaturatingAdd(now, kAnswerTimeout);
  asked_message_ = std::numeric_limits<uint64_t>::max();
  ask_due_ = false;
  unanswered_since_ = RealTime::max();
  ++counters_.streams;
  // On a connection that has yet to be made, a message may lie for seconds, and
  // the ages in it would be told as younger than they are. So the first one
  // then says nothing, and being taken it shows that the next will go at once.
  hello_due_ = !port_.BeginStream();
}

void HeartbeatLogic::MaybeWrite(RealTime now) {
  if (writing_ || (stream_ != Stream::kUp && stream_ != Stream::kDrained)) {
    return;
  }
  if (ask_due_ || hello_due_ || FirstSayable() != 0) {
    Compose(now);
  } else if (stream_ == Stream::kDrained ||
             ((options_.ends_with_sessions || closing_) &&
              table_.held() == 0)) {
    HalfClose(now);
  }
}

Handle HeartbeatLogic::FirstSayable() {
  const bool draining = stream_ == Stream::kDrained;
  return table_.FirstQueued([draining](const HeldSession& session) {
    switch (session.phase) {
      case Phase::kToOpen:
        return !draining;  // Queued again when the stream ends.
      case Phase::kOpening:
      case Phase::kOpen:
      case Phase::kGoodbye:
        return true;
      case Phase::kGoodbyeSent:
      case Phase::kLeaveCall:
      case Phase::kEnded:
        return false;
    }
    return false;
  });
}

void HeartbeatLogic::HalfClose(RealTime now) {
  stream_ = Stream::kHalfClosed;
  // The server ends the stream, or we do.
  answer_deadline_ = SaturatingAdd(now, kAnswerTimeout);
  port_.HalfClose();
}

void HeartbeatLogic::Compose(RealTime now) {
  request_.Clear();
  bytes_ = 0;
  ++message_;
  if (message_ == 1) request_.set_tenant(options_.tenant);
  if (hello_due_) {
    hello_due_ = false;
  } else {
    while (const Handle handle = FirstSayable()) {
      if (!ComposeOne(handle, now)) break;
      table_.PopQueued();
      // What its open could not say, a signal does.
      if (table_.Find(handle)->rooms.HasNews()) table_.Enqueue(handle);
    }
    if (ask_due_) {
      RequireAnswer(now);
      // It asks about all that was said, in however many messages.
      ask_due_ = FirstSayable() != 0;
    }
    if (unanswered_since_ == RealTime::max()) {
      unanswered_since_ = now;
    } else if (SaturatingDifference(now, unanswered_since_) >= kDoubtAfter) {
      RequireAnswer(now);
    }
  }
  writing_ = true;
  port_.Write(request_);
}

bool HeartbeatLogic::ComposeOne(Handle handle, RealTime now) {
  HeldSession& session = *table_.Find(handle);
  if (session.spoken_message != 0 && session.spoken_message <= acked_) {
    session.confirmed_at = session.spoken_at;
  }
  session.declared.OnAcked(acked_);
  if (session.phase == Phase::kToOpen) {
    bytes_ += session.OpenBytes();
    if (request_.opens_size() == limits::kMaxOpensPerMessage ||
        (bytes_ > kBytesPerMessage && request_.opens_size() > 0)) {
      return false;
    }
    session.FillOpen(handle, message_, now, *request_.add_opens());
    table_.SetPhase(session, Phase::kOpening);
    table_.SetDue(handle, SaturatingAdd(now, kAnswerTimeout));
    RequireAnswer(now);
    return true;
  }
  bytes_ += session.SignalBytes();
  if (request_.signals_size() == limits::kMaxSignalsPerMessage ||
      (bytes_ > kBytesPerMessage && request_.signals_size() > 0)) {
    return false;
  }
  v1::Signal& signal = *request_.add_signals();
  session.FillSignal(handle, message_, now, signal);
  if (signal.has_availability()) RequireAnswer(now);
  if (session.phase == Phase::kGoodbye) {
    table_.SetPhase(session, Phase::kGoodbyeSent);
    goodbyes_.push_back({message_, handle});
    RequireAnswer(now);
  } else {
    ScheduleBeat(handle, session);
  }
  return true;
}

void HeartbeatLogic::RequireAnswer(RealTime now) {
  request_.set_answer_now(true);
  asked_message_ = message_;
  if (answer_deadline_ == RealTime::max()) {
    answer_deadline_ = SaturatingAdd(now, kAnswerTimeout);
  }
}

void HeartbeatLogic::ScheduleBeat(Handle handle, HeldSession& session) {
  if (!options_.beats || session.phase != Phase::kOpen) return;
  const Duration promised = session.told.next_interval;
  const Duration interval = promised == Duration::zero()
                                ? kUnpromisedInterval
                                : std::max(promised, kShortestInterval);
  table_.SetDue(
      handle, SaturatingAdd(session.spoken_at, WithJitter(interval, random_)));
}

void HeartbeatLogic::OnWritten(bool ok, RealTime now) {
  writing_ = false;
  if (!ok) return;  // OnStreamEnded follows.
  ++counters_.messages_sent;
  counters_.opens_sent += request_.opens_size();
  counters_.signals_sent += request_.signals_size();
  for (const v1::Open& open : request_.opens()) {
    if (open.kind() != v1::SIGNAL_KIND_UNSPECIFIED) ++counters_.signals_sent;
  }
  Proceed(now);
}

void HeartbeatLogic::BreakLink() {
  stream_ = Stream::kCancelled;
  answer_deadline_ = RealTime::max();
  port_.CancelStream();
}

void HeartbeatLogic::OnTimer(RealTime now) {
  const RealTime deadline = NextDeadline();
  const bool slept = deadline != RealTime::max() &&
                     SaturatingDifference(now, deadline) >= kSlept;
  const Duration early =
      options_.ends_with_sessions ? Duration::zero() : kBeatsTogether;
  while (const Handle handle = table_.PopDue(SaturatingAdd(now, early))) {
    HeldSession& session = *table_.Find(handle);
    if (session.phase == Phase::kLeaveCall) {
      calls_waiting_.push_back(handle);
    } else if (session.phase == Phase::kEnded) {
      if (session.forgotten) table_.Remove(handle);
    } else if (session.phase == Phase::kOpening) {
      DoubtOpen(handle, session, now);
    } else {
      table_.Enqueue(handle);
    }
  }
  const bool can_be_cancelled =
      stream_ != Stream::kNone && stream_ != Stream::kCancelled;
  if (can_be_cancelled && wait_is_named_ && now >= not_before_) {
    // Told to move on by now.
    BreakLink();
  } else if (can_be_cancelled && slept) {
    // Whatever was awaited may lie in the socket: ask, and wait from now.
    answer_deadline_ = SaturatingAdd(now, kAnswerTimeout);
    Ask(now);
  } else if (can_be_cancelled && now >= answer_deadline_) {
    broken_because_.code = grpc::StatusCode::DEADLINE_EXCEEDED;
    broken_because_.message = "the server did not answer within 10 s";
    BreakLink();
  }
  Proceed(now);
}

RealTime HeartbeatLogic::NextDeadline() const {
  RealTime deadline = table_.EarliestDue();
  if (stream_ == Stream::kNone) {
    if (!ended_ && table_.queued() > 0) {
      deadline = std::min(deadline, not_before_);
    }
  } else if (stream_ != Stream::kCancelled) {
    deadline = std::min(deadline, answer_deadline_);
    if (wait_is_named_) deadline = std::min(deadline, not_before_);
  }
  return deadline;
}

// --- What is known

Link HeartbeatLogic::link() const {
  if (ended_) return Link::kEnded;
  switch (stream_) {
    case Stream::kUp:
      return answered_ ? Link::kConnected : Link::kConnecting;
    case Stream::kNone:
    case Stream::kDrained:
    case Stream::kHalfClosed:
    case Stream::kCancelled:
      return table_.held() == 0 ? Link::kIdle : Link::kWaiting;
  }
  return Link::kIdle;
}

absl::optional<SessionStatus> HeartbeatLogic::StatusOf(Handle handle,
                                                       RealTime now) const {
  const HeldSession* session = table_.Find(handle);
  if (session == nullptr || session->forgotten) return absl::nullopt;
  SessionStatus status = session->told;
  status.link = link();
  if (status.link == Link::kWaiting) {
    // Of the stream, or of the session alone, whichever is later.
    RealTime attempt = std::max(not_before_, now);
    if (session->due != RealTime::max()) {
      attempt = std::max(attempt, session->due);
    }
    status.reconnect_in = SaturatingDifference(attempt, now);
  }
  if (status.state != v1::PRESENCE_STATE_UNSPECIFIED) {
    status.state_age = SaturatingDifference(now, session->state_told_at);
  }
  const bool heard =
      session->spoken_message != 0 && session->spoken_message <= acked_;
  const absl::optional<RealTime> confirmed_at =
      heard ? session->spoken_at : session->confirmed_at;
  if (confirmed_at.has_value()) {
    status.confirmed_age = SaturatingDifference(now, *confirmed_at);
  }
  if (session->phase == Phase::kEnded) {
    status.unconfirmed =
        status.end == SessionEnd::kLeft && !status.last_error.ok();
  } else {
    status.unconfirmed =
        session->phase != Phase::kOpen || session->queued || !heard;
    if (status.last_error.ok()) status.last_error = last_error_;
  }
  return status;
}

bool HeartbeatLogic::Settled() const {
  return table_.held() == table_.count(Phase::kOpen) && !ask_due_ &&
         answer_deadline_ == RealTime::max();
}

void HeartbeatLogic::Forget(Handle handle, RealTime now) {
  HeldSession* session = table_.Find(handle);
  if (session == nullptr || session->phase != Phase::kEnded) return;
  // Until the server has surely freed its handle, the session must get the same
  // one if it is opened again.
  if (session->handle_free_at > now) {
    session->forgotten = true;
    table_.SetDue(handle, session->handle_free_at);
  } else {
    table_.Remove(handle);
  }
}

}  // namespace lifesign::client::internal
