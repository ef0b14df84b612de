// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/ops/drain/termination_signals.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cassert>
#include <utility>

#include "server/ops/exit_codes.h"

namespace lifesign {
namespace {

constexpr int kForeverMs = -1;

// Blocks the signals for this thread and those it starts, and opens a
// descriptor that tells them.
UniqueFd BlockAndWatch() {
  signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return UniqueFd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

}  // namespace

TerminationSignals::TerminationSignals(std::function<void(int number)> on_first)
    : on_first_(std::move(on_first)),
      signals_(BlockAndWatch()),
      stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this] { Run(); }) {
  assert(signals_.is_open() && stop_.is_open());
  pthread_setname_np(thread_.native_handle(), "signals");
}

TerminationSignals::~TerminationSignals() {
  eventfd_write(stop_.get(), 1);
  thread_.join();
}

void TerminationSignals::Run() {
  bool asked = false;
  pollfd watched[] = {{signals_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
  for (;;) {
    poll(watched, 2, kForeverMs);
    if (watched[1].revents != 0) {
      return;
    }
    signalfd_siginfo received = {};
    if (read(signals_.get(), &received, sizeof(received)) !=
        static_cast<ssize_t>(sizeof(received))) {
      continue;
    }
    const int number = static_cast<int>(received.ssi_signo);
    if (asked) {
      _exit(kExitSignalBase + number);
    }
    asked = true;
    on_first_(number);
  }
}

}  // namespace lifesign
