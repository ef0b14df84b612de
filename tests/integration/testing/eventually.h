// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Waiting for what another thread brings about.
#ifndef LIFESIGN_TESTS_INTEGRATION_TESTING_EVENTUALLY_H_
#define LIFESIGN_TESTS_INTEGRATION_TESTING_EVENTUALLY_H_

#include "server/base/clock.h"
#include "server/base/mutex.h"

namespace lifesign::testing {

// Real time after which what did not happen never will.
inline constexpr Duration kPatience = seconds(30);

// Waits, in real time, until `condition` holds, which is guarded by `mutex` and
// announced by `changed`. False if it never did.
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

// Likewise for what nobody announces: asks again and again.
template <typename Condition>
bool Eventually(const Condition& condition) {
  Mutex mutex;
  CondVar never;
  const SystemClock clock;
  const RealTime end = clock.RealNow() + kPatience;
  while (!condition()) {
    if (clock.RealNow() > end) return false;
    MutexLock lock(mutex);
    never.WaitFor(mutex, milliseconds(1));
  }
  return true;
}

}  // namespace lifesign::testing

#endif  // LIFESIGN_TESTS_INTEGRATION_TESTING_EVENTUALLY_H_
