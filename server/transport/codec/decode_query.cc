// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/codec/decode_query.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/limits.h"
#include "server/transport/codec/decode.h"
#include "server/transport/codec/decode_predicate.h"
#include "server/transport/codec/field_faults.h"
#include "server/transport/codec/page_token.h"
#include "server/transport/codec/resume_token.h"
#include "server/transport/codec/times.h"

namespace lifesign {
namespace {

constexpr StateSet kLiveStates = {State::kActive, State::kIdle, State::kAway,
                                  State::kStale};

void DecodeFilter(const v1::ListPresencesRequest& message, ListFilter& filter,
                  FieldFaults& faults) {
  if (message.see_through()) filter.view = View::kTrue;
  DecodeStates(message.states(), filter.states, faults);
  if (filter.states.empty()) filter.states = kLiveStates;
  if (!message.room_id().empty()) {
    CheckId(message.room_id(), "room_id", faults);
    filter.room = message.room_id();
  }
  if (!message.has_seen_within()) return;
  filter.seen_within = DecodeDuration(message.seen_within());
  if (!filter.seen_within.has_value())
    faults.Add("seen_within", kDurationFault);
}

// What is wrong with the token of a page, if anything is.
absl::optional<ApiError> TokenError(const absl::optional<PageToken>& token,
                                    const v1::ListPresencesRequest& message,
                                    const ListOptions& options, Revision epoch,
                                    const Now& now) {
  if (!token.has_value() ||
      token->tenant != HashTenant(*ResolveTenant(message.tenant()))) {
    return InvalidPageToken("not made by this server");
  }
  if (token->epoch != epoch) {
    return InvalidPageToken("made before the server's last start: begin again");
  }
  if (token->filter != HashFilter(options.filter)) {
    return InvalidPageToken("made for another filter");
  }
  if (SaturatingDifference(now.presence, token->made_at) >
      limits::kPageTokenLife) {
    return InvalidPageToken("older than 10 minutes: begin again");
  }
  return absl::nullopt;
}

void DecodeWait(const v1::AwaitPresenceRequest& message, Duration time_left,
                Duration& wait, FieldFaults& faults) {
  wait = limits::kMaxAwait;
  if (message.has_wait()) {
    const auto given = DecodeDuration(message.wait());
    if (!given.has_value() || *given > limits::kMaxAwait) {
      faults.AddLimit("wait", "max_await", "must be 0 to 300 s");
    } else {
      wait = *given;
    }
  }
  wait = std::min(wait, time_left - limits::kAnsweredBeforeDeadline);
}

}  // namespace

absl::optional<ApiError> DecodeList(const v1::ListPresencesRequest& message,
                                    Revision epoch, const Now& now,
                                    ListOptions& options) {
  FieldFaults faults;
  if (message.page_size() < 0 || message.page_size() > limits::kMaxPageSize) {
    faults.AddLimit("page_size", "max_page_size", "must be 0 to 1,000");
  }
  options.page_size = static_cast<std::size_t>(message.page_size() == 0
                                                   ? limits::kDefaultPageSize
                                                   : message.page_size());
  DecodeFilter(message, options.filter, faults);
  if (message.page_token().size() > limits::kMaxPageTokenBytes) {
    faults.AddLimit("page_token", "max_page_token_bytes", "at most 128 bytes");
  }
  if (!faults.empty()) return std::move(faults).ToError();
  if (message.page_token().empty()) return absl::nullopt;
  const auto token = DecodePageToken(message.page_token());
  if (auto error = TokenError(token, message, options, epoch, now)) {
    return error;
  }
  options.from = token->place;
  return absl::nullopt;
}

std::string NextPageToken(const v1::ListPresencesRequest& message,
                          const ListOptions& options, const ListPlace& next,
                          Revision epoch, const Now& now) {
  PageToken token;
  token.epoch = epoch;
  token.made_at = now.presence;
  token.tenant = HashTenant(*ResolveTenant(message.tenant()));
  token.filter = HashFilter(options.filter);
  token.place = next;
  return EncodePageToken(token);
}

absl::optional<ApiError> DecodeCount(const v1::CountPresencesRequest& message,
                                     absl::string_view& room) {
  room = message.room_id();
  if (room.empty()) return absl::nullopt;
  FieldFaults faults;
  CheckId(room, "room_id", faults);
  if (faults.empty()) return absl::nullopt;
  return std::move(faults).ToError();
}

absl::optional<ApiError> DecodeAwait(const v1::AwaitPresenceRequest& message,
                                     Duration time_left,
                                     AwaitOptions& options) {
  if (!ResolveTenant(message.tenant()).has_value()) return TenantDenied();
  FieldFaults faults;
  int users = 0;
  for (const auto& predicate : message.predicates()) {
    users += predicate.users().user_ids_size();
  }
  if (message.predicates().empty()) {
    faults.Add("predicates", "required: what to wait for");
  } else if (message.predicates_size() > limits::kMaxPredicates) {
    faults.AddLimit("predicates", "max_predicates", "at most 16");
  } else if (users > limits::kMaxUsersPerAwait) {
    faults.AddLimit("predicates", "max_users_per_await",
                    "at most 1,000 users in all of them together");
  }
  if (!faults.empty()) return std::move(faults).ToError();
  if (message.see_through()) options.terms.view = View::kTrue;
  UserNumbers numbers(options.terms.users);
  options.terms.predicates.resize(
      static_cast<std::size_t>(message.predicates_size()));
  for (int i = 0; i < message.predicates_size() && !faults.full(); ++i) {
    DecodePredicate(
        message.predicates(i), absl::StrCat("predicates[", i, "]"), numbers,
        options.terms.predicates[static_cast<std::size_t>(i)], faults);
  }
  options.weight = WeightOf(options.terms);
  DecodeWait(message, time_left, options.wait, faults);
  if (!faults.empty()) return std::move(faults).ToError();
  return absl::nullopt;
}

}  // namespace lifesign
