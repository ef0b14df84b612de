// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Work that is too long for a reaction.
#ifndef LIFESIGN_SERVER_TRANSPORT_CHORES_H_
#define LIFESIGN_SERVER_TRANSPORT_CHORES_H_

#include <deque>
#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"

namespace lifesign {

// One thread that does what it is given, one after another. gRPC runs all
// reactions of a process on a few threads, so what takes long (letting go of
// 20,000 sessions) happens here. Thread-safe.
class Chores {
 public:
  // `has_thread` false: whoever calls Drain does them.
  explicit Chores(bool has_thread = true);
  // Does what was given before it returns.
  ~Chores();
  Chores(const Chores&) = delete;
  Chores& operator=(const Chores&) = delete;

  void Add(std::function<void()> chore);

  // Returns when everything given before has been done.
  void Drain();
  // Whether there is nothing that Drain would do.
  bool idle();

 private:
  void Run();
  // Does the first that waits, if one does. Not on our thread.
  bool DoOne();

  Mutex mutex_;  // a leaf
  CondVar changed_;
  std::deque<std::function<void()>> waiting_ ABSL_GUARDED_BY(mutex_);
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // Last: it runs as soon as it is made. There may be none.
  std::thread thread_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_CHORES_H_
