// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Carries events from the client library's threads to a loop that polls.
#ifndef LIFESIGN_CLIENT_CLI_TERMINAL_EVENT_QUEUE_H_
#define LIFESIGN_CLIENT_CLI_TERMINAL_EVENT_QUEUE_H_

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "server/base/mutex.h"
#include "server/base/unique_fd.h"

namespace lifesign::cli {

// Unbounded: its producers coalesce, and its consumer only prints. Thread-safe.
template <typename Event>
class EventQueue {
 public:
  EventQueue() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

  // Readable while something is in the queue.
  int fd() const { return fd_.get(); }

  void Push(Event event) {
    MutexLock lock(mutex_);
    events_.push_back(std::move(event));
    const std::uint64_t one = 1;
    // Fails only when the counter is full, and then it is readable anyway.
    [[maybe_unused]] const auto written = write(fd_.get(), &one, sizeof one);
  }

  std::vector<Event> TakeAll() {
    MutexLock lock(mutex_);
    std::uint64_t count = 0;
    [[maybe_unused]] const auto taken = read(fd_.get(), &count, sizeof count);
    return std::exchange(events_, {});
  }

 private:
  const UniqueFd fd_;

  Mutex mutex_;
  std::vector<Event> events_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lifesign::cli

#endif  // LIFESIGN_CLIENT_CLI_TERMINAL_EVENT_QUEUE_H_
