// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The descriptor of the configuration with its comments, made by the build
// (config_descriptor.cmake).
#ifndef LIFESIGN_SERVER_OPS_CONFIG_CONFIG_DESCRIPTOR_H_
#define LIFESIGN_SERVER_OPS_CONFIG_CONFIG_DESCRIPTOR_H_

#include "absl/strings/string_view.h"

namespace lifesign {

// A serialized google.protobuf.FileDescriptorSet: config.proto and what it
// imports, the imported files first.
absl::string_view ConfigDescriptorSet();

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_OPS_CONFIG_CONFIG_DESCRIPTOR_H_
