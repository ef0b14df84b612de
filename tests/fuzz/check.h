// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What every fuzzer needs: a check that ends the process, so that the input is
// kept.
#ifndef LIFESIGN_TESTS_FUZZ_CHECK_H_
#define LIFESIGN_TESTS_FUZZ_CHECK_H_

#include <cstdio>
#include <cstdlib>

// Also in builds without assertions.
#define LIFESIGN_FUZZ_CHECK(condition)                                     \
  do {                                                                     \
    if (!(condition)) {                                                    \
      std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                        \
    }                                                                      \
  } while (false)

#endif  // LIFESIGN_TESTS_FUZZ_CHECK_H_
