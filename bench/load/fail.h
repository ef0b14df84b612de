// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#ifndef LIFESIGN_BENCH_LOAD_FAIL_H_
#define LIFESIGN_BENCH_LOAD_FAIL_H_

#include <cstdio>

namespace lifesign::bench {

// Says why there is no number. Returns the exit code.
inline int Fail(const char* what) {
  std::fprintf(stderr, "bench: %s\n", what);
  return 1;
}

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_LOAD_FAIL_H_
