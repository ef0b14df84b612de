// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What the messages of a heartbeat stream do.

#include <algorithm>
#include <utility>

#include "absl/container/fixed_array.h"
#include "absl/types/span.h"
#include "server/base/limits.h"
#include "server/transport/codec/bytes.h"
#include "server/transport/codec/decode.h"
#include "server/transport/codec/refusal_error.h"
#include "server/transport/heartbeat/heartbeat_stream.h"

namespace lifesign {

void HeartbeatStream::ApplyMessage(const grpc::ByteBuffer& bytes,
                                   const Now& now,
                                   std::vector<Binding>& taken_over) {
  ++received_;
  swept_in_message_ = false;
  ScratchArena arena;
  auto& message = arena.Create<v1::HeartbeatRequest>();
  if (!ParseMessage(bytes, message)) {
    answers_.AddError(received_, 0, MalformedMessage());
    AnswerOrWait(false, now);
    return;
  }
  if (!ResolveTenant(message.tenant()).has_value()) {
    Finish(ToGrpcStatus(TenantDenied()));
    return;
  }
  if (received_ == 1) answer_always_ = message.answer_always();
  if (CheckCounts(message)) {
    for (int i = 0; i < message.opens_size(); ++i) {
      ApplyOpen(message.opens(i), i, now, taken_over);
    }
    ApplySignals(message, now);
  }
  AnswerOrWait(message.answer_now(), now);
}

bool HeartbeatStream::CheckCounts(const v1::HeartbeatRequest& message) {
  FieldFaults faults;
  if (message.opens_size() > limits::kMaxOpensPerMessage) {
    faults.AddLimit("opens", "max_opens_per_message", "at most 1,000");
  }
  if (message.signals_size() > limits::kMaxSignalsPerMessage) {
    faults.AddLimit("signals", "max_signals_per_message", "at most 4,096");
  }
  if (faults.empty()) return true;
  answers_.AddError(received_, 0, std::move(faults).ToError());
  return false;
}

void HeartbeatStream::ApplyOpen(const v1::Open& open, int index, const Now& now,
                                std::vector<Binding>& taken_over) {
  OpenParts parts;
  OpenRequest request;
  auto error = DecodeOpen(open, {"opens", index}, parts, request);
  if (!error.has_value()) {
    error = MakeRoom(open.handle(), request, now);
  }
  if (error.has_value()) {
    answers_.AddError(received_, open.handle(), *error);
    return;
  }
  request.binding.stream = id_;
  const OpenOutcome outcome = parts_.engine.Open(request, now);
  if (!outcome.ok()) {
    answers_.AddError(received_, open.handle(),
                      RefusalError(outcome.refusal, outcome.retry_after,
                                   parts_.limits.max_sessions_per_user));
    return;
  }
  FreeGuest(request);
  handles_.Free(open.handle());
  handles_.Bind(open.handle(), {outcome.ref, HashName(request.name)});
  empty_since_ = kNever;
  last_applied_ = now.presence;
  if (sweep_due_ == kNever) {
    sweep_due_ = SaturatingAdd(now.presence, limits::kStreamWithoutSession);
    Expect(sweep_due_);
  }
  answers_.AddUpdate({open.handle(), outcome.state, outcome.next_interval,
                      Answers::Opened{outcome.ref.attachment, outcome.resumed,
                                      outcome.report_after}});
  if (outcome.taken_over.has_value() && outcome.taken_over->stream != id_) {
    taken_over.push_back(*outcome.taken_over);
  }
}

void HeartbeatStream::FreeGuest(const OpenRequest& request) {
  if (request.guest.empty()) return;
  const auto handle =
      handles_.HandleOf(HashName({request.guest, request.name.session}));
  if (handle.has_value()) handles_.Free(*handle);
}

absl::optional<ApiError> HeartbeatStream::MakeRoom(std::uint32_t handle,
                                                   const OpenRequest& request,
                                                   const Now& now) {
  const NameHash name = HashName(request.name);
  if (const HandleTable::Bound* bound = handles_.Find(handle)) {
    if (bound->name == name) return absl::nullopt;
    // A guest's session gives its handle to the user's.
    if (!request.guest.empty() &&
        bound->name == HashName({request.guest, request.name.session})) {
      return absl::nullopt;
    }
    if (parts_.engine.IsBound(bound->ref, now)) return HandleInUse();
    handles_.Free(handle);
  }
  if (const auto other = handles_.HandleOf(name)) {
    if (parts_.engine.IsBound(handles_.Find(*other)->ref, now)) {
      return SessionAlreadyBound(*other);
    }
    handles_.Free(*other);
  }
  const auto most =
      static_cast<std::size_t>(parts_.limits.max_sessions_per_stream);
  if (handles_.size() >= most && !swept_in_message_) Sweep(now);
  if (handles_.size() >= most) {
    return TooManySessionsOnStream(parts_.limits.max_sessions_per_stream);
  }
  return absl::nullopt;
}

void HeartbeatStream::ApplySignals(const v1::HeartbeatRequest& message,
                                   const Now& now) {
  constexpr int kAtOnce = static_cast<int>(limits::kSignalsPerLock);
  const int size = message.signals_size();
  for (int begin = 0; begin < size;) {
    int end = begin;
    while (end < size && end - begin < kAtOnce &&
           !Declares(message.signals(end))) {
      ++end;
    }
    if (end > begin) {
      ApplySlice(message, begin, end - begin, now);
    } else {
      ApplyDeclaring(message.signals(begin), begin, now);
      ++end;
    }
    begin = end;
  }
}

void HeartbeatStream::ApplyDeclaring(const v1::Signal& message, int index,
                                     const Now& now) {
  const FieldScope scope = {"signals", index};
  BoundSignal signal;
  DeclarationParts parts;
  Declaration declaration;
  auto error = DecodeSignal(message, scope, signal.signal);
  if (!error.has_value()) {
    error = DecodeDeclaration(message, scope, parts, declaration);
  }
  const HandleTable::Bound* bound = handles_.Find(message.handle());
  if (!error.has_value() && bound == nullptr) error = UnknownHandle();
  if (error.has_value()) {
    answers_.AddError(received_, message.handle(), *error);
    return;
  }
  signal.ref = bound->ref;
  signal.outcome =
      parts_.engine.ApplyDeclaring(signal.ref, signal.signal, declaration, now);
  const Refusal refusal = signal.outcome.refusal;
  if (refusal == Refusal::kTooManyRooms ||
      refusal == Refusal::kTooManyIntents ||
      refusal == Refusal::kTooManyAvailabilities) {
    answers_.AddError(received_, message.handle(),
                      RefusalError(refusal, Duration(0),
                                   parts_.limits.max_sessions_per_user));
    return;
  }
  last_applied_ = now.presence;
  TellOutcome(message.handle(), signal, now);
}

void HeartbeatStream::ApplySlice(const v1::HeartbeatRequest& message, int begin,
                                 int count, const Now& now) {
  // Those that are fit and name a bound session, in their order.
  absl::FixedArray<BoundSignal, limits::kSignalsPerLock> bound(
      static_cast<std::size_t>(count));
  absl::FixedArray<bool, limits::kSignalsPerLock> is_bound(bound.size());
  std::size_t applied = 0;
  for (int i = 0; i < count; ++i) {
    const v1::Signal& signal = message.signals(begin + i);
    BoundSignal& next = bound[applied];
    const HandleTable::Bound* found = nullptr;
    if (!DecodeSignal(signal, {"signals", begin + i}, next.signal)) {
      found = handles_.Find(signal.handle());
    }
    is_bound[static_cast<std::size_t>(i)] = found != nullptr;
    if (found == nullptr) {
      // The next one takes this place: nothing of it may be left there.
      next.signal = Signal();
      continue;
    }
    next.ref = found->ref;
    ++applied;
  }
  parts_.engine.ApplyAll(absl::MakeSpan(bound.data(), applied), now);
  if (applied > 0) last_applied_ = now.presence;

  const BoundSignal* next = bound.data();
  for (int i = 0; i < count; ++i) {
    const v1::Signal& signal = message.signals(begin + i);
    if (is_bound[static_cast<std::size_t>(i)]) {
      TellOutcome(signal.handle(), *next++, now);
    } else {
      RefuseSignal(signal, begin + i);
    }
  }
}

void HeartbeatStream::TellOutcome(std::uint32_t handle,
                                  const BoundSignal& applied, const Now& now) {
  const SignalOutcome& outcome = applied.outcome;
  if (!outcome.ok() || !outcome.bound) Free(handle, now);
  const bool leaves = applied.signal.kind == SignalKind::kLeave;
  if (!outcome.ok()) {
    if (!leaves) answers_.AddError(received_, handle, UnknownHandle());
    return;
  }
  if (leaves && outcome.bound) {
    sweep_due_ = std::min(sweep_due_,
                          SaturatingAdd(now.presence, applied.signal.linger));
    Expect(sweep_due_);
  }
  if (outcome.is_news) {
    answers_.AddUpdate(
        {handle, outcome.state, outcome.next_interval, absl::nullopt});
  }
}

void HeartbeatStream::RefuseSignal(const v1::Signal& message, int index) {
  Signal signal;
  const auto unfit = DecodeSignal(message, {"signals", index}, signal);
  if (unfit.has_value()) {
    answers_.AddError(received_, message.handle(), *unfit);
  } else if (signal.kind != SignalKind::kLeave) {
    answers_.AddError(received_, message.handle(), UnknownHandle());
  }
}

void HeartbeatStream::Sweep(const Now& now) {
  swept_in_message_ = true;
  handles_.Sweep(
      [&](const SessionRef& ref) { return parts_.engine.IsBound(ref, now); });
  if (handles_.empty()) {
    sweep_due_ = kNever;
    if (empty_since_ == kNever) empty_since_ = now.presence;
    return;
  }
  // What ends by its own silence is seen then; what another stream took, or
  // somebody else ended, at latest after so long.
  const Duration ttl = parts_.engine.policy().LongestTtl();
  const PresenceTime silent =
      std::max(SaturatingAdd(last_applied_, ttl),
               SaturatingAdd(now.presence, limits::kMaxLinger));
  sweep_due_ = std::min(
      silent, SaturatingAdd(now.presence, limits::kStreamWithoutSession));
}

void HeartbeatStream::Free(std::uint32_t handle, const Now& now) {
  handles_.Free(handle);
  if (!handles_.empty() || empty_since_ != kNever) return;
  sweep_due_ = kNever;
  empty_since_ = now.presence;
  Expect(SaturatingAdd(now.presence, limits::kStreamWithoutSession));
}

}  // namespace lifesign
