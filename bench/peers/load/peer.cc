// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/peers/load/peer.h"

#include <cstdio>
#include <cstdlib>

namespace lifesign::bench {
namespace {

constexpr size_t kDigits = 7;

}  // namespace

std::string UserOf(int session) {
  std::string digits = std::to_string(session);
  return "u" + std::string(kDigits - digits.size(), '0') + digits;
}

int SessionOf(const char* user, size_t size) {
  if (size != kDigits + 1 || user[0] != 'u') return -1;
  int session = 0;
  for (size_t i = 1; i < size; ++i) {
    if (user[i] < '0' || user[i] > '9') return -1;
    session = session * 10 + (user[i] - '0');
  }
  return session;
}

void Fail(const std::string& why) {
  std::fprintf(stderr, "peers_load: %s\n", why.c_str());
  std::exit(EXIT_FAILURE);
}

}  // namespace lifesign::bench
