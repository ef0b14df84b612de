// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The two threads of the client library, shared by all its objects in a
// process: one that minds the time, one that runs the callbacks of users. So a
// thousand sessions cost no thread, and a callback that takes its time delays
// other callbacks, but no heartbeat.
#ifndef LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_THREADS_H_
#define LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_THREADS_H_

#include <deque>
#include <memory>
#include <set>
#include <utility>

#include "server/base/clock.h"
#include "server/base/mutex.h"
#include "server/base/time.h"

namespace lifesign::client::internal {

// What both threads call. Held by shared pointers.
class ThreadTarget : public std::enable_shared_from_this<ThreadTarget> {
 public:
  virtual ~ThreadTarget();

  // The time it was filed for has come. On the timer thread.
  virtual void OnTimer() = 0;
  // It was posted. On the callback thread.
  virtual void RunCallbacks() = 0;

 private:
  friend class Threads;
  // When OnTimer is to be called; guarded by Threads::mutex_.
  RealTime filed_ = RealTime::max();
};

// Thread-safe. Its locks may be taken while any other of the library is held;
// it holds none while it calls a target.
class Threads {
 public:
  // The process's own: started with the first object, never stopped.
  static Threads& Get();

  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  RealTime Now() const { return clock_.RealNow(); }

  // Has target.OnTimer() called once at `when`, and not when it was filed for
  // before; max: not at all. It may be called later than asked, never earlier.
  void File(ThreadTarget& target, RealTime when);

  // Has target->RunCallbacks() called once.
  void Post(std::shared_ptr<ThreadTarget> target);

  // Whether the caller is the callback thread.
  static bool InCallback();

 private:
  Threads();

  void MindTime();
  void RunPosted();
  // Waits for the next target that is due, and takes it out.
  std::shared_ptr<ThreadTarget> NextDue();

  const SystemClock clock_;

  Mutex mutex_;
  CondVar earlier_;
  std::set<std::pair<RealTime, ThreadTarget*>> filed_ ABSL_GUARDED_BY(mutex_);

  Mutex posted_mutex_;
  CondVar posted_some_;
  std::deque<std::shared_ptr<ThreadTarget>> posted_
      ABSL_GUARDED_BY(posted_mutex_);
};

// Lets go of `last` on the callback thread, soon.
//
// For what a thread of gRPC's must not be the last to hold: a channel. With the
// last channel that is used with callbacks gRPC joins the threads that run
// them, and one that joins itself aborts the process.
void LetGo(std::shared_ptr<void> last);

}  // namespace lifesign::client::internal

#endif  // LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_THREADS_H_
