// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#ifndef LIFESIGN_BENCH_PEERS_LOAD_SOCKET_LOOP_H_
#define LIFESIGN_BENCH_PEERS_LOAD_SOCKET_LOOP_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace lifesign::bench {

// A TCP connection to 127.0.0.1 of a SocketLoop. Writes at once what the kernel
// takes and keeps the rest; knows no protocol.
class Connection {
 public:
  // Takes what it understands of `received` and returns how many bytes that
  // were; the rest comes again with what follows.
  using OnReceived =
      std::function<size_t(Connection& connection, absl::string_view received)>;

  Connection(int fd, OnReceived on_received)
      : fd_(fd), on_received_(std::move(on_received)) {}
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Send(absl::string_view bytes);

 private:
  friend class SocketLoop;

  void Receive();
  void Flush();

  const int fd_;
  const OnReceived on_received_;
  std::string received_;
  std::string unsent_;
};

// One epoll loop over connections. Single-threaded.
class SocketLoop {
 public:
  SocketLoop();
  ~SocketLoop();
  SocketLoop(const SocketLoop&) = delete;
  SocketLoop& operator=(const SocketLoop&) = delete;

  // Connects, which on the loopback takes no time worth waiting elsewhere.
  std::unique_ptr<Connection> Connect(int port,
                                      Connection::OnReceived on_received);

  // Serves what is ready, waiting for at most one millisecond. Connections may
  // be made in callbacks but not destroyed.
  void Poll();

 private:
  const int epoll_fd_;
};

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_PEERS_LOAD_SOCKET_LOOP_H_
