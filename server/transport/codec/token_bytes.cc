// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/codec/token_bytes.h"

#include <xxhash.h>

#include <cstddef>

#include "absl/strings/str_cat.h"

namespace lifesign {
namespace {

constexpr int kChecksumBytes = 4;
constexpr std::size_t kFrameBytes = 1 + kChecksumBytes;
constexpr std::uint64_t kChecksumSeed = 0x6c69'6665'7369'676e;

std::uint32_t Checksum(absl::string_view bytes) {
  return static_cast<std::uint32_t>(
      XXH3_64bits_withSeed(bytes.data(), bytes.size(), kChecksumSeed));
}

}  // namespace

void AppendNumber(std::uint64_t value, int bytes, std::string& to) {
  for (int i = 0; i < bytes; ++i) {
    to.push_back(static_cast<char>(value >> (8 * i)));
  }
}

std::uint64_t TakeNumber(int bytes, absl::string_view& from) {
  std::uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) {
    value |= std::uint64_t{static_cast<unsigned char>(
                 from[static_cast<std::size_t>(i)])}
             << (8 * i);
  }
  from.remove_prefix(static_cast<std::size_t>(bytes));
  return value;
}

std::string SealToken(TokenKind kind, absl::string_view body) {
  std::string token(1, static_cast<char>(kind));
  absl::StrAppend(&token, body);
  AppendNumber(Checksum(token), kChecksumBytes, token);
  return token;
}

absl::optional<absl::string_view> UnsealToken(TokenKind kind,
                                              absl::string_view token) {
  if (token.size() < kFrameBytes || token[0] != static_cast<char>(kind)) {
    return absl::nullopt;
  }
  const absl::string_view checked =
      token.substr(0, token.size() - kChecksumBytes);
  absl::string_view checksum = token.substr(checked.size());
  if (TakeNumber(kChecksumBytes, checksum) != Checksum(checked)) {
    return absl::nullopt;
  }
  return checked.substr(1);
}

}  // namespace lifesign
