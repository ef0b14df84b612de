// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/codec/page_token.h"

#include <xxhash.h>

#include <cstddef>

#include "server/transport/codec/token_bytes.h"

namespace lifesign {
namespace {

constexpr std::size_t kBodyBytes = 8 + 8 + 4 + 8 + 8 + 4 + 4 + 8;

}  // namespace

std::string EncodePageToken(const PageToken& token) {
  std::string body;
  body.reserve(kBodyBytes);
  AppendNumber(token.epoch, 8, body);
  AppendNumber(
      static_cast<std::uint64_t>(token.made_at.time_since_epoch().count()), 8,
      body);
  AppendNumber(token.tenant, 4, body);
  AppendNumber(token.filter, 8, body);
  AppendNumber(token.place.listing, 8, body);
  AppendNumber(token.place.shard, 4, body);
  AppendNumber(token.place.slot, 4, body);
  AppendNumber(token.place.came_at, 8, body);
  return SealToken(TokenKind::kPage, body);
}

absl::optional<PageToken> DecodePageToken(absl::string_view bytes) {
  auto body = UnsealToken(TokenKind::kPage, bytes);
  if (!body.has_value() || body->size() != kBodyBytes) return absl::nullopt;
  PageToken token;
  token.epoch = TakeNumber(8, *body);
  token.made_at =
      PresenceTime(Duration(static_cast<std::int64_t>(TakeNumber(8, *body))));
  token.tenant = static_cast<std::uint32_t>(TakeNumber(4, *body));
  token.filter = TakeNumber(8, *body);
  token.place.listing = TakeNumber(8, *body);
  token.place.shard = static_cast<std::uint32_t>(TakeNumber(4, *body));
  token.place.slot = static_cast<std::uint32_t>(TakeNumber(4, *body));
  token.place.came_at = TakeNumber(8, *body);
  return token;
}

std::uint64_t HashFilter(const ListFilter& filter) {
  std::string bytes;
  AppendNumber(static_cast<std::uint64_t>(filter.view), 1, bytes);
  AppendNumber(filter.states.bits(), 1, bytes);
  // Not negative.
  AppendNumber(filter.seen_within.has_value()
                   ? static_cast<std::uint64_t>(filter.seen_within->count())
                   : UINT64_MAX,
               8, bytes);
  bytes += filter.room;
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace lifesign
