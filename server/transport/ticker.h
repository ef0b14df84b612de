// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The one timer of the server.
#ifndef LIFESIGN_SERVER_TRANSPORT_TICKER_H_
#define LIFESIGN_SERVER_TRANSPORT_TICKER_H_

#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "server/base/clock.h"
#include "server/base/mutex.h"

namespace lifesign {

// A thread that calls `on_tick` once a period, and never twice at a time: a
// tick that took long is followed by the next at once, those missed meanwhile
// are not made up for. After a tick that began late by a period or more, as
// when the process was frozen, the next is a whole period away: what waited in
// the sockets is heard between the two. Stops when destroyed.
class Ticker {
 public:
  // `clock` outlives it.
  Ticker(const Clock& clock, Duration period, std::function<void()> on_tick);
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

 private:
  void Run();

  const Clock& clock_;
  const Duration period_;
  const std::function<void()> on_tick_;

  Mutex mutex_;  // no other lock is taken while it is held
  CondVar stopped_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // Last: it runs as soon as it is made.
  std::thread thread_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_TICKER_H_
