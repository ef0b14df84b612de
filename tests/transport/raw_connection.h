// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A TCP client without gRPC, for what a gRPC client would hide.
#ifndef LIFESIGN_TESTS_TRANSPORT_RAW_CONNECTION_H_
#define LIFESIGN_TESTS_TRANSPORT_RAW_CONNECTION_H_

#include <poll.h>
#include <sys/socket.h>

#include <string>

#include "absl/strings/string_view.h"
#include "server/base/socket_address.h"
#include "server/base/time.h"
#include "server/base/unique_fd.h"

namespace lifesign::testing {

class RawConnection {
 public:
  // Takes its descriptor now, and connects when it is told to.
  RawConnection() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}

  bool BindTo(absl::string_view address) {
    const auto from = SocketAddress::Parse(address);
    return bind(fd_.get(), from->data(), from->size()) == 0;
  }
  bool Connect(const SocketAddress& to) {
    return connect(fd_.get(), to.data(), to.size()) == 0;
  }
  bool Send(absl::string_view bytes) {
    return send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  void ShutdownWrites() { shutdown(fd_.get(), SHUT_WR); }
  void Close() { fd_.Close(); }
  // Closes with a reset.
  void Reset() {
    const linger reset = {1, 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    fd_.Close();
  }

  enum class Heard { kBytes, kEnd, kNothing };
  // What comes first within `patience`: bytes, or the end of the connection.
  Heard Listen(Duration patience) {
    pollfd waiting = {fd_.get(), POLLIN, 0};
    const int ready = poll(
        &waiting, 1,
        static_cast<int>(std::chrono::ceil<milliseconds>(patience).count()));
    if (ready <= 0) {
      return Heard::kNothing;
    }
    char byte = 0;
    return recv(fd_.get(), &byte, 1, 0) > 0 ? Heard::kBytes : Heard::kEnd;
  }

 private:
  UniqueFd fd_;
};

// What an HTTP/2 client says first (RFC 9113 § 3.4), with empty settings. A
// server that serves the connection answers with its own settings.
inline constexpr absl::string_view kHttp2Hello(
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);

}  // namespace lifesign::testing

#endif  // LIFESIGN_TESTS_TRANSPORT_RAW_CONNECTION_H_
