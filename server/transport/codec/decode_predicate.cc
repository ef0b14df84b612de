// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/codec/decode_predicate.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "server/base/limits.h"
#include "server/transport/codec/decode.h"

namespace lifesign {
namespace {

using Over = v1::PresencePredicate::OverCase;

void DecodePredicateUsers(const v1::PresencePredicate& message,
                          const std::string& path, UserNumbers& numbers,
                          Predicate& predicate, FieldFaults& faults) {
  for (int i = 0; i < message.users().user_ids_size() && !faults.full(); ++i) {
    const std::string& user = message.users().user_ids(i);
    CheckId(user, absl::StrCat(path, ".users.user_ids[", i, "]"), faults);
    predicate.users.push_back(numbers.Of(user));
  }
  auto& users = predicate.users;
  std::sort(users.begin(), users.end());
  users.erase(std::unique(users.begin(), users.end()), users.end());
  if (users.empty()) {
    faults.Add(absl::StrCat(path, ".over"), "required: whom to await");
  }
}

void DecodePlace(const v1::PresencePredicate& message, const std::string& path,
                 AwaitedPlace& place, FieldFaults& faults) {
  if (message.over_case() == Over::kRoomId) {
    place.room = message.room_id();
    CheckId(place.room, absl::StrCat(path, ".room_id"), faults);
    return;
  }
  place.room = message.intents().room_id();
  place.target = message.intents().user_id();
  CheckId(place.room, absl::StrCat(path, ".intents.room_id"), faults);
  CheckId(place.target, absl::StrCat(path, ".intents.user_id"), faults);
}

void DecodeAtLeast(const v1::PresencePredicate& message,
                   const std::string& path, State& at_least,
                   FieldFaults& faults) {
  if (message.over_case() == Over::kIntents) {
    if (message.at_least() != v1::PRESENCE_STATE_UNSPECIFIED) {
      faults.Add(absl::StrCat(path, ".at_least"), "not with intents");
    }
    return;
  }
  const auto state = DecodeState(message.at_least());
  if (!state.has_value() || !IsLive(*state)) {
    faults.Add(absl::StrCat(path, ".at_least"),
               "required: ACTIVE, IDLE, AWAY or STALE");
  } else {
    at_least = *state;
  }
}

void DecodeNeeded(const v1::PresencePredicate& message, const std::string& path,
                  Predicate& predicate, FieldFaults& faults) {
  const std::string field = absl::StrCat(path, ".needed");
  const auto needed = static_cast<std::size_t>(std::max(message.needed(), 0));
  if (message.needed() < 0) {
    faults.Add(field, "must be 0 (one) or more");
  } else if (message.over_case() == Over::kIntents) {
    if (needed > limits::kMaxIntentsPerTarget) {
      faults.AddLimit(field, "max_intents_per_target", "at most 100");
    }
  } else if (!predicate.place.has_value() && needed > predicate.users.size()) {
    faults.Add(field, "must be 0 (one) to the number of users");
  }
  if (needed > 0) predicate.needed = needed;
}

}  // namespace

void DecodePredicate(const v1::PresencePredicate& message,
                     const std::string& path, UserNumbers& numbers,
                     Predicate& predicate, FieldFaults& faults) {
  switch (message.over_case()) {
    case Over::kUsers:
    case Over::OVER_NOT_SET:
      DecodePredicateUsers(message, path, numbers, predicate, faults);
      break;
    case Over::kRoomId:
    case Over::kIntents:
      DecodePlace(message, path, predicate.place.emplace(), faults);
      break;
  }
  DecodeAtLeast(message, path, predicate.at_least, faults);
  DecodeNeeded(message, path, predicate, faults);
}

std::int64_t WeightOf(const AwaitTerms& terms) {
  auto weight = static_cast<std::int64_t>(terms.users.size());
  for (const Predicate& predicate : terms.predicates) {
    if (predicate.place.has_value()) ++weight;
  }
  return weight;
}

}  // namespace lifesign
