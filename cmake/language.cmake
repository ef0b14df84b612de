# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
#
# The language, the tools that make builds quick, and where includes start.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# Includes name files from the top: "server/core/session/session_shard.h".
include_directories("${PROJECT_SOURCE_DIR}")

# One optimised build with assertions serves run, test and simulation: NDEBUG,
# which CMake sets for RelWithDebInfo by itself, is left out.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")

find_program(LIFESIGN_CCACHE ccache)
if(LIFESIGN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER "${LIFESIGN_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${LIFESIGN_CCACHE}")
endif()

# mold, else lld, else what the compiler brings: a third less time per link.
include(CheckLinkerFlag)
foreach(linker IN ITEMS mold lld)
  check_linker_flag(CXX "-fuse-ld=${linker}" LIFESIGN_LINKS_WITH_${linker})
  if(LIFESIGN_LINKS_WITH_${linker})
    add_link_options("-fuse-ld=${linker}")
    break()
  endif()
endforeach()
