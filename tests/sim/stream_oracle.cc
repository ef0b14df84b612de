// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/stream_oracle.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "lifesign/client/error.h"
#include "server/base/limits.h"
#include "server/transport/codec/bytes.h"
#include "server/transport/codec/decode.h"
#include "server/transport/codec/encode.h"
#include "server/transport/codec/times.h"
#include "tests/property/step.h"

namespace lifesign::sim {
namespace {

v1::ErrorReason ReasonOf(Refusal refusal) {
  switch (refusal) {
    case Refusal::kTooManyTakeOvers:
      return v1::ERROR_REASON_TOO_MANY_TAKE_OVERS;
    case Refusal::kTooManySessions:
      return v1::ERROR_REASON_TOO_MANY_SESSIONS;
    case Refusal::kStaleAttachment:
      return v1::ERROR_REASON_STALE_ATTACHMENT;
    case Refusal::kTooManyRooms:
      return v1::ERROR_REASON_TOO_MANY_ROOMS;
    case Refusal::kTooManyAvailabilities:
      return v1::ERROR_REASON_TOO_MANY_AVAILABILITIES;
    case Refusal::kTooManyIntents:
      return v1::ERROR_REASON_TOO_MANY_INTENTS;
    case Refusal::kSessionNotOpen:
    case Refusal::kNone:
      break;
  }
  return v1::ERROR_REASON_SESSION_NOT_OPEN;
}

// A stream that lost its last session unnoticed is looked through within this;
// a tick may come 2 s late, and another has to follow.
constexpr Duration kLongestWithoutSession =
    2 * limits::kStreamWithoutSession + 3 * limits::kMaxPresenceAdvance;

}  // namespace

// --- One stream

StreamOracle::StreamOracle(StreamId id, const Call& call, SignalOracle& signals)
    : id_(id), call_(call), signals_(signals), held_(signals.now_.presence) {}

void StreamOracle::Fail(const std::string& what) const {
  signals_.verdict_.Fail(absl::StrCat("heartbeat stream ", id_, ", message ",
                                      received_, ": ", what));
}

bool StreamOracle::IsBound(const Bound& bound) const {
  return signals_.truth_.model().IsBound(bound.user, bound.session,
                                         bound.attachment, signals_.now_);
}

void StreamOracle::OnRead(const grpc::ByteBuffer& bytes) {
  // What arrives after the end counts for nothing.
  if (half_closed_ || finished_) return;
  ++received_;
  v1::HeartbeatRequest message;
  bool at_once = answer_always_;
  if (!ParseMessage(bytes, message)) {
    Refuse(0, v1::ERROR_REASON_MALFORMED_MESSAGE);
  } else {
    signals_.journal_.Note(signals_.now_.real, "stream reads", id_, message);
    if (received_ == 1) answer_always_ = message.answer_always();
    at_once = answer_always_ || message.answer_now();
    for (int i = 0; i < message.opens_size(); ++i) {
      ApplyOpen(message.opens(i), i);
    }
    for (int i = 0; i < message.signals_size(); ++i) {
      ApplySignal(message.signals(i), i);
    }
  }
  if (at_once) answer_wanted_ = true;
  if (answer_due_ == kNever) {
    answer_due_ = signals_.now_.presence + signals_.policy_.ShortestTtl() / 3;
  }
}

void StreamOracle::Refuse(std::uint32_t handle, v1::ErrorReason reason) {
  errors_.push_back({received_, handle, reason});
  signals_.journal_.Count("error in a stream");
}

absl::optional<v1::ErrorReason> StreamOracle::SpeaksAgainst(
    std::uint32_t handle, const std::string& user, const std::string& session) {
  std::erase_if(bound_, [&](const auto& item) {
    // Its own name may be told again, whoever holds it now.
    const Bound& bound = item.second;
    const bool same =
        item.first == handle && bound.user == user && bound.session == session;
    return !same && !IsBound(bound);
  });
  const auto held = bound_.find(handle);
  if (held != bound_.end()) {
    const bool same =
        held->second.user == user && held->second.session == session;
    if (same) return absl::nullopt;
    return v1::ERROR_REASON_HANDLE_IN_USE;
  }
  for (const auto& [other, bound] : bound_) {
    if (bound.user == user && bound.session == session) {
      return v1::ERROR_REASON_SESSION_ALREADY_BOUND;
    }
  }
  if (static_cast<int>(bound_.size()) >=
      signals_.options_.max_sessions_per_stream) {
    return v1::ERROR_REASON_TOO_MANY_SESSIONS_ON_STREAM;
  }
  return absl::nullopt;
}

void StreamOracle::ApplyOpen(const v1::Open& open, int index) {
  OpenParts parts;
  OpenRequest request;
  if (const auto unfit = DecodeOpen(open, {"opens", index}, parts, request)) {
    return Refuse(open.handle(), unfit->reason);
  }
  if (const auto reason =
          SpeaksAgainst(open.handle(), open.user_id(), open.session_id())) {
    return Refuse(open.handle(), *reason);
  }
  request.binding.stream = id_;
  const OpenOutcome outcome = signals_.Open(request);
  if (!outcome.ok()) return Refuse(open.handle(), ReasonOf(outcome.refusal));
  bound_[open.handle()] = {open.user_id(), open.session_id(),
                           outcome.ref.attachment};
  held_ = signals_.now_.presence;
  AddUpdate(open.handle(), {outcome.state, outcome.next_interval, outcome});
}

void StreamOracle::ApplySignal(const v1::Signal& message, int index) {
  const FieldScope scope = {"signals", index};
  Signal signal;
  DeclarationParts parts;
  Declaration declaration;
  auto unfit = DecodeSignal(message, scope, signal);
  if (!unfit.has_value()) {
    unfit = DecodeDeclaration(message, scope, parts, declaration);
  }
  if (unfit.has_value()) return Refuse(message.handle(), unfit->reason);
  const bool leaves = signal.kind == SignalKind::kLeave;
  const auto held = bound_.find(message.handle());
  if (held == bound_.end() || !IsBound(held->second)) {
    if (!leaves) {
      Refuse(message.handle(), v1::ERROR_REASON_UNKNOWN_HANDLE);
    }
    return;
  }
  const Bound& bound = held->second;
  const SignalOutcome outcome =
      signals_.truth_.model().Apply(bound.user, bound.session, bound.attachment,
                                    signal, declaration, signals_.now_);
  signals_.journal_.Count("signal on a stream");
  signals_.Heard(bound.user, bound.session, signal.kind, declaration);
  if (!outcome.bound) bound_.erase(held);
  if (outcome.is_news) {
    AddUpdate(message.handle(),
              {outcome.state, outcome.next_interval, absl::nullopt});
  }
}

void StreamOracle::AddUpdate(std::uint32_t handle, const Update& update) {
  Update& waiting = updates_[handle];
  const auto opened =
      update.opened.has_value() ? update.opened : waiting.opened;
  waiting = update;
  waiting.opened = opened;
}

void StreamOracle::OnTakenOver(std::uint32_t handle) {
  if (half_closed_ || finished_) return;
  const auto held = bound_.find(handle);
  // Bound again meanwhile: the client would take the news for the new one's.
  if (held != bound_.end() && IsBound(held->second)) return;
  errors_.push_back({0, handle, v1::ERROR_REASON_SESSION_TAKEN_OVER});
  signals_.journal_.Count("taken over");
}

void StreamOracle::OnDrain() {
  if (!half_closed_ && !finished_) drain_ = true;
}

void StreamOracle::OnReadsDone() {
  if (half_closed_ || finished_) return;
  half_closed_ = true;
  // From now on it has as long again to take its last answer.
  held_ = signals_.now_.presence;
  answer_wanted_ = answer_wanted_ || received_ != answered_;
  Disconnect();
}

void StreamOracle::Disconnect() {
  for (const auto& [handle, bound] : bound_) {
    signals_.truth_.model().Disconnect(bound.user, bound.session,
                                       bound.attachment, signals_.now_);
  }
  bound_.clear();
}

bool StreamOracle::Owes() const {
  return !updates_.empty() || !errors_.empty() || drain_;
}

void StreamOracle::OnWrite(const grpc::ByteBuffer& bytes) {
  v1::HeartbeatResponse response;
  if (!ParseMessage(bytes, response)) return Fail("an answer is malformed");
  signals_.journal_.Note(signals_.now_.real, "stream answers", id_, response);
  const bool due =
      received_ != answered_ && answer_due_ <= signals_.now_.presence;
  if (!Owes() && !answer_wanted_ && !due) Fail("an answer nobody asked for");
  if (response.acked() != received_) {
    Fail(absl::StrCat("acknowledges ", response.acked()));
  }
  CheckUpdates(response);
  CheckErrors(response);
  if (response.has_drain() != drain_) Fail("a drain");
  if (response.errors_dropped() != 0) Fail("errors are dropped");
  drain_ = false;
  answer_wanted_ = false;
  answered_ = received_;
  answer_due_ = kNever;
}

void StreamOracle::CheckUpdates(const v1::HeartbeatResponse& response) {
  for (const v1::SessionUpdate& told : response.updates()) {
    const auto found = updates_.find(told.handle());
    if (found == updates_.end()) {
      Fail(absl::StrCat("news of handle ", told.handle(), ": ",
                        told.ShortDebugString()));
      continue;
    }
    const Update& update = found->second;
    v1::SessionUpdate expected;
    expected.set_handle(told.handle());
    expected.set_state(EncodeState(update.state));
    if (update.next_interval.count() != 0) {
      EncodeDuration(update.next_interval, *expected.mutable_next_interval());
    }
    if (update.opened.has_value()) {
      v1::OpenResult& opened = *expected.mutable_opened();
      signals_.Give(update.opened->ref.attachment, told.opened().attachment());
      opened.set_attachment(told.opened().attachment());
      opened.set_resumed(update.opened->resumed);
      EncodeDuration(update.opened->report_after,
                     *opened.mutable_report_after());
    }
    if (expected.SerializeAsString() != told.SerializeAsString()) {
      Fail(absl::StrCat("told ", told.ShortDebugString(), " and not ",
                        expected.ShortDebugString()));
    }
    updates_.erase(found);
  }
  if (!updates_.empty()) {
    Fail(absl::StrCat("no news of handle ", updates_.begin()->first));
    updates_.clear();
  }
}

void StreamOracle::CheckErrors(const v1::HeartbeatResponse& response) {
  for (const v1::HeartbeatError& told : response.errors()) {
    const v1::ErrorReason reason = client::ErrorFrom(told.status()).reason;
    if (errors_.empty() || errors_.front().message != told.message() ||
        errors_.front().handle != told.handle() ||
        errors_.front().reason != reason) {
      Fail(absl::StrCat(
          "error ", v1::ErrorReason_Name(reason), " about handle ",
          told.handle(), " in message ", told.message(), " and not ",
          errors_.empty() ? "none"
                          : v1::ErrorReason_Name(errors_.front().reason)));
    }
    if (!errors_.empty()) errors_.pop_front();
  }
  // Take-overs by later opens of a message are told after the first is.
  if (!errors_.empty() && errors_.front().message != 0) {
    Fail(absl::StrCat("no error ",
                      v1::ErrorReason_Name(errors_.front().reason)));
    errors_.clear();
  }
}

void StreamOracle::OnFinish(const grpc::Status& status) {
  signals_.journal_.Note(signals_.now_.real, "stream ends", id_,
                         status.error_message());
  const v1::ErrorReason reason = client::ErrorFrom(status).reason;
  if (reason == v1::ERROR_REASON_NO_SESSION) {
    for (const auto& [handle, bound] : bound_) {
      if (IsBound(bound)) Fail("ended as if it held no session");
    }
    if (signals_.now_.presence - held_ < limits::kStreamWithoutSession) {
      Fail("ended too early for want of a session");
    }
  } else if (reason == v1::ERROR_REASON_DRAINING) {
    if (!signals_.draining_) Fail("ended by a drain that is none");
  } else if (status.error_code() == grpc::StatusCode::CANCELLED) {
    if (!call_.known_broken()) Fail("ended as broken, and is not");
  } else if (!status.ok() || !half_closed_ || Owes()) {
    Fail(absl::StrCat("ended: ", status.error_code(), " ",
                      status.error_message()));
  }
  finished_ = true;
  Disconnect();
}

void StreamOracle::Settled() {
  if (finished_ || call_.writing() || call_.known_broken()) return;
  if (Owes() || answer_wanted_) Fail("an answer is owed");
  if (half_closed_) Fail("half-closed, answered, and not ended");
}

void StreamOracle::Ticked() {
  if (finished_) return;
  const PresenceTime now = signals_.now_.presence;
  if (received_ != answered_ && answer_due_ <= now) answer_wanted_ = true;
  Settled();
  const bool holds =
      std::any_of(bound_.begin(), bound_.end(),
                  [&](const auto& item) { return IsBound(item.second); });
  if (holds) {
    held_ = now;
  } else if (now - held_ > kLongestWithoutSession) {
    Fail("not ended although it holds no session");
  }
}

// --- All of them

SignalOracle::SignalOracle(const WorldOptions& options, const Policy& policy,
                           Truth& truth, RoomOracle& rooms, const Now& now,
                           Journal& journal, Verdict& verdict)
    : options_(options),
      truth_(truth),
      rooms_(rooms),
      now_(now),
      journal_(journal),
      verdict_(verdict),
      policy_(policy),
      witness_(policy, verdict) {}

void SignalOracle::OnPolicy(const Policy& policy) {
  policy_ = policy;
  witness_.OnPolicy(policy);
}

void SignalOracle::Heard(const std::string& user, const std::string& session,
                         SignalKind kind, const Declaration& declaration) {
  if (declaration.rooms != nullptr) {
    rooms_.OnChange(user, session, *declaration.rooms);
    // Told at once, also when the signal itself is merged and waits.
    truth_.model().Read(user, View::kTrue, now_);
  }
  if (kind == SignalKind::kLeave) {
    witness_.OnLeft(user, session);
  } else if (kind != SignalKind::kDetach) {
    witness_.OnHeard(user, session, now_.presence);
  }
}

std::shared_ptr<StreamOracle> SignalOracle::Begin(StreamId id,
                                                  const Call& call) {
  auto stream = std::make_shared<StreamOracle>(id, call, *this);
  streams_[id] = stream;
  return stream;
}

OpenOutcome SignalOracle::Open(const OpenRequest& request) {
  OpenOutcome outcome = truth_.model().Open(request, ++attachments_, now_);
  journal_.Count(!outcome.ok()        ? "open refused"
                 : outcome.taken_over ? "open taking over"
                 : outcome.resumed    ? "open resumed"
                                      : "open begun");
  if (!outcome.ok()) return outcome;
  outcome.ref.attachment = attachments_;
  const std::string user(request.name.user);
  for (auto& [name, attachments] : of_session_) {
    // It may have made room for this one.
    if (name.first == user && !truth_.model().IsOpen(user, name.second, now_)) {
      witness_.OnLeft(user, name.second);
    }
  }
  const std::string session(request.name.session);
  of_session_[{user, session}].push_back(attachments_);
  witness_.OnOpened(user, session, now_.presence);
  rooms_.OnOpened(user, session, outcome.resumed, request.rooms);
  if (outcome.taken_over.has_value() && !outcome.taken_over->unary() &&
      outcome.taken_over->stream != request.binding.stream) {
    const auto found = streams_.find(outcome.taken_over->stream);
    const auto stream =
        found == streams_.end() ? nullptr : found->second.lock();
    if (stream != nullptr) stream->OnTakenOver(outcome.taken_over->handle);
  }
  return outcome;
}

void SignalOracle::Give(Attachment model, Attachment given) {
  given_[model] = given;
  const bool fresh = model_.emplace(given, model).second;
  if (given == kNoAttachment || (!fresh && model_[given] != model)) {
    verdict_.Fail(absl::StrCat("attachment ", given, " was given twice"));
  }
}

Attachment SignalOracle::ModelOf(Attachment given) const {
  if (given == kNoAttachment) return kNoAttachment;
  const auto found = model_.find(given);
  return found == model_.end() ? UINT64_MAX : found->second;
}

Attachment SignalOracle::GivenFor(Attachment model) const {
  const auto found = given_.find(model);
  return found == given_.end() ? kNoAttachment : found->second;
}

Attachment SignalOracle::GivenFor(const std::string& user,
                                  const std::string& session, int back) const {
  const auto found = of_session_.find({user, session});
  if (found == of_session_.end()) return kNoAttachment;
  const auto& all = found->second;
  const auto which = static_cast<std::size_t>(back);
  return which < all.size() ? GivenFor(all[all.size() - 1 - which])
                            : kNoAttachment;
}

SignalOracle::Answer SignalOracle::Expect(
    const v1::SendSignalRequest& request) {
  Answer answer;
  if (draining_) {
    answer.error = v1::ERROR_REASON_DRAINING;
    return answer;
  }
  UnarySignal signal;
  if (const auto unfit = DecodeSendSignal(request, signal)) {
    answer.error = unfit->reason;
    return answer;
  }
  v1::SendSignalResponse& response = answer.response;
  EncodeTime(now_.wall, *response.mutable_read_time());
  if (signal.open.has_value()) {
    const OpenOutcome outcome = Open(*signal.open);
    if (!outcome.ok()) {
      answer.error = ReasonOf(outcome.refusal);
      return answer;
    }
    answer.opened = outcome.ref.attachment;
    response.set_resumed(outcome.resumed);
    response.set_state(EncodeState(outcome.state));
    EncodeDuration(outcome.next_interval, *response.mutable_next_interval());
    EncodeDuration(outcome.report_after, *response.mutable_report_after());
    return answer;
  }
  if (signal.of_user) {
    truth_.model().Declare(request.user_id(), *signal.declaration.availability,
                           now_);
    journal_.Count("word of a user");
    return answer;
  }
  const SignalOutcome outcome = truth_.model().ApplyUnary(
      request.user_id(), request.session_id(), ModelOf(request.attachment()),
      signal.signal, signal.declaration, now_);
  if (!outcome.ok()) {
    answer.error = ReasonOf(outcome.refusal);
    return answer;
  }
  journal_.Count("unary signal");
  Heard(request.user_id(), request.session_id(), signal.signal.kind,
        signal.declaration);
  const SignalKind kind = signal.signal.kind;
  if (kind != SignalKind::kLeave) response.set_attachment(request.attachment());
  response.set_state(EncodeState(outcome.state));
  if (kind != SignalKind::kLeave && kind != SignalKind::kDetach) {
    EncodeDuration(outcome.next_interval, *response.mutable_next_interval());
  }
  return answer;
}

void SignalOracle::Check(const Answer& expected, const grpc::Status& status,
                         const v1::SendSignalResponse& response) {
  journal_.Note(now_.real, "unary answer", status.error_code(), response);
  const v1::ErrorReason reason = client::ErrorFrom(status).reason;
  if (expected.error.has_value() || !status.ok()) {
    if (!status.ok() && expected.error == reason) return;
    verdict_.Fail(absl::StrCat(
        "SendSignal answers ", v1::ErrorReason_Name(reason), " and not ",
        expected.error ? v1::ErrorReason_Name(*expected.error) : "OK"));
    return;
  }
  v1::SendSignalResponse whole = expected.response;
  if (expected.opened != kNoAttachment) {
    Give(expected.opened, response.attachment());
    whole.set_attachment(response.attachment());
  }
  if (whole.SerializeAsString() == response.SerializeAsString()) return;
  verdict_.Fail(absl::StrCat("SendSignal answers ", response.ShortDebugString(),
                             " and not ", whole.ShortDebugString()));
}

void SignalOracle::OnDrain() {
  draining_ = true;
  for (const auto& [id, weak] : streams_) {
    if (const auto stream = weak.lock()) stream->OnDrain();
  }
}

void SignalOracle::Settled() {
  std::erase_if(streams_,
                [](const auto& item) { return item.second.expired(); });
  for (const auto& [id, weak] : streams_) {
    if (const auto stream = weak.lock()) stream->Settled();
  }
}

void SignalOracle::Ticked() {
  for (const auto& [id, weak] : streams_) {
    if (const auto stream = weak.lock()) stream->Ticked();
  }
}

}  // namespace lifesign::sim
