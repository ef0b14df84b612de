// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/ops/port_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace lifesign {

absl::Status WritePortFile(const std::string& path, std::uint16_t port) {
  // Two servers with one file would mix up a name that they share.
  const std::string beside = absl::StrCat(path, ".", getpid());
  errno = 0;
  bool done = false;
  {
    std::ofstream file(beside, std::ios::trunc);
    file << port << '\n';
    file.close();
    done = file.good();
  }
  done = done && std::rename(beside.c_str(), path.c_str()) == 0;
  if (done) {
    return absl::OkStatus();
  }
  const int error = errno;
  std::remove(beside.c_str());
  return absl::UnavailableError(absl::StrCat("cannot write the port file ",
                                             path, ": ", std::strerror(error)));
}

}  // namespace lifesign
