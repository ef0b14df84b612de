// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Ids of the size that people use.
#ifndef LIFESIGN_BENCH_MICRO_SESSION_IDS_H_
#define LIFESIGN_BENCH_MICRO_SESSION_IDS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "server/core/signal/signal.h"

namespace lifesign::bench {

inline constexpr std::size_t kUserIdBytes = 16;
inline constexpr std::size_t kSessionIdBytes = 8;

// Of one session: 24 bytes of text.
struct SessionIds {
  std::array<char, kUserIdBytes> user;
  std::array<char, kSessionIdBytes> session;

  SessionName name() const {
    return {absl::string_view(user.data(), user.size()),
            absl::string_view(session.data(), session.size())};
  }
};
static_assert(sizeof(SessionIds) == kUserIdBytes + kSessionIdBytes);

// Hexadecimal digits that look random and never meet: the multiplier is odd.
template <std::size_t kDigits>
std::array<char, kDigits> IdOf(std::uint64_t number) {
  constexpr std::uint64_t kGoldenRatio = 0x9E3779B97F4A7C15;
  std::uint64_t rest = number * kGoldenRatio;
  std::array<char, kDigits> digits;
  for (char& digit : digits) {
    digit = "0123456789abcdef"[rest & 15];
    rest >>= 4;
  }
  return digits;
}

// Session `index` of a population with `per_user` sessions a user.
inline SessionIds IdsOf(std::uint64_t index, std::uint64_t per_user) {
  return {IdOf<kUserIdBytes>(index / per_user),
          IdOf<kSessionIdBytes>(index % per_user + 1)};
}

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_MICRO_SESSION_IDS_H_
