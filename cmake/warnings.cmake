# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
#
# Warnings are errors in our own code. Generated code switches them off
# (protobuf.cmake); found packages are system includes and stay silent.

option(LIFESIGN_WERROR "Warnings are errors (off for packagers)" ON)

add_compile_options(
  -Wall
  -Wextra
  -Wpedantic
  -Wshadow
  -Wnon-virtual-dtor
  -Woverloaded-virtual
  -Wcast-align
  -Wunused
  -Wimplicit-fallthrough
  -Wextra-semi
  -Wformat=2
  -Wvla)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(
    -Wduplicated-cond
    -Wlogical-op
    -Wsuggest-override
    # GCC guesses these across inlined library code and guesses wrong there.
    -Wno-maybe-uninitialized
    -Wno-restrict)
else()
  add_compile_options(
    -Wthread-safety
    -Wthread-safety-beta
    -Winconsistent-missing-override)
endif()

if(LIFESIGN_WERROR)
  add_compile_options(-Werror)
endif()
