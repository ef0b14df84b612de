// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/codec/decode.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/limits.h"
#include "server/core/signal/text_rules.h"
#include "server/transport/codec/decode_availability.h"
#include "server/transport/codec/decode_rooms.h"
#include "server/transport/codec/times.h"

namespace lifesign {
namespace {

// The kinds that may come with an open.
absl::optional<SignalKind> LivenessKind(v1::SignalKind kind) {
  switch (kind) {
    case v1::SIGNAL_KIND_ACTIVE:
      return SignalKind::kActive;
    case v1::SIGNAL_KIND_IDLE:
      return SignalKind::kIdle;
    case v1::SIGNAL_KIND_BACKGROUND:
      return SignalKind::kBackground;
    default:
      return absl::nullopt;
  }
}

absl::optional<SignalKind> AnyKind(v1::SignalKind kind) {
  if (kind == v1::SIGNAL_KIND_DETACH) return SignalKind::kDetach;
  if (kind == v1::SIGNAL_KIND_LEAVE) return SignalKind::kLeave;
  return LivenessKind(kind);
}

absl::optional<DeviceClass> DecodeDevice(v1::DeviceClass device) {
  switch (device) {
    case v1::DEVICE_CLASS_WEB:
      return DeviceClass::kWeb;
    case v1::DEVICE_CLASS_MOBILE:
      return DeviceClass::kMobile;
    case v1::DEVICE_CLASS_DESKTOP:
      return DeviceClass::kDesktop;
    case v1::DEVICE_CLASS_TV:
      return DeviceClass::kTv;
    case v1::DEVICE_CLASS_BOT:
      return DeviceClass::kBot;
    case v1::DEVICE_CLASS_OTHER:
      return DeviceClass::kOther;
    default:
      return absl::nullopt;
  }
}

void DecodeMetadata(const v1::Metadata& message, absl::string_view path,
                    Metadata& metadata, FieldFaults& faults) {
  metadata.assign(message.entries().begin(), message.entries().end());
  // A map has no order of its own; whatever is told of it needs one.
  std::sort(metadata.begin(), metadata.end());
  if (const auto fault = FindMetadataFault(metadata)) {
    faults.AddLimit(absl::StrCat(path, ".entries"), fault->limit,
                    fault->description);
  }
}

// `path` is that of `options` within its scope.
void DecodeOptions(const v1::OpenOptions& options, absl::string_view path,
                   OpenParts& parts, OpenRequest& request,
                   FieldFaults& faults) {
  request.instance = options.instance();
  if (options.device_class() != v1::DEVICE_CLASS_UNSPECIFIED) {
    request.device = DecodeDevice(options.device_class());
    if (!request.device.has_value()) {
      faults.Add(absl::StrCat(path, ".device_class"),
                 "not a device class that this server knows");
    }
  }
  if (options.has_metadata()) {
    DecodeMetadata(options.metadata(), absl::StrCat(path, ".metadata"),
                   parts.metadata, faults);
    request.metadata = &parts.metadata;
  }
  if (options.has_rooms()) {
    DecodeRooms(options.rooms().room_ids(),
                absl::StrCat(path, ".rooms.room_ids"), parts.rooms, faults);
    request.rooms = &parts.rooms;
  }
  if (!options.guest_user_id().empty()) {
    CheckId(options.guest_user_id(), absl::StrCat(path, ".guest_user_id"),
            faults);
    if (options.guest_user_id() == request.name.user) {
      faults.Add(absl::StrCat(path, ".guest_user_id"), "is the user");
    }
    request.guest = options.guest_user_id();
  }
  if (options.has_availability()) {
    DecodeAvailability(options.availability(),
                       absl::StrCat(path, ".availability"), parts.availability,
                       faults);
    request.availability = &parts.availability;
    request.replaces_availability = options.replace_availability();
  } else if (options.replace_availability()) {
    faults.Add(absl::StrCat(path, ".replace_availability"),
               "needs availability");
  }
}

// Of an Open or a SendSignalRequest with `open`: the signal it carries.
template <typename Message>
void DecodeFirstSignal(const Message& message, OpenRequest& request,
                       FieldFaults& faults) {
  absl::optional<Duration> idle_for;
  if (message.has_idle_for()) {
    idle_for = DecodeDuration(message.idle_for());
    if (!idle_for.has_value()) faults.Add("idle_for", kDurationFault);
  }
  if (message.kind() == v1::SIGNAL_KIND_UNSPECIFIED) {
    if (message.has_idle_for()) faults.Add("idle_for", "needs kind");
    return;
  }
  const absl::optional<SignalKind> kind = LivenessKind(message.kind());
  if (!kind.has_value()) {
    faults.Add("kind", "must be ACTIVE, IDLE or BACKGROUND with an open");
    return;
  }
  request.signal.emplace();
  request.signal->kind = *kind;
  request.signal->idle_for = idle_for;
}

// Of a Signal or a SendSignalRequest without `open`.
template <typename Message>
void DecodeLaterSignal(const Message& message, Signal& signal,
                       FieldFaults& faults) {
  const absl::optional<SignalKind> kind = AnyKind(message.kind());
  if (!kind.has_value()) {
    faults.Add("kind", "required: ACTIVE, IDLE, BACKGROUND, DETACH or LEAVE");
  } else {
    signal.kind = *kind;
  }
  if (message.has_idle_for()) {
    signal.idle_for = DecodeDuration(message.idle_for());
    if (!signal.idle_for.has_value()) {
      faults.Add("idle_for", kDurationFault);
    } else if (kind == SignalKind::kDetach || kind == SignalKind::kLeave) {
      faults.Add("idle_for", "not with DETACH or LEAVE");
    }
  }
  if (message.has_linger()) {
    const absl::optional<Duration> linger = DecodeDuration(message.linger());
    if (!linger.has_value() || *linger > limits::kMaxLinger) {
      faults.AddLimit("linger", "max_linger", "must be 0 to 10 s");
    } else if (kind != SignalKind::kLeave) {
      faults.Add("linger", "only with LEAVE");
    } else {
      signal.linger = *linger;
    }
  }
}

// Of a Signal or a SendSignalRequest: what it declares beside its kind.
template <typename Message>
void DecodeDeclarations(const Message& message, DeclarationParts& parts,
                        Declaration& declaration, FieldFaults& faults) {
  const bool leaves = message.kind() == v1::SIGNAL_KIND_DETACH ||
                      message.kind() == v1::SIGNAL_KIND_LEAVE;
  if (message.has_rooms()) {
    if (leaves) faults.Add("rooms", "not with DETACH or LEAVE");
    DecodeRooms(message.rooms().join(), "rooms.join", parts.rooms.join, faults);
    DecodeRooms(message.rooms().leave(), "rooms.leave", parts.rooms.leave,
                faults);
    declaration.rooms = &parts.rooms;
  }
  if (message.has_availability()) {
    if (leaves) faults.Add("availability", "not with DETACH or LEAVE");
    DecodeAvailability(message.availability(), "availability",
                       parts.availability, faults);
    declaration.availability = &parts.availability;
  }
  if (message.intents().empty()) return;
  if (leaves) faults.Add("intents", "not with DETACH or LEAVE");
  DecodeIntents(message.intents(), parts.intents, faults);
  declaration.intents = parts.intents;
}

// Whether the request says something of a user and nothing of a session.
bool IsWordOfUser(const v1::SendSignalRequest& message) {
  return message.has_availability() && !message.has_open() &&
         message.session_id().empty() && message.attachment() == 0 &&
         message.kind() == v1::SIGNAL_KIND_UNSPECIFIED &&
         !message.has_idle_for() && !message.has_linger() &&
         !message.has_rooms() && message.intents().empty();
}

absl::optional<ApiError> ErrorOf(FieldFaults& faults) {
  if (faults.empty()) return absl::nullopt;
  return std::move(faults).ToError();
}

void CheckHandle(std::uint32_t handle, FieldFaults& faults) {
  if (handle == 0 || handle > limits::kMaxHandle) {
    faults.Add("handle", "required: 1 to 2,097,151");
  }
}

}  // namespace

absl::optional<absl::string_view> ResolveTenant(absl::string_view named) {
  if (named.empty() || named == kDefaultTenant) return kDefaultTenant;
  return absl::nullopt;
}

void CheckId(absl::string_view id, absl::string_view field,
             FieldFaults& faults) {
  const auto fault = IdFault(id, limits::kMaxIdBytes);
  if (!fault.has_value()) return;
  if (id.size() > limits::kMaxIdBytes) {
    faults.AddLimit(field, "max_id_bytes", *fault);
  } else {
    faults.Add(field, *fault);
  }
}

absl::optional<State> DecodeState(v1::PresenceState state) {
  switch (state) {
    case v1::PRESENCE_STATE_ACTIVE:
      return State::kActive;
    case v1::PRESENCE_STATE_IDLE:
      return State::kIdle;
    case v1::PRESENCE_STATE_AWAY:
      return State::kAway;
    case v1::PRESENCE_STATE_STALE:
      return State::kStale;
    case v1::PRESENCE_STATE_OFFLINE:
      return State::kOffline;
    default:
      return absl::nullopt;
  }
}

void DecodeStates(const google::protobuf::RepeatedField<int>& message,
                  StateSet& states, FieldFaults& faults) {
  for (int i = 0; i < message.size() && !faults.full(); ++i) {
    const auto state = DecodeState(static_cast<v1::PresenceState>(message[i]));
    if (state.has_value()) {
      states.Add(*state);
    } else {
      faults.Add(absl::StrCat("states[", i, "]"),
                 "not a state that this server knows");
    }
  }
}

absl::optional<ApiError> DecodeOpen(const v1::Open& open, FieldScope scope,
                                    OpenParts& parts, OpenRequest& request) {
  FieldFaults faults(scope);
  CheckHandle(open.handle(), faults);
  CheckId(open.user_id(), "user_id", faults);
  CheckId(open.session_id(), "session_id", faults);
  request.name = {open.user_id(), open.session_id()};
  DecodeOptions(open.options(), "options", parts, request, faults);
  DecodeFirstSignal(open, request, faults);
  request.binding.handle = open.handle();
  return ErrorOf(faults);
}

absl::optional<ApiError> DecodeSignal(const v1::Signal& message,
                                      FieldScope scope, Signal& signal) {
  FieldFaults faults(scope);
  CheckHandle(message.handle(), faults);
  DecodeLaterSignal(message, signal, faults);
  return ErrorOf(faults);
}

bool Declares(const v1::Signal& message) {
  return message.has_rooms() || message.has_availability() ||
         message.intents_size() > 0;
}

absl::optional<ApiError> DecodeDeclaration(const v1::Signal& message,
                                           FieldScope scope,
                                           DeclarationParts& parts,
                                           Declaration& declaration) {
  FieldFaults faults(scope);
  DecodeDeclarations(message, parts, declaration, faults);
  return ErrorOf(faults);
}

absl::optional<ApiError> DecodeSendSignal(const v1::SendSignalRequest& message,
                                          UnarySignal& signal) {
  FieldFaults faults;
  CheckId(message.user_id(), "user_id", faults);
  signal.of_user = IsWordOfUser(message);
  if (!signal.of_user) CheckId(message.session_id(), "session_id", faults);
  signal.name = {message.user_id(), message.session_id()};
  signal.attachment = message.attachment();
  if (message.has_open()) {
    OpenRequest& open = signal.open.emplace();
    open.name = signal.name;
    DecodeOptions(message.open(), "open", signal.open_parts, open, faults);
    DecodeFirstSignal(message, open, faults);
    if (message.attachment() != kNoAttachment) {
      faults.Add("attachment", "not together with open");
    }
    if (message.has_linger()) faults.Add("linger", "only with LEAVE");
    if (message.has_rooms()) {
      faults.Add("rooms", "not together with open: see open.rooms");
    }
    if (message.intents_size() > 0) {
      faults.Add("intents", "not together with open");
    }
    if (message.has_availability()) {
      faults.Add("availability",
                 "not together with open: see open.availability");
    }
    return ErrorOf(faults);
  }
  if (!signal.of_user) DecodeLaterSignal(message, signal.signal, faults);
  DecodeDeclarations(message, signal.declaration_parts, signal.declaration,
                     faults);
  return ErrorOf(faults);
}

absl::optional<View> ResolveView(bool see_through, bool may_see_through) {
  if (!see_through) return View::kPublic;
  if (!may_see_through) return absl::nullopt;
  return View::kTrue;
}
}  // namespace lifesign
