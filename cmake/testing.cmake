# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0

# Tests with one of these labels also run in the sanitizer builds of a full
# `./dev test`: the core, and enough of the transport to see it breathe.
set(LIFESIGN_SANITIZED_LABELS base core smoke)

if(LIFESIGN_TESTS)
  enable_testing()
  include(GoogleTest)
endif()
# Builds every test that carries one of LIFESIGN_SANITIZED_LABELS.
add_custom_target(sanitized_tests)
# Builds every test.
add_custom_target(all_tests)
# Builds every fuzzer.
add_custom_target(fuzzers)

# lifesign_add_test(
#   NAME <executable> SOURCES <file>… LABELS <label>…
#   [LIBS <target>…] [ENVIRONMENT <NAME=value>…] [TIMEOUT <seconds>] [SERIAL])
#
# A GoogleTest executable, each of its tests a test of ctest. One executable a
# folder keeps builds short. GoogleTest's main and GoogleMock are linked.
#   LABELS   first the part it tests (base, core, transport, ops, client, cli,
#            integration), which also begins the tests' names; then what kind of
#            test it is if not a plain one (property, realtime, smoke); see
#            LIFESIGN_SANITIZED_LABELS
#   TIMEOUT  of one test; 60 s unless given, four times that when sanitized
#   SERIAL   runs with no other test beside it: what is sensitive to load
function(lifesign_add_test)
  cmake_parse_arguments(ARG "SERIAL" "NAME;TIMEOUT"
                        "SOURCES;LIBS;LABELS;ENVIRONMENT" ${ARGN})
  if(NOT ARG_NAME OR NOT ARG_SOURCES OR NOT ARG_LABELS)
    message(FATAL_ERROR "lifesign_add_test needs NAME, SOURCES and LABELS")
  endif()
  list(GET ARG_LABELS 0 part)
  add_executable(${ARG_NAME} ${ARG_SOURCES})
  target_link_libraries(${ARG_NAME} PRIVATE ${ARG_LIBS} GTest::gmock
                                            GTest::gtest GTest::gtest_main)
  add_dependencies(all_tests ${ARG_NAME})
  foreach(label IN LISTS ARG_LABELS)
    if(label IN_LIST LIFESIGN_SANITIZED_LABELS)
      add_dependencies(sanitized_tests ${ARG_NAME})
      list(APPEND ARG_LABELS sanitized)
      break()
    endif()
  endforeach()

  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  if(LIFESIGN_SANITIZE)
    math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * 4")
  endif()
  gtest_discover_tests(
    ${ARG_NAME}
    DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 60
    TEST_PREFIX "${part}."
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  # gtest_discover_tests cannot pass properties that are lists: ctest reads them
  # from here, after the tests, whose names are in <executable>_TESTS by then.
  set(serial FALSE)
  if(ARG_SERIAL)
    set(serial TRUE)
  endif()
  set(properties "${CMAKE_CURRENT_BINARY_DIR}/${ARG_NAME}_properties.cmake")
  file(
    CONFIGURE
    OUTPUT
    "${properties}"
    CONTENT
    [==[
if(@ARG_NAME@_TESTS)
  set_tests_properties(${@ARG_NAME@_TESTS} PROPERTIES
    LABELS "@ARG_LABELS@"
    TIMEOUT @ARG_TIMEOUT@
    RUN_SERIAL @serial@
    ENVIRONMENT "@LIFESIGN_TEST_ENVIRONMENT@;@ARG_ENVIRONMENT@")
endif()
]==]
    @ONLY)
  set_property(
    DIRECTORY
    APPEND
    PROPERTY TEST_INCLUDE_FILES "${properties}")
endfunction()

# lifesign_add_fuzzer(
#   NAME <executable> SOURCES <file>… CORPUS <directory> [LIBS <target>…])
#
# Of one LLVMFuzzerTestOneInput. In every build <NAME> replays the committed
# CORPUS and is a test with the label fuzz, sanitized too; with the preset `fuzz` it is a
# libFuzzer binary and `./dev fuzz` lets it look for more.
function(lifesign_add_fuzzer)
  cmake_parse_arguments(ARG "" "NAME;CORPUS" "SOURCES;LIBS" ${ARGN})
  cmake_path(ABSOLUTE_PATH ARG_CORPUS NORMALIZE)
  add_executable(${ARG_NAME} ${ARG_SOURCES})
  target_link_libraries(${ARG_NAME} PRIVATE ${ARG_LIBS})
  foreach(group IN ITEMS fuzzers all_tests sanitized_tests)
    add_dependencies(${group} ${ARG_NAME})
  endforeach()
  set_target_properties(${ARG_NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY
                                               "${PROJECT_BINARY_DIR}/fuzz")
  if(LIFESIGN_FUZZ)
    target_link_options(${ARG_NAME} PRIVATE -fsanitize=fuzzer)
    set(arguments -runs=0)
  else()
    target_sources(${ARG_NAME}
                   PRIVATE "${PROJECT_SOURCE_DIR}/cmake/replay_corpus.cc")
  endif()
  # Where ./dev fuzz finds it.
  file(WRITE "${PROJECT_BINARY_DIR}/fuzz/${ARG_NAME}.corpus" "${ARG_CORPUS}\n")
  add_test(NAME fuzz.${ARG_NAME} COMMAND ${ARG_NAME} ${arguments}
                                         "${ARG_CORPUS}")
  set_tests_properties(
    fuzz.${ARG_NAME}
    PROPERTIES LABELS "fuzz;sanitized" TIMEOUT 120 ENVIRONMENT
               "${LIFESIGN_TEST_ENVIRONMENT}")
endfunction()

# lifesign_finish_tests()
#
# Called once, last. Collects our libraries for the preset that only analyses.
function(lifesign_finish_tests)
  add_custom_target(analysed)
  foreach(
    target
    IN
    ITEMS lifesign_base
          lifesign_core
          lifesign_transport
          lifesign_ops
          lifesign_client
          lifesignd
          lifesign)
    if(TARGET ${target})
      add_dependencies(analysed ${target})
    endif()
  endforeach()
endfunction()
