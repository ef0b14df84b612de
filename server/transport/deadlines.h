// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The transport's deadlines: answers due, stalled writes, waits.
#ifndef LIFESIGN_SERVER_TRANSPORT_DEADLINES_H_
#define LIFESIGN_SERVER_TRANSPORT_DEADLINES_H_

#include <memory>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"
#include "server/base/timing_wheel.h"
#include "server/core/time.h"

namespace lifesign {

// A timing wheel driven by the same tick as the core's. On presence time: what
// a frozen process missed must not look like a client that was slow. (Not
// grpc::Alarm, which runs on real time and cannot be tested.)
//
// Thread-safe; its mutex is a leaf. Outlives its deadlines.
class Deadlines {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    // On the ticking thread, with no lock held. May come early, when the
    // deadline was filed anew meanwhile: look at the time.
    virtual void OnDeadline(const Now& now) = 0;
  };

  // One deadline of one listener.
  class Deadline : private TimingWheel::Timer {
   public:
    explicit Deadline(Deadlines& deadlines) : deadlines_(deadlines) {}
    ~Deadline();

   private:
    friend class Deadlines;
    Deadlines& deadlines_;
    std::weak_ptr<Listener> listener_;
  };

  explicit Deadlines(PresenceTime now);

  // Files `deadline`, or files it anew.
  void File(Deadline& deadline, const std::weak_ptr<Listener>& listener,
            PresenceTime at);
  void Cancel(Deadline& deadline);

  // Tells everyone whose deadline has come. One call at a time.
  void Fire(const Now& now);

 private:
  Mutex mutex_;  // a leaf
  TimingWheel wheel_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_DEADLINES_H_
