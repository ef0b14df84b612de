// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/codec/decode_query.h"

#include <utility>

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

}  // namespace lifesign
