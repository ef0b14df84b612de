// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Waiting in tests for what another thread does.
#ifndef LIFESIGN_TESTS_TESTING_EVENTUALLY_H_
#define LIFESIGN_TESTS_TESTING_EVENTUALLY_H_

#include "server/base/clock.h"
#include "server/base/mutex.h"
#include "server/base/time.h"

namespace lifesign::testing {

// Real time after which what did not happen never will. It is for a machine
// that is busy: a test that passes does not wait for it.
inline constexpr Duration kPatience = seconds(30);

// Waits until `condition` holds, which is guarded by `mutex` and announced by
// `changed`. False if it never did.
template <typename Condition>
bool AwaitLocked(Mutex& mutex, CondVar& changed,
                 const Condition& condition) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  const SystemClock clock;
  const RealTime end = clock.RealNow() + kPatience;
  while (!condition()) {
    const Duration left = end - clock.RealNow();
    if (left.count() <= 0) return false;
    changed.WaitFor(mutex, left);
  }
  return true;
}

// Likewise for what nobody announces, such as a counter: asks again and again.
// Prefer a notification where there is one.
template <typename Condition>
bool Eventually(const Condition& condition) {
  const SystemClock clock;
  const RealTime end = clock.RealNow() + kPatience;
  Mutex mutex;
  CondVar never;
  while (!condition()) {
    if (clock.RealNow() >= end) return condition();
    // Lets the other thread have the core.
    MutexLock lock(mutex);
    never.WaitFor(mutex, milliseconds(1));
  }
  return true;
}

}  // namespace lifesign::testing

#endif  // LIFESIGN_TESTS_TESTING_EVENTUALLY_H_
