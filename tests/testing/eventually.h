// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Waiting in tests for what another thread does.
#ifndef LIFESIGN_TESTS_TESTING_EVENTUALLY_H_
#define LIFESIGN_TESTS_TESTING_EVENTUALLY_H_

#include "server/base/clock.h"
#include "server/base/mutex.h"
#include "server/base/time.h"

namespace lifesign::testing {

// Whether `condition` becomes true within `patience` of real time. For
// conditions that nobody announces, such as a counter; prefer a notification
// where there is one. The patience is for a machine that is busy: a test that
// passes does not wait for it.
template <typename Condition>
bool Eventually(Condition condition, Duration patience = seconds(20)) {
  const SystemClock clock;
  const RealTime deadline = clock.RealNow() + patience;
  Mutex mutex;
  CondVar never;
  MutexLock lock(mutex);
  while (!condition()) {
    if (clock.RealNow() >= deadline) {
      return condition();
    }
    // Lets the other thread have the core.
    never.WaitFor(mutex, milliseconds(1));
  }
  return true;
}

}  // namespace lifesign::testing

#endif  // LIFESIGN_TESTS_TESTING_EVENTUALLY_H_
