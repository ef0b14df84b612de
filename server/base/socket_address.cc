// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/base/socket_address.h"

#include <arpa/inet.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace lifesign {
namespace {

constexpr std::size_t kIpv4Bytes = 4;
constexpr std::size_t kIpv6Bytes = 16;
constexpr std::size_t kIpv6NetworkBytes = 8;
// ::ffff:0:0/96, in which IPv4 addresses show on an IPv6 socket.
constexpr std::uint8_t kMappedPrefix[12] = {0, 0, 0, 0, 0,    0,
                                            0, 0, 0, 0, 0xff, 0xff};

sockaddr_in Ipv4(const sockaddr_storage& storage) {
  sockaddr_in address;
  std::memcpy(&address, &storage, sizeof(address));
  return address;
}

sockaddr_in6 Ipv6(const sockaddr_storage& storage) {
  sockaddr_in6 address;
  std::memcpy(&address, &storage, sizeof(address));
  return address;
}

bool IsMapped(const in6_addr& address) {
  return std::memcmp(&address, kMappedPrefix, sizeof(kMappedPrefix)) == 0;
}

}  // namespace

absl::StatusOr<SocketAddress> SocketAddress::Parse(absl::string_view text) {
  const absl::Status malformed = absl::InvalidArgumentError(absl::StrCat(
      "must be an address and a port such as 127.0.0.1:7400 or [::1]:7400, but "
      "is \"",
      text, "\""));
  const std::size_t colon = text.rfind(':');
  std::uint32_t port = 0;
  if (colon == absl::string_view::npos || colon == 0 ||
      !absl::SimpleAtoi(text.substr(colon + 1), &port) || port > 0xffff) {
    return malformed;
  }
  std::string host(text.substr(0, colon));
  sockaddr_storage storage = {};
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    sockaddr_in6 address = {};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(static_cast<std::uint16_t>(port));
    if (inet_pton(AF_INET6, host.c_str(), &address.sin6_addr) != 1) {
      return malformed;
    }
    std::memcpy(&storage, &address, sizeof(address));
    return SocketAddress(storage);
  }
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
    return malformed;
  }
  std::memcpy(&storage, &address, sizeof(address));
  return SocketAddress(storage);
}

absl::StatusOr<SocketAddress> SocketAddress::LocalOf(int socket) {
  sockaddr_storage storage = {};
  socklen_t size = sizeof(storage);
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return absl::InternalError(
        absl::StrCat("getsockname: ", std::strerror(errno)));
  }
  if (storage.ss_family != AF_INET && storage.ss_family != AF_INET6) {
    return absl::InternalError("neither an IPv4 nor an IPv6 socket");
  }
  return SocketAddress(storage);
}

SocketAddress::SocketAddress(const sockaddr_storage& storage)
    : storage_(storage) {
  if (storage_.ss_family != AF_INET && storage_.ss_family != AF_INET6) {
    storage_ = {};
    storage_.ss_family = AF_INET;
  }
}

std::uint16_t SocketAddress::port() const {
  return ntohs(family() == AF_INET ? Ipv4(storage_).sin_port
                                   : Ipv6(storage_).sin6_port);
}

bool SocketAddress::IsLoopback() const {
  if (family() == AF_INET) {
    return ntohl(Ipv4(storage_).sin_addr.s_addr) >> 24 == 127;
  }
  const in6_addr address = Ipv6(storage_).sin6_addr;
  if (IsMapped(address)) {
    return address.s6_addr[sizeof(kMappedPrefix)] == 127;
  }
  return std::memcmp(&address, &in6addr_loopback, sizeof(address)) == 0;
}

NetworkKey SocketAddress::Network() const {
  NetworkKey key = {};
  if (family() == AF_INET) {
    const sockaddr_in address = Ipv4(storage_);
    key[0] = kIpv4Bytes;
    std::memcpy(&key[1], &address.sin_addr, kIpv4Bytes);
    return key;
  }
  const in6_addr address = Ipv6(storage_).sin6_addr;
  if (IsMapped(address)) {
    key[0] = kIpv4Bytes;
    std::memcpy(&key[1], &address.s6_addr[sizeof(kMappedPrefix)], kIpv4Bytes);
    return key;
  }
  key[0] = kIpv6Bytes;
  std::memcpy(&key[1], &address, kIpv6NetworkBytes);
  return key;
}

std::string SocketAddress::ToString() const {
  char host[INET6_ADDRSTRLEN] = {};
  if (family() == AF_INET) {
    const sockaddr_in address = Ipv4(storage_);
    inet_ntop(AF_INET, &address.sin_addr, host, sizeof(host));
    return absl::StrCat(host, ":", port());
  }
  const sockaddr_in6 address = Ipv6(storage_);
  inet_ntop(AF_INET6, &address.sin6_addr, host, sizeof(host));
  return absl::StrCat("[", host, "]:", port());
}

socklen_t SocketAddress::size() const {
  return family() == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
}

}  // namespace lifesign
