// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/codec/resume_token.h"

#include <xxhash.h>

#include <cstddef>

#include "server/transport/codec/token_bytes.h"

namespace lifesign {
namespace {

constexpr std::size_t kBodyBytes = 8 + 4 + 8 + 8;

}  // namespace

std::string EncodeResumeToken(const ResumeToken& token) {
  std::string body;
  body.reserve(kBodyBytes);
  AppendNumber(token.epoch, 8, body);
  AppendNumber(token.tenant, 4, body);
  AppendNumber(token.selector, 8, body);
  AppendNumber(token.revision, 8, body);
  return SealToken(TokenKind::kResume, body);
}

absl::optional<ResumeToken> DecodeResumeToken(absl::string_view bytes) {
  auto body = UnsealToken(TokenKind::kResume, bytes);
  if (!body.has_value() || body->size() != kBodyBytes) return absl::nullopt;
  ResumeToken token;
  token.epoch = TakeNumber(8, *body);
  token.tenant = static_cast<std::uint32_t>(TakeNumber(4, *body));
  token.selector = TakeNumber(8, *body);
  token.revision = TakeNumber(8, *body);
  return token;
}

std::uint32_t HashTenant(absl::string_view tenant) {
  return static_cast<std::uint32_t>(XXH3_64bits(tenant.data(), tenant.size()));
}

std::uint64_t HashUsers(absl::Span<const std::string> users) {
  std::uint64_t hash = 0;
  for (const std::string& user : users) {
    hash += XXH3_64bits(user.data(), user.size());
  }
  return hash;
}

std::uint64_t HashMembers(absl::string_view room) {
  constexpr std::uint64_t kSeed = 0x6d65'6d62'6572'7300;
  return XXH3_64bits_withSeed(room.data(), room.size(), kSeed);
}

std::uint64_t HashOccupancy(absl::string_view room) {
  constexpr std::uint64_t kSeed = 0x6f63'6375'7061'6e63;
  return XXH3_64bits_withSeed(room.data(), room.size(), kSeed);
}

std::uint64_t HashIntents(absl::string_view room, absl::string_view target) {
  constexpr std::uint64_t kSeed = 0x696e'7465'6e74'7300;
  return XXH3_64bits_withSeed(
      target.data(), target.size(),
      XXH3_64bits_withSeed(room.data(), room.size(), kSeed));
}

std::uint64_t HashSelector(std::uint64_t whom, const WatchTerms& terms) {
  std::string bytes;
  AppendNumber(whom, 8, bytes);
  AppendNumber(static_cast<std::uint64_t>(terms.view), 1, bytes);
  AppendNumber(static_cast<std::uint64_t>(terms.detail), 1, bytes);
  AppendNumber(terms.states.bits(), 1, bytes);
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace lifesign
