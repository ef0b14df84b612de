// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/codec/decode_query.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "server/base/limits.h"
#include "server/transport/codec/decode.h"
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
  DecodeStates(message.states(), filter.states, faults);
  if (filter.states.empty()) filter.states = kLiveStates;
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

// Numbers users in the order in which they are first named.
class UserNumbers {
 public:
  explicit UserNumbers(std::vector<std::string>& users) : users_(users) {}

  std::uint32_t Of(const std::string& user) {
    const auto [known, is_new] =
        numbers_.try_emplace(user, static_cast<std::uint32_t>(users_.size()));
    if (is_new) users_.push_back(user);
    return known->second;
  }

 private:
  std::vector<std::string>& users_;
  // Views of the request.
  absl::flat_hash_map<absl::string_view, std::uint32_t> numbers_;
};

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

void DecodePredicate(const v1::PresencePredicate& message,
                     const std::string& path, UserNumbers& numbers,
                     Predicate& predicate, FieldFaults& faults) {
  DecodePredicateUsers(message, path, numbers, predicate, faults);
  const auto state = DecodeState(message.at_least());
  if (!state.has_value() || !IsLive(*state)) {
    faults.Add(absl::StrCat(path, ".at_least"),
               "required: ACTIVE, IDLE, AWAY or STALE");
  } else {
    predicate.at_least = *state;
  }
  if (message.needed() < 0 ||
      static_cast<std::size_t>(message.needed()) > predicate.users.size()) {
    faults.Add(absl::StrCat(path, ".needed"),
               "must be 0 (one) to the number of users");
  } else if (message.needed() > 0) {
    predicate.needed = static_cast<std::size_t>(message.needed());
  }
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
  UserNumbers numbers(options.terms.users);
  options.terms.predicates.resize(
      static_cast<std::size_t>(message.predicates_size()));
  for (int i = 0; i < message.predicates_size() && !faults.full(); ++i) {
    DecodePredicate(
        message.predicates(i), absl::StrCat("predicates[", i, "]"), numbers,
        options.terms.predicates[static_cast<std::size_t>(i)], faults);
  }
  DecodeWait(message, time_left, options.wait, faults);
  if (!faults.empty()) return std::move(faults).ToError();
  return absl::nullopt;
}

}  // namespace lifesign
