# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
#
# LIFESIGN_SANITIZE names what every target of this build is instrumented with;
# the presets asan-ubsan, tsan and fuzz set it.

set(LIFESIGN_SANITIZE "" CACHE STRING "none, or: address,undefined | thread")
set_property(CACHE LIFESIGN_SANITIZE PROPERTY STRINGS "" "address,undefined"
                                              "thread")
option(LIFESIGN_FUZZ "Build the fuzzers with libFuzzer (Clang)" OFF)

set(LIFESIGN_TEST_ENVIRONMENT "")
if(LIFESIGN_SANITIZE)
  add_compile_options(-fsanitize=${LIFESIGN_SANITIZE}
                      -fno-sanitize-recover=all -fno-omit-frame-pointer
                      # Half the build time of -O2 -g; stacks stay readable.
                      -O1 -g1)
  add_link_options(-fsanitize=${LIFESIGN_SANITIZE})
  list(
    APPEND
    LIFESIGN_TEST_ENVIRONMENT
    "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1"
    "UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1"
    # The distribution's gRPC is not instrumented: without these and the
    # suppressions a clean run reports about 200 races that are none.
    "TSAN_OPTIONS=history_size=7 ignore_noninstrumented_modules=1 halt_on_error=1 second_deadlock_stack=1 suppressions=${PROJECT_SOURCE_DIR}/tests/tsan.supp"
  )
endif()
if(LIFESIGN_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
