// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A TCP proxy on loopback: the network between clients and a server, which may
// break or clog.
#ifndef LIFESIGN_TESTS_REALTIME_TESTING_TCP_PROXY_H_
#define LIFESIGN_TESTS_REALTIME_TESTING_TCP_PROXY_H_

#include <atomic>
#include <cstdint>
#include <list>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"
#include "server/base/socket_address.h"
#include "server/base/unique_fd.h"

struct pollfd;

namespace lifesign::testing {

// Forwards bytes both ways on one thread of its own. Knows nothing of HTTP/2.
// Thread-safe.
class TcpProxy {
 public:
  // Forwards to `target` ("127.0.0.1:7400"), which need not listen yet.
  explicit TcpProxy(const std::string& target);
  // Cuts all connections.
  ~TcpProxy();

  // Where clients connect.
  const std::string& address() const { return address_; }

  // Resets every connection that there is, on both sides; new ones are taken.
  // Returns when that is done.
  void CutAll();
  // From now on nothing that the server says is taken off its hands: its
  // kernel's buffers fill. Clients are heard as before.
  void StopReadingServer() { deaf_to_server_ = true; }

  // Connections taken so far.
  std::uint64_t accepted() const { return accepted_; }
  // Bytes forwarded so far.
  std::uint64_t bytes_to_server() const { return bytes_to_server_; }

 private:
  // One connection of a client, and ours to the server.
  struct Link {
    UniqueFd client;
    UniqueFd server;
    std::string to_client;
    std::string to_server;
    bool broken = false;
  };

  void Run();
  bool ObeyOrders();
  void Accept();
  std::vector<pollfd> Interests() const;
  void Serve(Link& link, const pollfd& client, const pollfd& server);

  const SocketAddress target_;
  UniqueFd listener_;
  UniqueFd wake_;  // an eventfd
  std::string address_;
  std::list<Link> links_;  // of the thread

  std::atomic<bool> deaf_to_server_ = false;
  std::atomic<std::uint64_t> accepted_ = 0;
  std::atomic<std::uint64_t> bytes_to_server_ = 0;

  Mutex mutex_;
  CondVar changed_;
  bool cut_asked_ ABSL_GUARDED_BY(mutex_) = false;
  bool end_asked_ ABSL_GUARDED_BY(mutex_) = false;
  // Last: it runs as soon as it is made.
  std::thread thread_;
};

}  // namespace lifesign::testing

#endif  // LIFESIGN_TESTS_REALTIME_TESTING_TCP_PROXY_H_
