// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What tokens are made of: numbers, and a checksum that tells a token from
// other bytes.
#ifndef LIFESIGN_SERVER_TRANSPORT_CODEC_TOKEN_BYTES_H_
#define LIFESIGN_SERVER_TRANSPORT_CODEC_TOKEN_BYTES_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace lifesign {

// The first byte of a token: what it is, and in which version.
enum class TokenKind : char { kResume = 1, kPage = 2 };

// The lowest `bytes` of `value`, lowest first.
void AppendNumber(std::uint64_t value, int bytes, std::string& to);
// Takes what AppendNumber appended. REQUIRES: `from` holds as many.
std::uint64_t TakeNumber(int bytes, absl::string_view& from);

// `body` as a token. That it is no secret is intended: a token grants nothing.
std::string SealToken(TokenKind kind, absl::string_view body);
// Its body again; none if SealToken did not make `token` of this kind.
absl::optional<absl::string_view> UnsealToken(TokenKind kind,
                                              absl::string_view token);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_CODEC_TOKEN_BYTES_H_
