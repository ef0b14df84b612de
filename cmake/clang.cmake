# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
#
# Toolchain file: Clang, the version we develop with if it is there.
find_program(LIFESIGN_CLANG NAMES clang-14 clang REQUIRED)
find_program(LIFESIGN_CLANGXX NAMES clang++-14 clang++ REQUIRED)
set(CMAKE_C_COMPILER "${LIFESIGN_CLANG}")
set(CMAKE_CXX_COMPILER "${LIFESIGN_CLANGXX}")
