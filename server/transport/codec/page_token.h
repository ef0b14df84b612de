// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What whoever lists users hands back to be given the next page.
// docs/concepts.md § 10.
#ifndef LIFESIGN_SERVER_TRANSPORT_CODEC_PAGE_TOKEN_H_
#define LIFESIGN_SERVER_TRANSPORT_CODEC_PAGE_TOKEN_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "server/core/query/list.h"
#include "server/core/watch/change.h"

namespace lifesign {

struct PageToken {
  // The run of the server that made it, and when.
  Revision epoch = 0;
  PresenceTime made_at{};
  // HashTenant and HashFilter of what is listed.
  std::uint32_t tenant = 0;
  std::uint64_t filter = 0;
  // Where the next page begins.
  ListPlace place;

  friend bool operator==(const PageToken&, const PageToken&) = default;
};

// Opaque bytes, at most limits::kMaxPageTokenBytes.
std::string EncodePageToken(const PageToken& token);

// None if EncodePageToken did not make `bytes`.
absl::optional<PageToken> DecodePageToken(absl::string_view bytes);

// Pages of two filters are not of one listing.
std::uint64_t HashFilter(const ListFilter& filter);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_CODEC_PAGE_TOKEN_H_
