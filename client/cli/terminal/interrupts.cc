// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/terminal/interrupts.h"

#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>

namespace lifesign::cli {
namespace {

sigset_t Ends() {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGHUP);
  return ends;
}

}  // namespace

Interrupts::Interrupts() {
  const sigset_t ends = Ends();
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  fd_ = UniqueFd(signalfd(-1, &ends, SFD_NONBLOCK | SFD_CLOEXEC));
}

Interrupts::~Interrupts() {
  const sigset_t ends = Ends();
  pthread_sigmask(SIG_UNBLOCK, &ends, nullptr);
}

int Interrupts::Take() {
  signalfd_siginfo taken = {};
  if (read(fd_.get(), &taken, sizeof taken) != sizeof taken) return 0;
  const sigset_t ends = Ends();
  pthread_sigmask(SIG_UNBLOCK, &ends, nullptr);
  return static_cast<int>(taken.ssi_signo);
}

}  // namespace lifesign::cli
