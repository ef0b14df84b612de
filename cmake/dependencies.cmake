# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
#
# Everything we build on, by the names that distributions' packages export.
# `./dev build` installs what is missing; tools/dev.d/packages lists it.

find_package(Threads REQUIRED)
# In module mode: Debian's package has no CMake configuration of its own, and
# gRPC's wants its targets to exist.
find_package(Protobuf MODULE REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(absl CONFIG REQUIRED)
find_package(Boost CONFIG REQUIRED) # headers only: Boost.Intrusive
find_package(OpenSSL REQUIRED)
find_package(spdlog CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)

# No distribution ships a CMake configuration for xxHash.
find_path(LIFESIGN_XXHASH_INCLUDE xxhash.h REQUIRED)
find_library(LIFESIGN_XXHASH_LIBRARY xxhash REQUIRED)
add_library(xxHash::xxhash INTERFACE IMPORTED)
target_include_directories(xxHash::xxhash SYSTEM
                           INTERFACE "${LIFESIGN_XXHASH_INCLUDE}")
target_link_libraries(xxHash::xxhash INTERFACE "${LIFESIGN_XXHASH_LIBRARY}")

option(LIFESIGN_TESTS "Build the tests and benchmarks" ON)
if(LIFESIGN_TESTS)
  find_package(GTest CONFIG REQUIRED)
  find_package(rapidcheck CONFIG REQUIRED)
  find_package(benchmark CONFIG REQUIRED)
endif()
