// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/requests.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "server/transport/codec/encode.h"
#include "server/transport/codec/times.h"
#include "tests/property/step.h"

namespace lifesign::sim {
namespace {

v1::SignalKind Encode(SignalKind kind) {
  switch (kind) {
    case SignalKind::kActive:
      return v1::SIGNAL_KIND_ACTIVE;
    case SignalKind::kIdle:
      return v1::SIGNAL_KIND_IDLE;
    case SignalKind::kBackground:
      return v1::SIGNAL_KIND_BACKGROUND;
    case SignalKind::kDetach:
      return v1::SIGNAL_KIND_DETACH;
    case SignalKind::kLeave:
      break;
  }
  return v1::SIGNAL_KIND_LEAVE;
}

template <typename Message>
void EncodeSignal(const Signal& signal, Message& to) {
  to.set_kind(Encode(signal.kind));
  if (signal.idle_for.has_value()) {
    EncodeDuration(*signal.idle_for, *to.mutable_idle_for());
  }
}

std::string RoomName(int room) { return absl::StrCat("r", room); }

template <typename Message>
void EncodeRooms(const SignalStep& signal, Message& to) {
  for (const int room : signal.leave) {
    to.mutable_rooms()->add_leave(RoomName(room));
  }
  for (const int room : signal.join) {
    to.mutable_rooms()->add_join(RoomName(room));
  }
}

void Encode(const AvailabilityDeclaration& said,
            v1::AvailabilityDeclaration& to) {
  // Numbered in the same order here and there.
  to.set_kind(static_cast<v1::AvailabilityKind>(
      v1::AVAILABILITY_KIND_AVAILABLE + static_cast<int>(said.kind)));
  to.set_text(std::string(said.text));
  if (said.expires_in.has_value()) {
    EncodeDuration(*said.expires_in, *to.mutable_expires_in());
  }
}

template <typename Message>
void EncodeAvailability(const SignalStep& signal, Message& to) {
  if (!signal.availability.has_value()) return;
  Encode(*signal.availability, *to.mutable_availability());
}

template <typename Message>
void EncodeLinger(const Signal& signal, Message& to) {
  if (signal.linger.count() > 0) {
    EncodeDuration(signal.linger, *to.mutable_linger());
  }
}

void EncodeOptions(const OpenStep& open, v1::OpenOptions& to) {
  to.set_instance(open.instance);
  if (open.device.has_value()) to.set_device_class(EncodeDevice(*open.device));
  if (open.rooms.has_value()) {
    v1::RoomSet& rooms = *to.mutable_rooms();
    for (const int room : *open.rooms) rooms.add_room_ids(RoomName(room));
  }
  if (open.availability.has_value()) {
    Encode(*open.availability, *to.mutable_availability());
  }
  to.set_replace_availability(open.replaces_availability);
  if (!open.metadata.has_value()) return;
  auto& entries = *to.mutable_metadata()->mutable_entries();
  if (*open.metadata != 0) entries["key"] = absl::StrCat(*open.metadata);
}

void EncodeOpen(const OpenStep& open, v1::Open& to) {
  to.set_handle(open.handle);
  to.set_user_id(PeerUser(open.user));
  to.set_session_id(property::SessionId(open.session));
  EncodeOptions(open, *to.mutable_options());
  if (open.signal.has_value()) EncodeSignal(*open.signal, to);
}

// Of the states that are set in `bits`.
template <typename Message>
void AddStates(int bits, Message& to) {
  for (int state = 0; state < static_cast<int>(kStates); ++state) {
    if ((bits >> state) % 2 == 0) continue;
    to.add_states(EncodeState(static_cast<State>(state)));
  }
}

}  // namespace

std::string PeerUser(int user) { return property::UserName(user); }
std::string MemberUser(int member) { return absl::StrCat("m", member); }

std::vector<std::string> Everyone(const WorldOptions& options) {
  std::vector<std::string> users;
  for (int i = 0; i < options.users; ++i) users.push_back(PeerUser(i));
  for (int i = 0; i < options.members; ++i) users.push_back(MemberUser(i));
  return users;
}

std::vector<std::string> NamesOf(const std::vector<int>& users,
                                 const WorldOptions& options) {
  const std::vector<std::string> everyone = Everyone(options);
  std::vector<std::string> names;
  for (const int user : users) {
    const auto place = static_cast<std::size_t>(user);
    if (place < everyone.size()) names.push_back(everyone[place]);
  }
  return names;
}

v1::HeartbeatRequest Said(const Step& step) {
  v1::HeartbeatRequest message;
  for (const OpenStep& open : step.opens) {
    EncodeOpen(open, *message.add_opens());
  }
  for (const SignalStep& signal : step.signals) {
    for (int i = 0; i < signal.times; ++i) {
      v1::Signal& said = *message.add_signals();
      said.set_handle(signal.handle);
      EncodeSignal(signal.signal, said);
      EncodeLinger(signal.signal, said);
      EncodeRooms(signal, said);
      EncodeAvailability(signal, said);
    }
  }
  message.set_answer_now(step.flag);
  message.set_answer_always(step.flag && step.seed % 8 == 0);
  return message;
}

absl::optional<v1::SendSignalRequest> SentAlone(const Step& step) {
  v1::SendSignalRequest request;
  if (!step.opens.empty()) {
    const OpenStep& open = step.opens.front();
    request.set_user_id(PeerUser(open.user));
    request.set_session_id(property::SessionId(open.session));
    EncodeOptions(open, *request.mutable_open());
    if (open.signal.has_value()) EncodeSignal(*open.signal, request);
    return request;
  }
  if (step.signals.empty() || step.users.empty()) return absl::nullopt;
  const SignalStep& said = step.signals.front();
  request.set_user_id(PeerUser(step.users[0]));
  request.set_session_id(property::SessionId(step.who));
  EncodeSignal(said.signal, request);
  EncodeLinger(said.signal, request);
  EncodeRooms(said, request);
  EncodeAvailability(said, request);
  return request;
}

absl::optional<v1::SendSignalRequest> Declared(const Step& step) {
  if (step.signals.empty()) return absl::nullopt;
  v1::SendSignalRequest request;
  request.set_user_id(PeerUser(step.who));
  EncodeAvailability(step.signals.front(), request);
  if (!request.has_availability()) return absl::nullopt;
  return request;
}

v1::WatchPresenceRequest Observed(const Step& step,
                                  const WorldOptions& options) {
  v1::WatchPresenceRequest request;
  if (step.flag) {
    request.mutable_all();
  } else {
    for (const std::string& user : NamesOf(step.users, options)) {
      request.mutable_users()->add_user_ids(user);
    }
    request.mutable_users();
  }
  AddStates(step.back, request);
  if (step.devices) request.set_detail(v1::WATCH_DETAIL_DEVICES);
  request.set_see_through(step.see_through);
  EncodeDuration(step.length, *request.mutable_batching_delay());
  EncodeDuration(step.other, *request.mutable_progress_interval());
  return request;
}

v1::AwaitPresenceRequest Awaited(const Step& step,
                                 const WorldOptions& options) {
  v1::AwaitPresenceRequest request;
  for (const PredicateStep& awaited : step.predicates) {
    v1::PresencePredicate& predicate = *request.add_predicates();
    for (const std::string& user : NamesOf(awaited.users, options)) {
      predicate.mutable_users()->add_user_ids(user);
    }
    predicate.set_at_least(EncodeState(awaited.at_least));
    predicate.set_needed(awaited.needed);
  }
  if (step.flag) EncodeDuration(step.length, *request.mutable_wait());
  request.set_see_through(step.see_through);
  return request;
}

v1::ListPresencesRequest Listed(const Step& step) {
  v1::ListPresencesRequest request;
  request.set_page_size(step.size);
  request.set_see_through(step.see_through);
  AddStates(step.back, request);
  if (step.length.count() > 0) {
    EncodeDuration(step.length, *request.mutable_seen_within());
  }
  return request;
}

}  // namespace lifesign::sim
