// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/codec/decode_rooms.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/base/limits.h"
#include "server/core/signal/text_rules.h"
#include "server/transport/codec/times.h"

namespace lifesign {
namespace {

void DecodeIntent(const v1::IntentDeclaration& message, absl::string_view path,
                  IntentDeclaration& intent, FieldFaults& faults) {
  CheckId(message.room_id(), absl::StrCat(path, ".room_id"), faults);
  CheckId(message.target_user_id(), absl::StrCat(path, ".target_user_id"),
          faults);
  intent.room = message.room_id();
  intent.target = message.target_user_id();
  intent.expires_in = limits::kDefaultIntentExpiry;
  if (!message.has_expires_in()) return;
  const absl::optional<Duration> expires_in =
      DecodeDuration(message.expires_in());
  if (!expires_in.has_value() || *expires_in > limits::kMaxIntentExpiry) {
    faults.AddLimit(absl::StrCat(path, ".expires_in"), "max_intent_expiry",
                    "must be 0 to 10 min");
  } else {
    intent.expires_in = *expires_in;
  }
}

}  // namespace

void DecodeRooms(const google::protobuf::RepeatedPtrField<std::string>& ids,
                 absl::string_view path, std::vector<absl::string_view>& rooms,
                 FieldFaults& faults) {
  rooms.clear();
  if (ids.size() > limits::kMaxRoomsPerSession) {
    faults.AddLimit(path, "max_rooms_per_session", "at most 100 rooms");
    return;
  }
  for (int i = 0; i < ids.size() && !faults.full(); ++i) {
    const absl::string_view id = ids[i];
    const auto fault = IdFault(id, limits::kMaxIdBytes);
    if (fault.has_value()) {
      faults.Add(absl::StrCat(path, "[", i, "]"), *fault);
    } else if (std::find(rooms.begin(), rooms.end(), id) == rooms.end()) {
      rooms.push_back(id);
    }
  }
}

void DecodeIntents(
    const google::protobuf::RepeatedPtrField<v1::IntentDeclaration>& messages,
    std::vector<IntentDeclaration>& intents, FieldFaults& faults) {
  intents.clear();
  if (messages.size() > limits::kMaxIntentsPerSignal) {
    faults.AddLimit("intents", "max_intents_per_signal", "at most 16");
    return;
  }
  intents.resize(static_cast<std::size_t>(messages.size()));
  for (int i = 0; i < messages.size(); ++i) {
    DecodeIntent(messages[i], absl::StrCat("intents[", i, "]"),
                 intents[static_cast<std::size_t>(i)], faults);
  }
}

void DecodeRoomSelector(const v1::WatchPresenceRequest& message,
                        WatchOptions& options, FieldFaults& faults) {
  const v1::RoomSelector& room = message.room();
  CheckId(room.room_id(), "room.room_id", faults);
  options.room = room.room_id();
  if (room.view() == v1::ROOM_VIEW_INTENTS) {
    CheckId(room.user_id(), "room.user_id", faults);
    options.target = room.user_id();
  } else if (!room.user_id().empty()) {
    faults.Add("room.user_id", "only with the view INTENTS");
  }
  switch (room.view()) {
    case v1::ROOM_VIEW_UNSPECIFIED:
    case v1::ROOM_VIEW_MEMBERS:
      options.whom = WatchOptions::Whom::kMembers;
      return;
    case v1::ROOM_VIEW_OCCUPANCY:
      options.whom = WatchOptions::Whom::kOccupancy;
      break;
    case v1::ROOM_VIEW_INTENTS:
      options.whom = WatchOptions::Whom::kIntents;
      break;
    default:
      faults.Add("room.view", "not a view that this server knows");
      return;
  }
  if (!message.states().empty()) {
    faults.Add("states", "only with the view MEMBERS");
  }
}

}  // namespace lifesign
