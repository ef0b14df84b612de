// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/codec/encode.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <cstdint>
#include <cstring>

#include "absl/container/inlined_vector.h"
#include "server/transport/codec/bytes.h"
#include "server/transport/codec/times.h"

namespace lifesign {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedOutputStream;

// Up to so many changes a message refers to the shared bytes of each; more are
// copied behind one another, because a write with many pieces costs more than
// their few bytes.
constexpr std::size_t kMostSharedPieces = 16;

v1::DerivationRule EncodeRule(Rule rule) {
  switch (rule) {
    case Rule::kTtl:
      return v1::DERIVATION_RULE_TTL;
    case Rule::kSilence:
      return v1::DERIVATION_RULE_SILENCE;
    case Rule::kActivity:
      return v1::DERIVATION_RULE_ACTIVITY;
    case Rule::kIdleCap:
      return v1::DERIVATION_RULE_IDLE_CAP;
    case Rule::kBackgroundCap:
      return v1::DERIVATION_RULE_BACKGROUND_CAP;
    case Rule::kReconvergence:
      return v1::DERIVATION_RULE_RECONVERGENCE;
  }
  return v1::DERIVATION_RULE_UNSPECIFIED;
}

v1::SignalKind EncodeLifecycle(Lifecycle lifecycle) {
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

void EncodeAvailability(const AvailabilityView& view, v1::Availability& to) {
  to.set_kind(EncodeKind(view.kind));
  to.set_text(view.text);
  if (view.expires_at) EncodeTime(*view.expires_at, *to.mutable_expires_at());
}

// What Presence and PresenceRecord have in common.
template <typename Message>
void EncodeCommon(const PresenceRecord& record, Message& to) {
  to.set_user_id(record.user);
  to.set_state(EncodeState(record.state));
  to.set_revision(record.revision);
  if (record.since) EncodeTime(*record.since, *to.mutable_since());
  if (record.last_seen) EncodeTime(*record.last_seen, *to.mutable_last_seen());
  if (record.last_active) {
    EncodeTime(*record.last_active, *to.mutable_last_active());
  }
  if (record.availability != nullptr) {
    EncodeAvailability(*record.availability, *to.mutable_availability());
  }
}

void EncodeCap(const CapView& cap, v1::Cap& to) {
  if (cap.started_at) EncodeTime(*cap.started_at, *to.mutable_started_at());
  if (cap.in_force_at) EncodeTime(*cap.in_force_at, *to.mutable_in_force_at());
  to.set_in_force(cap.in_force);
}

void EncodeNextChange(const NextChangeView& next, v1::NextChange& to) {
  EncodeTime(next.at, *to.mutable_at());
  to.set_state(EncodeState(next.state));
}

void EncodeWindows(const SessionExplanation& session, v1::PolicyWindows& to) {
  EncodeDuration(session.row.active_window, *to.mutable_active_window());
  EncodeDuration(session.row.idle_window, *to.mutable_idle_window());
  EncodeDuration(session.row.away_window, *to.mutable_away_window());
  EncodeDuration(session.row.ttl, *to.mutable_ttl());
  EncodeDuration(session.downgrade_debounce, *to.mutable_downgrade_debounce());
}

void EncodeSessionExplanation(const SessionExplanation& session,
                              v1::SessionExplanation& to) {
  EncodeSession(session.session, *to.mutable_session());
  to.set_rule(EncodeRule(session.rule));
  if (session.signal_age) {
    EncodeDuration(*session.signal_age, *to.mutable_signal_age());
  }
  if (session.activity_age) {
    EncodeDuration(*session.activity_age, *to.mutable_activity_age());
  }
  if (session.idle_cap) EncodeCap(*session.idle_cap, *to.mutable_idle_cap());
  if (session.background_cap) {
    EncodeCap(*session.background_cap, *to.mutable_background_cap());
  }
  if (session.linger_until) {
    EncodeTime(*session.linger_until, *to.mutable_linger_until());
  }
  if (session.next_change) {
    EncodeNextChange(*session.next_change, *to.mutable_next_change());
  }
  to.set_holds_user_state(session.holds_user_state);
  EncodeWindows(session, *to.mutable_windows());
}

void EncodeRoomExplanation(const RoomExplanation& room,
                           v1::RoomExplanation& to) {
  to.set_room_id(room.room);
  to.set_state(EncodeState(room.state));
  if (room.since) EncodeTime(*room.since, *to.mutable_since());
  to.set_last_cause(EncodeCause(room.cause));
  for (const std::string& session : room.sessions) to.add_session_ids(session);
  if (room.next_change) {
    EncodeNextChange(*room.next_change, *to.mutable_next_change());
  }
  if (room.ends_at) EncodeTime(*room.ends_at, *to.mutable_ends_at());
}

// The state on each class of device with a live session.
template <typename Message>
void EncodeDevices(const DeviceStates& devices, Message& to) {
  for (std::size_t i = 0; i < kDeviceClasses; ++i) {
    if (!IsLive(devices[i])) continue;
    v1::DevicePresence& device = *to.add_devices();
    device.set_device_class(EncodeDevice(static_cast<DeviceClass>(i)));
    device.set_state(EncodeState(devices[i]));
  }
}

const grpc::Slice& WireOf(const PublishedChange& change, Detail detail) {
  return *static_cast<const grpc::Slice*>(change.wire(detail).get());
}

// As a field of another message.
template <typename Message>
std::shared_ptr<const grpc::Slice> SerializeAsField(int number,
                                                    const Message& message) {
  const std::size_t size = message.ByteSizeLong();
  const std::uint32_t tag = WireFormatLite::MakeTag(
      number, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
  const auto length = static_cast<std::uint32_t>(size);
  auto slice = std::make_shared<grpc::Slice>(
      CodedOutputStream::VarintSize32(tag) +
      CodedOutputStream::VarintSize32(length) + size);
  // A slice that nobody else holds yet may be written to.
  auto* to = const_cast<std::uint8_t*>(slice->begin());
  to = CodedOutputStream::WriteVarint32ToArray(tag, to);
  to = CodedOutputStream::WriteVarint32ToArray(length, to);
  message.SerializeWithCachedSizesToArray(to);
  return slice;
}

grpc::Slice Concatenate(absl::Span<const PublishedChangePtr> changes,
                        Detail detail) {
  std::size_t size = 0;
  for (const auto& change : changes) size += WireOf(*change, detail).size();
  grpc::Slice joined(size);
  // A slice that nobody else holds yet may be written to.
  auto* to = const_cast<std::uint8_t*>(joined.begin());
  for (const auto& change : changes) {
    const grpc::Slice& piece = WireOf(*change, detail);
    std::memcpy(to, piece.begin(), piece.size());
    to += piece.size();
  }
  return joined;
}

}  // namespace

v1::PresenceState EncodeState(State state) {
  switch (state) {
    case State::kActive:
      return v1::PRESENCE_STATE_ACTIVE;
    case State::kIdle:
      return v1::PRESENCE_STATE_IDLE;
    case State::kAway:
      return v1::PRESENCE_STATE_AWAY;
    case State::kStale:
      return v1::PRESENCE_STATE_STALE;
    case State::kOffline:
      return v1::PRESENCE_STATE_OFFLINE;
  }
  return v1::PRESENCE_STATE_UNSPECIFIED;
}

v1::Cause EncodeCause(Cause cause) {
  switch (cause) {
    case Cause::kNone:
      return v1::CAUSE_UNSPECIFIED;
    case Cause::kSignal:
      return v1::CAUSE_SIGNAL;
    case Cause::kDecay:
      return v1::CAUSE_DECAY;
    case Cause::kExpiry:
      return v1::CAUSE_EXPIRY;
    case Cause::kLeave:
      return v1::CAUSE_LEAVE;
    case Cause::kReconvergence:
      return v1::CAUSE_RECONVERGENCE;
    case Cause::kAvailability:
      return v1::CAUSE_AVAILABILITY;
  }
  return v1::CAUSE_UNSPECIFIED;
}

v1::DeviceClass EncodeDevice(DeviceClass device) {
  switch (device) {
    case DeviceClass::kWeb:
      return v1::DEVICE_CLASS_WEB;
    case DeviceClass::kMobile:
      return v1::DEVICE_CLASS_MOBILE;
    case DeviceClass::kDesktop:
      return v1::DEVICE_CLASS_DESKTOP;
    case DeviceClass::kTv:
      return v1::DEVICE_CLASS_TV;
    case DeviceClass::kBot:
      return v1::DEVICE_CLASS_BOT;
    case DeviceClass::kOther:
      return v1::DEVICE_CLASS_OTHER;
  }
  return v1::DEVICE_CLASS_UNSPECIFIED;
}

v1::AvailabilityKind EncodeKind(AvailabilityKind kind) {
  switch (kind) {
    case AvailabilityKind::kAvailable:
      return v1::AVAILABILITY_KIND_AVAILABLE;
    case AvailabilityKind::kBusy:
      return v1::AVAILABILITY_KIND_BUSY;
    case AvailabilityKind::kDoNotDisturb:
      return v1::AVAILABILITY_KIND_DO_NOT_DISTURB;
    case AvailabilityKind::kInvisible:
      return v1::AVAILABILITY_KIND_INVISIBLE;
  }
  return v1::AVAILABILITY_KIND_UNSPECIFIED;
}

void EncodeUser(const UserView& view, v1::Presence& to) {
  EncodeCommon(view.record, to);
  to.set_confidence(view.confidence);
  for (std::size_t i = 0; i < kStates; ++i) {
    const int sessions = view.sessions_by_state[i];
    const auto state = static_cast<State>(i);
    if (sessions == 0 || !IsLive(state)) continue;
    v1::SessionCount& count = *to.add_session_counts();
    count.set_state(EncodeState(state));
    count.set_sessions(sessions);
  }
  EncodeDevices(view.record.devices, to);
}

void EncodeSession(const SessionView& view, v1::Session& to) {
  to.set_session_id(view.session);
  to.set_state(EncodeState(view.state));
  to.set_device_class(EncodeDevice(view.device));
  to.set_connected(view.connected);
  to.set_attachment(view.attachment);
  if (view.opened_at) EncodeTime(*view.opened_at, *to.mutable_opened_at());
  if (view.last_seen) EncodeTime(*view.last_seen, *to.mutable_last_seen());
  if (view.last_active)
    EncodeTime(*view.last_active, *to.mutable_last_active());
  EncodeDuration(view.next_interval, *to.mutable_next_interval());
  to.set_confidence(view.confidence);
  if (view.lifecycle) to.set_lifecycle(EncodeLifecycle(*view.lifecycle));
  for (const auto& [key, value] : view.metadata) {
    (*to.mutable_metadata()->mutable_entries())[key] = value;
  }
  for (const std::string& room : view.rooms) to.add_room_ids(room);
}

void EncodeExplanation(const UserExplanation& explanation,
                       v1::ExplainPresenceResponse& to) {
  EncodeUser(explanation.user, *to.mutable_presence());
  to.set_last_cause(EncodeCause(explanation.user.record.cause));
  for (const SessionExplanation& session : explanation.sessions) {
    EncodeSessionExplanation(session, *to.add_sessions());
  }
  if (explanation.next_change) {
    EncodeNextChange(*explanation.next_change, *to.mutable_next_change());
  }
  if (explanation.room) {
    EncodeRoomExplanation(*explanation.room, *to.mutable_room());
  }
}

void EncodeOccupancy(absl::string_view room, const Occupancy& occupancy,
                     v1::Occupancy& to) {
  to.set_room_id(std::string(room));
  to.set_revision(occupancy.revision);
  to.set_users(occupancy.users);
  for (std::size_t i = 0; i < kStates; ++i) {
    if (occupancy.users_by_state[i] == 0) continue;
    v1::UserCount& count = *to.add_user_counts();
    count.set_state(EncodeState(static_cast<State>(i)));
    count.set_users(occupancy.users_by_state[i]);
  }
  to.set_sessions(occupancy.sessions);
  for (std::size_t i = 0; i < kOccupancyWindows.size(); ++i) {
    v1::OccupancyWindow& window = *to.add_windows();
    EncodeDuration(kOccupancyWindows[i], *window.mutable_window());
    window.set_peak_users(occupancy.lately[i].peak);
    window.set_mean_users(occupancy.lately[i].mean);
  }
}

void EncodeRecord(const PresenceRecord& record, Detail detail,
                  v1::PresenceRecord& to) {
  EncodeCommon(record, to);
  to.set_cause(EncodeCause(record.cause));
  if (detail == Detail::kDevices) EncodeDevices(record.devices, to);
  if (record.merged_into != nullptr) to.set_merged_into(*record.merged_into);
}

std::shared_ptr<const void> EncodeChange(const Change& change, Detail detail) {
  ScratchArena arena;
  auto& record = arena.Create<v1::PresenceRecord>();
  EncodeRecord(change.after, detail, record);
  return SerializeAsField(v1::WatchPresenceResponse::kChangesFieldNumber,
                          record);
}

std::shared_ptr<const void> EncodeWholeRoom(absl::string_view room,
                                            const Occupancy& occupancy) {
  ScratchArena arena;
  auto& message = arena.Create<v1::Occupancy>();
  EncodeOccupancy(room, occupancy, message);
  return SerializeAsField(v1::WatchPresenceResponse::kOccupancyFieldNumber,
                          message);
}

void EncodeIntent(const IntentView& intent, v1::Intent& to) {
  to.set_user_id(intent.from);
  to.set_target_user_id(intent.target);
  EncodeTime(intent.expires_at, *to.mutable_expires_at());
}

std::shared_ptr<const void> EncodeAllIntents(
    absl::string_view room, absl::Span<const IntentView> intents) {
  ScratchArena arena;
  auto& message = arena.Create<v1::Intents>();
  message.set_room_id(std::string(room));
  for (const IntentView& intent : intents) {
    EncodeIntent(intent, *message.add_intents());
  }
  return SerializeAsField(v1::WatchPresenceResponse::kIntentsFieldNumber,
                          message);
}

Room::Encoders RoomEncoders() { return {EncodeWholeRoom, EncodeAllIntents}; }

grpc::ByteBuffer JoinWatchResponse(const v1::WatchPresenceResponse& head,
                                   absl::Span<const PublishedChangePtr> changes,
                                   Detail detail,
                                   const v1::WatchPresenceResponse& tail,
                                   const void* whole) {
  // Usually one.
  absl::InlinedVector<grpc::Slice, 2> pieces;
  if (head.ByteSizeLong() > 0) pieces.push_back(SerializeToSlice(head));
  if (changes.size() > kMostSharedPieces) {
    pieces.push_back(Concatenate(changes, detail));
  } else {
    for (const auto& change : changes) {
      pieces.push_back(WireOf(*change, detail));
    }
  }
  if (tail.ByteSizeLong() > 0) pieces.push_back(SerializeToSlice(tail));
  if (whole != nullptr) {
    pieces.push_back(*static_cast<const grpc::Slice*>(whole));
  }
  return grpc::ByteBuffer(pieces.data(), pieces.size());
}

grpc::ByteBuffer JoinChanges(absl::Span<const PublishedChangePtr> changes,
                             Detail detail) {
  if (changes.size() == 1) {
    return grpc::ByteBuffer(&WireOf(*changes[0], detail), 1);
  }
  const auto& nothing = v1::WatchPresenceResponse::default_instance();
  return JoinWatchResponse(nothing, changes, detail, nothing, nullptr);
}

}  // namespace lifesign
