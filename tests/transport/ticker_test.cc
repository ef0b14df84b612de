// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/ticker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/base/clock.h"
#include "server/base/mutex.h"

namespace lifesign {
namespace {

using ::testing::ElementsAre;

constexpr Duration kPeriod = milliseconds(1);

// Stands still until it has been read so many times since it was moved: by then
// whoever would do something at once has done it.
class PatientClock final : public Clock {
 public:
  RealTime RealNow() const override {
    MutexLock lock(mutex_);
    ++reads_;
    read_.NotifyAll();
    return real_;
  }
  Reading Read() const override { return {RealNow(), WallTime()}; }

  // Moves without waiting.
  void Jump(Duration by) {
    MutexLock lock(mutex_);
    real_ += by;
  }
  void Advance(Duration by) {
    MutexLock lock(mutex_);
    real_ += by;
    reads_ = 0;
    while (reads_ < kReads) read_.Wait(mutex_);
  }

 private:
  static constexpr int kReads = 10;

  mutable Mutex mutex_;
  mutable CondVar read_;
  mutable int reads_ ABSL_GUARDED_BY(mutex_) = 0;
  RealTime real_ ABSL_GUARDED_BY(mutex_) = RealTime(seconds(1));
};

// § 2: deadlines fire from the tick after, so that what waited in the sockets
// is heard first.
TEST(TickerTest, AfterAFreezeTheNextTickIsAPeriodAway) {
  PatientClock clock;
  Mutex mutex;
  std::vector<Duration> ticks;
  {
    const RealTime start = clock.RealNow();
    const Ticker ticker(clock, kPeriod, [&] {
      const RealTime now = clock.RealNow();
      MutexLock lock(mutex);
      ticks.push_back(now - start);
    });
    clock.Advance(Duration(0));
    clock.Advance(seconds(300));
    clock.Advance(kPeriod);
    clock.Advance(kPeriod);
  }
  EXPECT_THAT(ticks, ElementsAre(seconds(300), seconds(300) + kPeriod,
                                 seconds(300) + 2 * kPeriod));
}

TEST(TickerTest, ATickThatTookLongIsFollowedByTheNextAtOnce) {
  PatientClock clock;
  Mutex mutex;
  int ticks = 0;
  {
    const Ticker ticker(clock, kPeriod, [&] {
      MutexLock lock(mutex);
      if (++ticks == 1) clock.Jump(3 * kPeriod);
    });
    clock.Advance(Duration(0));
    clock.Advance(kPeriod);
    clock.Advance(Duration(0));
  }
  EXPECT_EQ(ticks, 2);
}

}  // namespace
}  // namespace lifesign
