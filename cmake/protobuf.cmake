# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0

# lifesign_add_proto_library(<target> ROOT <directory> FILES <proto>…)
#
# A static library of the C++ that protoc and gRPC's plugin make of FILES, which
# are paths below ROOT and import each other by them. Whoever links <target>
# includes "lifesign/v1/presence.pb.h" (and "….grpc.pb.h" of files with a
# service), as system headers: generated code follows nobody's warnings.
function(lifesign_add_proto_library target)
  cmake_parse_arguments(ARG "" "ROOT" "FILES" ${ARGN})
  set(out "${CMAKE_CURRENT_BINARY_DIR}/generated")
  file(MAKE_DIRECTORY "${out}")

  set(sources "")
  foreach(proto IN LISTS ARG_FILES)
    string(REGEX REPLACE "\\.proto$" "" stem "${proto}")
    set(made "${out}/${stem}.pb.cc" "${out}/${stem}.pb.h")
    set(plugin "")
    # gRPC's plugin makes files for messages alone, too; nobody includes them.
    file(STRINGS "${ARG_ROOT}/${proto}" services REGEX "^service ")
    if(services)
      list(APPEND made "${out}/${stem}.grpc.pb.cc" "${out}/${stem}.grpc.pb.h")
      set(plugin "--grpc_out=${out}"
                 "--plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin>")
    endif()
    add_custom_command(
      OUTPUT ${made}
      COMMAND protobuf::protoc "--proto_path=${ARG_ROOT}" "--cpp_out=${out}"
              ${plugin} "${proto}"
      DEPENDS "${ARG_ROOT}/${proto}" protobuf::protoc
      COMMENT "Generating C++ of ${proto}"
      VERBATIM)
    set_property(
      DIRECTORY
      APPEND
      PROPERTY CMAKE_CONFIGURE_DEPENDS "${ARG_ROOT}/${proto}")
    list(APPEND sources ${made})
  endforeach()
  # One file's C++ includes what another's protoc run makes.
  add_custom_target(${target}_sources DEPENDS ${sources})

  add_library(${target} STATIC ${sources})
  add_dependencies(${target} ${target}_sources)
  target_compile_options(${target} PRIVATE -w)
  target_include_directories(${target} SYSTEM PUBLIC "${out}")
  target_link_libraries(${target} PUBLIC protobuf::libprotobuf gRPC::grpc++)
  # clang-tidy reads our sources only.
  set_target_properties(${target} PROPERTIES EXPORT_COMPILE_COMMANDS OFF)
endfunction()
