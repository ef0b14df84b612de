// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Accepts connections, and decides whether they may stay.
//
// gRPC's own listener stops accepting for ever once the process ran out of file
// descriptors (CVE-2023-4785), and knows no limit of connections. This one
// accepts on a thread of its own and hands each connection on; it does not know
// to whom (grpc_acceptor.h does).
//
// How it knows that a connection ended, although the descriptor is no longer
// its own: it keeps a duplicate of it, watched for hang-up only. gRPC shuts a
// socket down in both directions before it closes it, a peer's reset and the
// kernel's giving up do the same; each shows as a hang-up on the duplicate at
// once. A peer that only closed its sending side is still counted, as it still
// costs. (Watching the descriptor itself would cost no second one, but loses
// the event if gRPC closes before this thread looks.) A connection so takes two
// descriptors; what it carries is not slowed measurably.
#ifndef LIFESIGN_SERVER_TRANSPORT_LISTENER_LISTENER_H_
#define LIFESIGN_SERVER_TRANSPORT_LISTENER_LISTENER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/mutex.h"
#include "server/base/socket_address.h"
#include "server/base/unique_fd.h"
#include "server/transport/listener/connection_counts.h"

namespace lifesign {

// What a listener did since its start, and what it holds.
struct ListenerCounters {
  std::int64_t open = 0;
  std::int64_t accepted = 0;
  // Closed at once, because of …
  std::int64_t refused_total = 0;        // max_connections
  std::int64_t refused_per_address = 0;  // max_connections_per_address
  std::int64_t refused_descriptors = 0;  // no descriptor or kernel memory left
  // accept() failed for another reason.
  std::int64_t accept_errors = 0;
};

// Thread-safe.
class Listener {
 public:
  struct Options {
    SocketAddress address;
    // Most connections at a time; positive.
    int max_connections;
    // Most connections at a time from one network (see NetworkKey); positive.
    int max_connections_per_address;
    // A connection whose peer acknowledges nothing that was sent for so long is
    // cut by the kernel (TCP_USER_TIMEOUT).
    Duration unacknowledged_timeout;
  };
  // Takes over an accepted connection: close-on-exec, non-blocking, without
  // Nagle's delay. Called on the listener's thread only.
  using HandOver = std::function<void(int fd)>;

  // Binds and listens; connections wait in the kernel until Start. `clock`
  // outlives the listener. UNAVAILABLE, with the system's reason, if the
  // address cannot be had.
  static absl::StatusOr<std::unique_ptr<Listener>> Bind(const Options& options,
                                                        const Clock& clock);

  // As StopAccepting. Connections that were handed over live on.
  ~Listener();

  // Where it really listens: with the port that was chosen for port 0.
  const SocketAddress& address() const { return address_; }

  // Begins to accept. REQUIRES: called once.
  void Start(HandOver hand_over);

  // Closes the listening socket. When this returns nothing is handed over any
  // more; connections that wait in the kernel are reset. Counting goes on until
  // the listener is destroyed. Waits for one hand-over at most.
  void StopAccepting();

  ListenerCounters counters() const;

 private:
  Listener(const Options& options, const Clock& clock, SocketAddress address,
           UniqueFd listening, UniqueFd epoll, UniqueFd wake);

  // All below on the listener's thread only.
  void Run();
  // Does what StopAccepting and the destructor ask. False: end the thread.
  bool ObeyOrder();
  void AcceptWaiting();
  void Admit(UniqueFd connection, const SocketAddress& peer);
  void Refuse(UniqueFd connection, const SocketAddress& peer,
              absl::string_view reason, std::atomic<std::int64_t>& counter);
  // accept() failed with `error`. False: nothing can be accepted now.
  bool HandleAcceptError(int error);
  // What accept() then said, 0 if one was refused; nothing if even the spare
  // descriptor is gone.
  absl::optional<int> RefuseOneWithoutDescriptor();
  // Watches for the end of `connection`. False: no descriptor left for that.
  bool WatchForEnd(int connection, const NetworkKey& network);
  void ForgetEnded(int watched);
  // Whether connections that wait end the sleep of epoll.
  void Arm(bool armed);

  // Constant after construction.
  const Options options_;
  const Clock& clock_;
  const SocketAddress address_;
  const UniqueFd epoll_;
  const UniqueFd wake_;  // an eventfd: there is an order
  HandOver hand_over_;   // before the thread starts

  // Synchronised by themselves.
  std::atomic<std::int64_t> open_{0};
  std::atomic<std::int64_t> accepted_{0};
  std::atomic<std::int64_t> refused_total_{0};
  std::atomic<std::int64_t> refused_per_address_{0};
  std::atomic<std::int64_t> refused_descriptors_{0};
  std::atomic<std::int64_t> accept_errors_{0};

  // Of the listener's thread alone, once it runs.
  UniqueFd listening_;
  bool armed_ = false;  // listening_ is watched by epoll_
  ConnectionCounts counts_;
  absl::flat_hash_map<int, NetworkKey> watched_;
  LogThrottle refusal_log_;
  LogThrottle error_log_;
  // Given up for a moment when descriptors run out, so that a connection can be
  // accepted and closed instead of waiting for nothing.
  UniqueFd spare_;

  // No other lock is taken while it is held.
  Mutex mutex_;
  CondVar changed_;
  enum class Order { kAccept, kStopAccepting, kEnd };
  Order order_ ABSL_GUARDED_BY(mutex_) = Order::kAccept;
  bool accepting_ ABSL_GUARDED_BY(mutex_) = true;

  std::thread thread_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_LISTENER_LISTENER_H_
