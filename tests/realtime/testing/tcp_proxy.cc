// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/realtime/testing/tcp_proxy.h"

#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <utility>

namespace lifesign::testing {
namespace {

// More than that is not taken from one side before the other took it.
constexpr std::size_t kMostWaiting = 256 << 10;
// Small, so that the server's side fills soon once it is not read.
constexpr int kReceiveBuffer = 16 << 10;

void SetOption(const UniqueFd& fd, int level, int name, int value) {
  setsockopt(fd.get(), level, name, &value, sizeof(value));
}

// Its peer is told by a reset.
void Reset(UniqueFd& fd) {
  const linger at_once = {1, 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  fd.Close();
}

// Takes what has come. False at the end of the connection.
bool Take(const UniqueFd& from, std::string& into) {
  std::array<char, 16 << 10> bytes;
  const ssize_t n = recv(from.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (n > 0) into.append(bytes.data(), static_cast<std::size_t>(n));
  return n > 0 || (n < 0 && errno == EAGAIN);
}

// Gives what fits. False if the connection is broken.
bool Give(std::string& from, const UniqueFd& to) {
  const ssize_t n =
      send(to.get(), from.data(), from.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n > 0) from.erase(0, static_cast<std::size_t>(n));
  return n > 0 || errno == EAGAIN;
}

}  // namespace

TcpProxy::TcpProxy(const std::string& target)
    : target_(SocketAddress::Parse(target).value()),
      listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  const auto any = SocketAddress::Parse("127.0.0.1:0");
  EXPECT_EQ(bind(listener_.get(), any->data(), any->size()), 0);
  EXPECT_EQ(listen(listener_.get(), SOMAXCONN), 0);
  address_ = SocketAddress::LocalOf(listener_.get())->ToString();
  thread_ = std::thread([this] { Run(); });
}

TcpProxy::~TcpProxy() {
  {
    MutexLock lock(mutex_);
    end_asked_ = true;
  }
  eventfd_write(wake_.get(), 1);
  thread_.join();
  for (Link& link : links_) {
    Reset(link.client);
    Reset(link.server);
  }
}

void TcpProxy::CutAll() {
  MutexLock lock(mutex_);
  cut_asked_ = true;
  eventfd_write(wake_.get(), 1);
  while (cut_asked_) changed_.Wait(mutex_);
}

bool TcpProxy::ObeyOrders() {
  MutexLock lock(mutex_);
  if (cut_asked_) {
    for (Link& link : links_) link.broken = true;
    cut_asked_ = false;
    changed_.NotifyAll();
  }
  return !end_asked_;
}

void TcpProxy::Accept() {
  Link link;
  link.client =
      UniqueFd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!link.client.is_open()) return;
  ++accepted_;
  link.server = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  SetOption(link.server, SOL_SOCKET, SO_RCVBUF, kReceiveBuffer);
  SetOption(link.server, IPPROTO_TCP, TCP_NODELAY, 1);
  SetOption(link.client, IPPROTO_TCP, TCP_NODELAY, 1);
  // On loopback this is decided at once.
  link.broken = connect(link.server.get(), target_.data(), target_.size()) != 0;
  links_.push_back(std::move(link));
}

std::vector<pollfd> TcpProxy::Interests() const {
  const auto of = [](const UniqueFd& fd, bool read, bool write) {
    const int events = (read ? POLLIN : 0) | (write ? POLLOUT : 0);
    return pollfd{fd.get(), static_cast<short>(events), 0};
  };
  std::vector<pollfd> interests = {of(wake_, true, false),
                                   of(listener_, true, false)};
  for (const Link& link : links_) {
    interests.push_back(of(link.client, link.to_server.size() < kMostWaiting,
                           !link.to_client.empty()));
    interests.push_back(of(
        link.server, !deaf_to_server_ && link.to_client.size() < kMostWaiting,
        !link.to_server.empty()));
  }
  return interests;
}

void TcpProxy::Serve(Link& link, const pollfd& client, const pollfd& server) {
  constexpr int kGone = POLLERR | POLLHUP;
  bool good = ((client.revents | server.revents) & kGone) == 0;
  if ((client.revents & POLLIN) != 0) {
    const std::size_t before = link.to_server.size();
    good = Take(link.client, link.to_server) && good;
    bytes_to_server_ += link.to_server.size() - before;
  }
  if ((server.revents & POLLIN) != 0) {
    good = Take(link.server, link.to_client) && good;
  }
  if (!link.to_server.empty()) good = Give(link.to_server, link.server) && good;
  if (!link.to_client.empty()) good = Give(link.to_client, link.client) && good;
  link.broken = link.broken || !good;
}

void TcpProxy::Run() {
  while (ObeyOrders()) {
    for (auto link = links_.begin(); link != links_.end();) {
      if (link->broken) {
        Reset(link->client);
        Reset(link->server);
        link = links_.erase(link);
      } else {
        ++link;
      }
    }
    std::vector<pollfd> interests = Interests();
    poll(interests.data(), interests.size(), -1);
    eventfd_t ignored = 0;
    eventfd_read(wake_.get(), &ignored);
    std::size_t next = 2;
    for (Link& link : links_) {
      Serve(link, interests[next], interests[next + 1]);
      next += 2;
    }
    if ((interests[1].revents & POLLIN) != 0) Accept();
  }
}

}  // namespace lifesign::testing
