// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// An IPv4 or IPv6 address with a port.
#ifndef LIFESIGN_SERVER_BASE_SOCKET_ADDRESS_H_
#define LIFESIGN_SERVER_BASE_SOCKET_ADDRESS_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lifesign {

// Whom a connection limit counts as one: an IPv4 address, also one that came
// mapped into IPv6, or the /64 network of an IPv6 address, since that is the
// least that one host is given.
using NetworkKey = std::array<std::uint8_t, 9>;

// A plain value.
class SocketAddress {
 public:
  // Reads "127.0.0.1:7400" or "[::1]:7400": numbers only, so that what is
  // listened on never depends on a name service. INVALID_ARGUMENT otherwise.
  static absl::StatusOr<SocketAddress> Parse(absl::string_view text);

  // The local end of a bound or connected socket. INTERNAL if
  // the system does not tell, or it is of another family.
  static absl::StatusOr<SocketAddress> LocalOf(int socket);

  // From what accept() filled in. Of another family: 0.0.0.0:0.
  explicit SocketAddress(const sockaddr_storage& storage);

  int family() const { return storage_.ss_family; }
  std::uint16_t port() const;
  // Nobody but this machine can reach it (127.0.0.0/8, ::1).
  bool IsLoopback() const;
  NetworkKey Network() const;
  // As Parse reads it.
  std::string ToString() const;

  const sockaddr* data() const {
    return reinterpret_cast<const sockaddr*>(&storage_);
  }
  socklen_t size() const;

 private:
  sockaddr_storage storage_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_BASE_SOCKET_ADDRESS_H_
