// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#ifndef LIFESIGN_BENCH_PEERS_LOAD_WEB_SOCKET_H_
#define LIFESIGN_BENCH_PEERS_LOAD_WEB_SOCKET_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "bench/peers/load/socket_loop.h"

namespace lifesign::bench {

// The client's side of a WebSocket that carries text messages (RFC 6455,
// without extensions). What is sent before the handshake is done waits for it.
class WebSocket {
 public:
  using OnText = std::function<void(absl::string_view text)>;

  // `headers` are lines of the request, each ended by CR LF.
  WebSocket(SocketLoop& loop, int port, absl::string_view path,
            absl::string_view headers, OnText on_text);

  void Send(absl::string_view text);

  // The bytes of a message, for those that are sent again and again.
  static std::string Frame(absl::string_view text);
  void SendFrame(absl::string_view frame);

 private:
  size_t Take(absl::string_view bytes);

  const OnText on_text_;
  bool open_ = false;
  std::string waiting_;
  const std::unique_ptr<Connection> connection_;
};

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_PEERS_LOAD_WEB_SOCKET_H_
