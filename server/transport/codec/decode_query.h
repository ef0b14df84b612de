// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Requests about many users into values of the core. docs/concepts.md § 10.
#ifndef LIFESIGN_SERVER_TRANSPORT_CODEC_DECODE_QUERY_H_
#define LIFESIGN_SERVER_TRANSPORT_CODEC_DECODE_QUERY_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "lifesign/v1/presence_service.pb.h"
#include "server/core/query/await.h"
#include "server/core/query/list.h"
#include "server/core/watch/change.h"
#include "server/transport/codec/api_error.h"

namespace lifesign {

// A ListPresencesRequest to the run of the server that `epoch` names, at `now`.
// Whether the caller may see its view is for others to say; of AwaitOptions
// likewise.
struct ListOptions {
  ListFilter filter;
  std::size_t page_size = 0;
  // None: the first page.
  absl::optional<ListPlace> from;
};
absl::optional<ApiError> DecodeList(const v1::ListPresencesRequest& message,
                                    Revision epoch, const Now& now,
                                    ListOptions& options);

// A CountPresencesRequest. `room` is a view of it: empty for everyone.
absl::optional<ApiError> DecodeCount(const v1::CountPresencesRequest& message,
                                     absl::string_view& room);

// The token of the page after the one that `options` asked for.
std::string NextPageToken(const v1::ListPresencesRequest& message,
                          const ListOptions& options, const ListPlace& next,
                          Revision epoch, const Now& now);

// An AwaitPresenceRequest.
struct AwaitOptions {
  AwaitTerms terms;
  // What it counts as of all that is awaited: one for each user, and one for
  // each predicate over a room.
  std::int64_t weight = 0;
  // Until when there is an answer, whatever holds by then.
  Duration wait{0};
};
// `time_left`: until the deadline of the call.
absl::optional<ApiError> DecodeAwait(const v1::AwaitPresenceRequest& message,
                                     Duration time_left, AwaitOptions& options);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_CODEC_DECODE_QUERY_H_
