# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
#
# cmake -DSET=<descriptor set> -DOUT=<file.cc> -P config_descriptor.cmake
#
# Writes the bytes of SET as a C++ file that defines ConfigDescriptorSet().
file(READ "${SET}" bytes HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n"
                     bytes "${bytes}")
file(
  WRITE "${OUT}"
  "#include \"server/ops/config/config_descriptor.h\"

namespace lifesign {

absl::string_view ConfigDescriptorSet() {
  static constexpr unsigned char kBytes[] = {
${bytes}};
  return absl::string_view(reinterpret_cast<const char*>(kBytes),
                           sizeof(kBytes));
}

}  // namespace lifesign
")
