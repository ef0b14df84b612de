// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What watches are asked for. The rest of decode.h.
#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/limits.h"
#include "server/core/signal/text_rules.h"
#include "server/transport/codec/api_error.h"
#include "server/transport/codec/decode.h"
#include "server/transport/codec/decode_rooms.h"
#include "server/transport/codec/times.h"

namespace lifesign {
namespace {

// `path` is that of `message`. Sorted, without duplicates.
void DecodeUsers(v1::UserSet& message, absl::string_view path,
                 std::vector<std::string>& users, FieldFaults& faults) {
  for (int i = 0; i < message.user_ids_size() && !faults.full(); ++i) {
    const auto fault = IdFault(message.user_ids(i), limits::kMaxIdBytes);
    if (fault.has_value()) {
      faults.Add(absl::StrCat(path, ".user_ids[", i, "]"), *fault);
    }
  }
  if (!faults.empty()) return;
  users.assign(std::make_move_iterator(message.mutable_user_ids()->begin()),
               std::make_move_iterator(message.mutable_user_ids()->end()));
  std::sort(users.begin(), users.end());
  users.erase(std::unique(users.begin(), users.end()), users.end());
}

void DecodeWatchedUsers(v1::UserSet& message, int max_users,
                        std::vector<std::string>& users, FieldFaults& faults) {
  DecodeUsers(message, "users", users, faults);
  if (users.size() > static_cast<std::size_t>(max_users)) {
    faults.AddLimit("users.user_ids", "max_watched_users",
                    absl::StrCat("at most ", max_users, " users"));
  }
}

void DecodeFollowed(v1::UserSet& message, absl::string_view path,
                    std::vector<std::string>& users, FieldFaults& faults) {
  DecodeUsers(message, path, users, faults);
  if (users.size() > limits::kMaxFollowedPerMessage) {
    faults.AddLimit(absl::StrCat(path, ".user_ids"), "max_followed_per_message",
                    "at most 10,000 users");
  }
}

void DecodeTerms(const v1::WatchPresenceRequest& message, WatchTerms& terms,
                 FieldFaults& faults) {
  StateSet states;
  DecodeStates(message.states(), states, faults);
  if (!states.empty()) terms.states = states;
  switch (message.detail()) {
    case v1::WATCH_DETAIL_UNSPECIFIED:
    case v1::WATCH_DETAIL_STATE:
      return;
    case v1::WATCH_DETAIL_DEVICES:
      terms.detail = Detail::kDevices;
      return;
    default:
      faults.Add("detail", "not a detail that this server knows");
  }
}

void DecodeWatchTimes(const v1::WatchPresenceRequest& message,
                      WatchOptions& options, FieldFaults& faults) {
  if (message.has_batching_delay()) {
    const auto delay = DecodeDuration(message.batching_delay());
    if (!delay.has_value() || *delay > limits::kMaxBatchingDelay) {
      faults.AddLimit("batching_delay", "max_batching_delay",
                      "must be 0 to 1 s");
    } else {
      options.batching_delay = *delay;
    }
  }
  options.progress_interval = limits::kDefaultProgressInterval;
  if (message.has_progress_interval()) {
    const auto interval = DecodeDuration(message.progress_interval());
    if (!interval.has_value() || (interval->count() != 0 &&
                                  (*interval < limits::kMinProgressInterval ||
                                   *interval > limits::kMaxProgressInterval))) {
      faults.AddLimit("progress_interval", "progress_interval",
                      "must be 0 (never), or 10 s to 10 min");
    } else {
      options.progress_interval = *interval;
    }
  }
}

}  // namespace

absl::optional<ApiError> DecodeWatch(v1::WatchPresenceRequest& message,
                                     int max_users, WatchOptions& options) {
  const auto tenant = ResolveTenant(message.tenant());
  if (!tenant.has_value()) return TenantDenied();
  options.tenant = std::string(*tenant);
  FieldFaults faults;
  switch (message.selector_case()) {
    case v1::WatchPresenceRequest::kUsers:
      DecodeWatchedUsers(*message.mutable_users(), max_users, options.users,
                         faults);
      break;
    case v1::WatchPresenceRequest::kAll:
      options.whom = WatchOptions::Whom::kEveryone;
      break;
    case v1::WatchPresenceRequest::kRoom:
      DecodeRoomSelector(message, options, faults);
      break;
    case v1::WatchPresenceRequest::SELECTOR_NOT_SET:
      faults.Add("selector", "required: whom to watch");
      break;
  }
  if (message.see_through()) options.terms.view = View::kTrue;
  DecodeTerms(message, options.terms, faults);
  DecodeWatchTimes(message, options, faults);
  if (message.resume_token().size() > limits::kMaxResumeTokenBytes) {
    faults.AddLimit("resume_token", "max_resume_token_bytes",
                    "at most 128 bytes");
  }
  if (!faults.empty()) return std::move(faults).ToError();
  if (message.resume_token().empty()) return absl::nullopt;
  options.resume = DecodeResumeToken(message.resume_token());
  if (!options.resume.has_value() ||
      options.resume->tenant != HashTenant(options.tenant)) {
    return InvalidResumeToken();
  }
  return absl::nullopt;
}

absl::optional<ApiError> DecodeFollow(v1::FollowPresenceRequest& message,
                                      int max_users, WatchOptions& options) {
  FieldFaults faults;
  if (!message.has_watch()) {
    faults.Add("watch", "required in the first message");
  } else if (message.watch().selector_case() !=
             v1::WatchPresenceRequest::kUsers) {
    faults.Add("selector", "must be users");
  }
  if (message.has_add()) faults.Add("add", "not in the first message");
  if (message.has_remove()) faults.Add("remove", "not in the first message");
  if (!faults.empty()) return std::move(faults).ToError();
  return DecodeWatch(*message.mutable_watch(), max_users, options);
}

absl::optional<ApiError> DecodeFollowChange(v1::FollowPresenceRequest& message,
                                            FollowChange& change) {
  FieldFaults faults;
  if (message.has_watch()) faults.Add("watch", "only in the first message");
  DecodeFollowed(*message.mutable_add(), "add", change.add, faults);
  DecodeFollowed(*message.mutable_remove(), "remove", change.remove, faults);
  std::vector<std::string> both;
  std::set_intersection(change.add.begin(), change.add.end(),
                        change.remove.begin(), change.remove.end(),
                        std::back_inserter(both));
  if (!both.empty()) faults.Add("remove", "of users that are to be added");
  if (faults.empty()) return absl::nullopt;
  return std::move(faults).ToError();
}

}  // namespace lifesign
