// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/listener/listener.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace lifesign {
namespace {

// Connections that the kernel keeps for us until we accept them.
constexpr int kBacklog = 4'096;
// Connections accepted before the ends of others are looked at again.
constexpr int kAcceptsPerRound = 64;
constexpr int kEventsPerRound = 256;
// When nothing can be accepted although connections wait: how long to let them.
constexpr int kBackOffMs = 100;
constexpr int kForeverMs = -1;
// No errno: a connection was accepted and closed.
constexpr int kRefused = 0;
constexpr Duration kLogEvery = seconds(10);

absl::Status Failed(absl::string_view what, const SocketAddress& address) {
  const int error = errno;
  return absl::UnavailableError(absl::StrCat("cannot listen on ",
                                             address.ToString(), ": ", what,
                                             ": ", std::strerror(error)));
}

bool SetOption(int socket, int level, int name, int value) {
  return setsockopt(socket, level, name, &value, sizeof(value)) == 0;
}

absl::StatusOr<UniqueFd> BindSocket(const Listener::Options& options) {
  const SocketAddress& address = options.address;
  UniqueFd listening(
      socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!listening.is_open()) {
    return Failed("socket", address);
  }
  const int fd = listening.get();
  // A restart must not wait for the connections of the last run to time out.
  if (!SetOption(fd, SOL_SOCKET, SO_REUSEADDR, 1) ||
      // "[::]" means both kinds of addresses, whatever the system's default.
      (address.family() == AF_INET6 &&
       !SetOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0)) ||
      // Accepted connections inherit it.
      !SetOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT,
                 static_cast<int>(std::chrono::ceil<milliseconds>(
                                      options.unacknowledged_timeout)
                                      .count()))) {
    return Failed("setsockopt", address);
  }
  if (bind(fd, address.data(), address.size()) != 0) {
    return Failed("bind", address);
  }
  if (listen(fd, kBacklog) != 0) {
    return Failed("listen", address);
  }
  return listening;
}

UniqueFd OpenSpare() {
  return UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

// Out of something that the process, or the machine, may get back.
bool IsShortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS ||
         error == ENOMEM;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Bind(const Options& options,
                                                         const Clock& clock) {
  absl::StatusOr<UniqueFd> listening = BindSocket(options);
  if (!listening.ok()) {
    return listening.status();
  }
  const auto address = SocketAddress::LocalOf(listening->get());
  if (!address.ok()) {
    return address.status();
  }
  UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  UniqueFd wake(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.fd = wake.get();
  if (!epoll.is_open() || !wake.is_open() ||
      epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wake.get(), &event) != 0) {
    return Failed("epoll", *address);
  }
  return std::unique_ptr<Listener>(
      new Listener(options, clock, *address, *std::move(listening),
                   std::move(epoll), std::move(wake)));
}

Listener::Listener(const Options& options, const Clock& clock,
                   SocketAddress address, UniqueFd listening, UniqueFd epoll,
                   UniqueFd wake)
    : options_(options),
      clock_(clock),
      address_(address),
      epoll_(std::move(epoll)),
      wake_(std::move(wake)),
      listening_(std::move(listening)),
      counts_(options.max_connections, options.max_connections_per_address),
      refusal_log_(kLogEvery),
      error_log_(kLogEvery),
      spare_(OpenSpare()) {}

Listener::~Listener() {
  if (thread_.joinable()) {
    {
      MutexLock lock(mutex_);
      order_ = Order::kEnd;
    }
    eventfd_write(wake_.get(), 1);
    thread_.join();
  }
  for (const auto& [watched, network] : watched_) {
    close(watched);
  }
}

void Listener::Start(HandOver hand_over) {
  hand_over_ = std::move(hand_over);
  Arm(true);
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "listener");
}

void Listener::StopAccepting() {
  if (!thread_.joinable()) {
    listening_.Close();
    return;
  }
  MutexLock lock(mutex_);
  if (order_ == Order::kAccept) {
    order_ = Order::kStopAccepting;
  }
  eventfd_write(wake_.get(), 1);
  while (accepting_) {
    changed_.Wait(mutex_);
  }
}

ListenerCounters Listener::counters() const {
  return {open_.load(std::memory_order_relaxed),
          accepted_.load(std::memory_order_relaxed),
          refused_total_.load(std::memory_order_relaxed),
          refused_per_address_.load(std::memory_order_relaxed),
          refused_descriptors_.load(std::memory_order_relaxed),
          accept_errors_.load(std::memory_order_relaxed)};
}

void Listener::Run() {
  std::array<epoll_event, kEventsPerRound> events;
  for (;;) {
    const bool backing_off = listening_.is_open() && !armed_;
    const int count = epoll_wait(epoll_.get(), events.data(), kEventsPerRound,
                                 backing_off ? kBackOffMs : kForeverMs);
    bool waiting = backing_off;
    bool ordered = false;
    // Ends first: they make room for who waits. So no descriptor that is closed
    // here is in use again while an event of this round may still name it.
    for (int i = 0; i < count; ++i) {
      const int fd = events[i].data.fd;
      if (fd == wake_.get()) {
        ordered = true;
      } else if (fd == listening_.get()) {
        waiting = true;
      } else if ((events[i].events & EPOLLHUP) != 0) {
        ForgetEnded(fd);
      }
    }
    if (ordered && !ObeyOrder()) {
      return;
    }
    if (waiting && listening_.is_open()) {
      AcceptWaiting();
    }
  }
}

bool Listener::ObeyOrder() {
  eventfd_t ignored = 0;
  eventfd_read(wake_.get(), &ignored);
  MutexLock lock(mutex_);
  if (order_ != Order::kAccept) {
    listening_.Close();
    armed_ = false;
    accepting_ = false;
    changed_.NotifyAll();
  }
  return order_ != Order::kEnd;
}

void Listener::AcceptWaiting() {
  Arm(true);
  for (int i = 0; i < kAcceptsPerRound; ++i) {
    sockaddr_storage storage = {};
    socklen_t size = sizeof(storage);
    UniqueFd connection(accept4(listening_.get(),
                                reinterpret_cast<sockaddr*>(&storage), &size,
                                SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (connection.is_open()) {
      Admit(std::move(connection), SocketAddress(storage));
    } else if (!HandleAcceptError(errno)) {
      return;
    }
  }
}

void Listener::Admit(UniqueFd connection, const SocketAddress& peer) {
  const NetworkKey network = peer.Network();
  switch (counts_.Admit(network)) {
    case Admission::kTooManyConnections:
      Refuse(std::move(connection), peer, "max_connections", refused_total_);
      return;
    case Admission::kTooManyOfAddress:
      Refuse(std::move(connection), peer, "max_connections_per_address",
             refused_per_address_);
      return;
    case Admission::kAdmitted:
      break;
  }
  if (!WatchForEnd(connection.get(), network)) {
    counts_.Release(network);
    Refuse(std::move(connection), peer, "no descriptor left",
           refused_descriptors_);
    return;
  }
  open_.store(counts_.total(), std::memory_order_relaxed);
  accepted_.fetch_add(1, std::memory_order_relaxed);
  SetOption(connection.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  hand_over_(connection.Release());
}

void Listener::Refuse(UniqueFd connection, const SocketAddress& peer,
                      absl::string_view reason,
                      std::atomic<std::int64_t>& counter) {
  counter.fetch_add(1, std::memory_order_relaxed);
  // A reset: the client knows at once, and nothing of it lingers with us.
  const linger reset = {1, 0};
  setsockopt(connection.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  connection.Close();
  if (const auto held_back = refusal_log_.Admit(clock_.RealNow())) {
    LogWarning("connection refused", {{"reason", reason},
                                      {"peer", peer.ToString()},
                                      {"open", counts_.total()},
                                      {"held_back", *held_back}});
  }
}

bool Listener::HandleAcceptError(int error) {
  if (error == EINTR) {
    return true;
  }
  if (IsShortage(error)) {
    // Said even if no connection waits, so look before complaining.
    error = RefuseOneWithoutDescriptor().value_or(error);
  }
  if (error == kRefused) {
    return true;
  }
  if (error == EAGAIN) {
    return false;
  }
  // What else accept() may say concerns one connection that is already gone;
  // the next one may be well.
  const bool lost_one = error == ECONNABORTED || error == EPROTO ||
                        error == EPERM || error == ENETDOWN ||
                        error == ENETUNREACH || error == EHOSTDOWN ||
                        error == EHOSTUNREACH || error == ENONET ||
                        error == ENOPROTOOPT || error == EOPNOTSUPP;
  accept_errors_.fetch_add(1, std::memory_order_relaxed);
  if (const auto held_back = error_log_.Admit(clock_.RealNow())) {
    LogError("accepting failed", {{"error", std::strerror(error)},
                                  {"open", counts_.total()},
                                  {"held_back", *held_back}});
  }
  if (!lost_one) {
    // Not given up, whatever it is: tried again after a moment. Without the
    // moment, connections that wait would keep this thread spinning.
    Arm(false);
  }
  return lost_one;
}

absl::optional<int> Listener::RefuseOneWithoutDescriptor() {
  if (!spare_.is_open()) {
    spare_ = OpenSpare();
  }
  if (!spare_.is_open()) {
    return absl::nullopt;
  }
  spare_.Close();
  sockaddr_storage storage = {};
  socklen_t size = sizeof(storage);
  UniqueFd connection(accept4(listening_.get(),
                              reinterpret_cast<sockaddr*>(&storage), &size,
                              SOCK_NONBLOCK | SOCK_CLOEXEC));
  const int result = connection.is_open() ? kRefused : errno;
  if (connection.is_open()) {
    Refuse(std::move(connection), SocketAddress(storage), "no descriptor left",
           refused_descriptors_);
  }
  spare_ = OpenSpare();
  return result;
}

bool Listener::WatchForEnd(int connection, const NetworkKey& network) {
  UniqueFd duplicate(fcntl(connection, F_DUPFD_CLOEXEC, 0));
  if (!duplicate.is_open()) {
    return false;
  }
  epoll_event event = {};
  // Hang-up is always told; nothing else is asked for, so data that arrives
  // does not wake this thread. Edge-triggered, because an error without
  // hang-up must not wake it again and again.
  event.events = EPOLLET;
  event.data.fd = duplicate.get();
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, duplicate.get(), &event) != 0) {
    return false;
  }
  watched_.emplace(duplicate.Release(), network);
  return true;
}

void Listener::ForgetEnded(int watched) {
  const auto found = watched_.find(watched);
  if (found == watched_.end()) {
    return;
  }
  counts_.Release(found->second);
  open_.store(counts_.total(), std::memory_order_relaxed);
  watched_.erase(found);
  close(watched);
}

void Listener::Arm(bool armed) {
  if (armed == armed_) {
    return;
  }
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.fd = listening_.get();
  const int done =
      epoll_ctl(epoll_.get(), armed ? EPOLL_CTL_ADD : EPOLL_CTL_DEL,
                listening_.get(), &event);
  // Unarmed, it is tried again after kBackOffMs.
  armed_ = armed && done == 0;
}

}  // namespace lifesign
