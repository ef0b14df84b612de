// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/codec/resume_token.h"

#include <xxhash.h>

#include <cstddef>

namespace lifesign {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kBodyBytes = 1 + 8 + 4 + 8 + 8;
constexpr std::size_t kTokenBytes = kBodyBytes + 4;
// Tells a token from other bytes with a checksum behind them.
constexpr std::uint64_t kChecksumSeed = 0x6c69'6665'7369'676e;

void Append(std::uint64_t value, int bytes, std::string& to) {
  for (int i = 0; i < bytes; ++i) {
    to.push_back(static_cast<char>(value >> (8 * i)));
  }
}

std::uint64_t Read(absl::string_view& from, int bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) {
    value |= std::uint64_t{static_cast<unsigned char>(
                 from[static_cast<std::size_t>(i)])}
             << (8 * i);
  }
  from.remove_prefix(static_cast<std::size_t>(bytes));
  return value;
}

std::uint32_t Checksum(absl::string_view body) {
  return static_cast<std::uint32_t>(
      XXH3_64bits_withSeed(body.data(), body.size(), kChecksumSeed));
}

}  // namespace

std::string EncodeResumeToken(const ResumeToken& token) {
  std::string bytes;
  bytes.reserve(kTokenBytes);
  bytes.push_back(kVersion);
  Append(token.epoch, 8, bytes);
  Append(token.tenant, 4, bytes);
  Append(token.selector, 8, bytes);
  Append(token.revision, 8, bytes);
  Append(Checksum(bytes), 4, bytes);
  return bytes;
}

absl::optional<ResumeToken> DecodeResumeToken(absl::string_view bytes) {
  if (bytes.size() != kTokenBytes || bytes[0] != kVersion) {
    return absl::nullopt;
  }
  const std::uint32_t checksum = Checksum(bytes.substr(0, kBodyBytes));
  bytes.remove_prefix(1);
  ResumeToken token;
  token.epoch = Read(bytes, 8);
  token.tenant = static_cast<std::uint32_t>(Read(bytes, 4));
  token.selector = Read(bytes, 8);
  token.revision = Read(bytes, 8);
  if (Read(bytes, 4) != checksum) return absl::nullopt;
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

std::uint64_t HashSelector(std::uint64_t whom, const WatchTerms& terms) {
  std::string bytes;
  Append(whom, 8, bytes);
  Append(static_cast<std::uint64_t>(terms.detail), 1, bytes);
  Append(terms.states.bits(), 1, bytes);
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace lifesign
