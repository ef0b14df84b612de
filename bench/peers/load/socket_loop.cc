// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/peers/load/socket_loop.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "bench/peers/load/peer.h"

namespace lifesign::bench {
namespace {

constexpr size_t kReadBytes = 64 << 10;
constexpr int kEventsPerPoll = 256;
constexpr int kPollMilliseconds = 1;

}  // namespace

Connection::~Connection() { close(fd_); }

void Connection::Send(absl::string_view bytes) {
  unsent_.append(bytes.data(), bytes.size());
  Flush();
}

void Connection::Flush() {
  if (unsent_.empty()) return;
  const ssize_t sent =
      send(fd_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) {
    if (errno == EAGAIN) return;
    Fail(std::string("send: ") + std::strerror(errno));
  }
  unsent_.erase(0, static_cast<size_t>(sent));
}

void Connection::Receive() {
  static char buffer[kReadBytes];
  ssize_t got = 0;
  // Edge-triggered: a full buffer may have left something behind.
  do {
    got = recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      Fail(got == 0
               ? "the server closed a connection; last it said: " + received_
               : std::string("recv: ") + std::strerror(errno));
    }
    received_.append(buffer, static_cast<size_t>(got));
    received_.erase(0, on_received_(*this, received_));
  } while (got == sizeof buffer);
}

SocketLoop::SocketLoop() : epoll_fd_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_fd_ < 0) Fail("epoll_create1");
}

SocketLoop::~SocketLoop() { close(epoll_fd_); }

std::unique_ptr<Connection> SocketLoop::Connect(
    int port, Connection::OnReceived on_received) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 ||
      connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    Fail(std::string("connect: ") + std::strerror(errno));
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  auto connection = std::make_unique<Connection>(fd, std::move(on_received));
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLET;
  event.data.ptr = connection.get();
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) Fail("epoll_ctl");
  return connection;
}

void SocketLoop::Poll() {
  epoll_event events[kEventsPerPoll];
  const int ready =
      epoll_wait(epoll_fd_, events, kEventsPerPoll, kPollMilliseconds);
  for (int i = 0; i < ready; ++i) {
    auto* connection = static_cast<Connection*>(events[i].data.ptr);
    if (events[i].events & EPOLLOUT) connection->Flush();
    if (events[i].events & EPOLLIN) connection->Receive();
  }
}

}  // namespace lifesign::bench
