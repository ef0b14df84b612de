// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "lifesign/client/internal/held_session.h"

#include <algorithm>

#include "lifesign/client/internal/proto_time.h"

namespace lifesign::client::internal {
namespace {

// An age below this is told as none: the server's tick is no finer, and a beat
// stays at its six bytes.
constexpr Duration kUntoldAge = std::chrono::milliseconds(100);

v1::SignalKind KindOf(Lifecycle lifecycle) {
  switch (lifecycle) {
    case Lifecycle::kActive:
      return v1::SIGNAL_KIND_ACTIVE;
    case Lifecycle::kIdle:
      return v1::SIGNAL_KIND_IDLE;
    case Lifecycle::kBackground:
      return v1::SIGNAL_KIND_BACKGROUND;
  }
  return v1::SIGNAL_KIND_UNSPECIFIED;
}

}  // namespace

Attention::Attention(absl::optional<Lifecycle> lifecycle, RealTime now)
    : lifecycle_(lifecycle) {
  if (lifecycle == Lifecycle::kActive) interaction_ = now;
}

bool Attention::Interact(RealTime when, Duration report_after) {
  const bool changed = Become(Lifecycle::kActive);
  NoteInteraction(when);
  return changed || !told_.has_value() ||
         SaturatingDifference(*interaction_, *told_) > report_after;
}

bool Attention::Become(Lifecycle lifecycle) {
  if (lifecycle_ == lifecycle) return false;
  lifecycle_ = lifecycle;
  return true;
}

void Attention::NoteInteraction(RealTime when) {
  interaction_ = std::max(interaction_.value_or(when), when);
}

Attention::Word Attention::Tell(RealTime now) {
  Word word;
  if (!lifecycle_.has_value()) return word;
  word.kind = KindOf(*lifecycle_);
  if (!interaction_.has_value()) return word;
  const Duration age =
      std::max(SaturatingDifference(now, *interaction_), Duration::zero());
  if (lifecycle_ == Lifecycle::kActive) {
    // Without it ACTIVE would say "now": a beat is no interaction.
    if (age >= kUntoldAge) word.idle_for = age;
  } else if (told_ != interaction_) {
    word.idle_for = age;
  }
  told_ = interaction_;
  return word;
}

void Declared::Declare(const Availability& availability, RealTime now) {
  availability_ = availability;
  expires_at_ = availability.expires_in.has_value()
                    ? SaturatingAdd(now, *availability.expires_in)
                    : RealTime::max();
  is_news_ = true;
  message_ = 0;
}

void Declared::Fill(RealTime now,
                    v1::AvailabilityDeclaration& declaration) const {
  if (expires_at_ <= now) {
    declaration.set_kind(v1::AVAILABILITY_KIND_AVAILABLE);
    return;
  }
  declaration.set_kind(availability_->kind);
  declaration.set_text(availability_->text);
  if (expires_at_ != RealTime::max()) {
    ToProto(SaturatingDifference(expires_at_, now),
            *declaration.mutable_expires_in());
  }
}

void Declared::FillSignal(uint64_t number, RealTime now, v1::Signal& signal) {
  Fill(now, *signal.mutable_availability());
  message_ = number;
}

void Declared::FillOpen(uint64_t number, RealTime now,
                        v1::OpenOptions& options) {
  if (!availability_.has_value()) return;
  // What ran out since the server heard of it ran out there, too.
  if (!is_news_ && expires_at_ <= now) return;
  Fill(now, *options.mutable_availability());
  options.set_replace_availability(is_news_);
  message_ = number;
}

size_t Declared::Bytes() const {
  constexpr size_t kFixed = 32;
  return availability_.has_value() ? kFixed + availability_->text.size() : 0;
}

HeldSession::HeldSession(const SessionSpec& session_spec, RealTime now)
    : spec(session_spec),
      attention(session_spec.lifecycle, now),
      rooms(session_spec.rooms) {
  if (spec.availability.has_value()) declared.Declare(*spec.availability, now);
}

void HeldSession::Spoke(uint64_t number, RealTime now) {
  spoken_message = number;
  spoken_at = now;
}

void HeldSession::FillOpen(Handle handle, uint64_t number, RealTime now,
                           v1::Open& open) {
  open.set_handle(handle);
  open.set_user_id(spec.user_id);
  open.set_session_id(spec.session_id);
  v1::OpenOptions& options = *open.mutable_options();
  options.set_device_class(spec.device_class);
  options.set_instance(spec.instance);
  if (spec.metadata.has_value()) {
    auto& entries = *options.mutable_metadata()->mutable_entries();
    entries.insert(spec.metadata->begin(), spec.metadata->end());
  }
  if (!guest_is_gone) options.set_guest_user_id(spec.guest_user_id);
  rooms.TellOpen(options);
  declared.FillOpen(number, now, options);
  attention.ForgetTold();
  const Attention::Word word = attention.Tell(now);
  open.set_kind(word.kind);
  if (word.idle_for.has_value())
    ToProto(*word.idle_for, *open.mutable_idle_for());
  open_message = number;
  maybe_live = true;
  Spoke(number, now);
}

void HeldSession::FillSignal(Handle handle, uint64_t number, RealTime now,
                             v1::Signal& signal) {
  signal.set_handle(handle);
  Spoke(number, now);
  if (goodbye != v1::SIGNAL_KIND_UNSPECIFIED) {
    signal.set_kind(goodbye);
    if (linger > Duration::zero()) ToProto(linger, *signal.mutable_linger());
    return;
  }
  const Attention::Word word = attention.Tell(now);
  // Opened without a word and still without one: there, and unattended.
  signal.set_kind(word.kind == v1::SIGNAL_KIND_UNSPECIFIED
                      ? v1::SIGNAL_KIND_IDLE
                      : word.kind);
  if (word.idle_for.has_value()) {
    ToProto(*word.idle_for, *signal.mutable_idle_for());
  }
  // Apart: of a signal that is refused nothing is applied.
  if (declared.IsUnsaid()) {
    declared.FillSignal(number, now, signal);
  } else if (rooms.HasNews()) {
    rooms.TellSignal(*signal.mutable_rooms());
  }
}

v1::SendSignalRequest HeldSession::LeaveRequest(
    const std::string& tenant) const {
  v1::SendSignalRequest request;
  request.set_tenant(tenant);
  request.set_user_id(spec.user_id);
  request.set_session_id(spec.session_id);
  request.set_attachment(told.attachment);
  request.set_kind(v1::SIGNAL_KIND_LEAVE);
  if (linger > Duration::zero()) ToProto(linger, *request.mutable_linger());
  return request;
}

size_t HeldSession::SignalBytes() const {
  return declared.IsUnsaid() ? declared.Bytes() : rooms.SignalBytes();
}

size_t HeldSession::OpenBytes() const {
  // Tags, lengths, numbers.
  constexpr size_t kFixed = 64;
  constexpr size_t kEntry = 12;
  size_t bytes = kFixed + spec.user_id.size() + spec.session_id.size() +
                 spec.guest_user_id.size() + rooms.OpenBytes() +
                 declared.Bytes();
  if (spec.metadata.has_value()) {
    for (const auto& [key, value] : *spec.metadata) {
      bytes += kEntry + key.size() + value.size();
    }
  }
  return bytes;
}

}  // namespace lifesign::client::internal
