// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// How scripts learn which port a server took.
#ifndef LIFESIGN_SERVER_OPS_PORT_FILE_H_
#define LIFESIGN_SERVER_OPS_PORT_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace lifesign {

// Writes `port` and a line end to the file `path`. Whoever sees the file sees
// all of it: it is written beside and renamed. UNAVAILABLE, with the system's
// reason, if that cannot be done; what was at `path` is then still there.
absl::Status WritePortFile(const std::string& path, std::uint16_t port);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_OPS_PORT_FILE_H_
