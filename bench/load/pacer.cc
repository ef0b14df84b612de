// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/load/pacer.h"

#include <thread>

namespace lifesign::bench {

SteadyTime Pacer::Next() {
  const SteadyTime intended =
      start_ + std::chrono::nanoseconds(static_cast<std::int64_t>(
                   period_ns_ * static_cast<double>(given_)));
  ++given_;
  if (intended > SteadyNow()) std::this_thread::sleep_until(intended);
  return intended;
}

}  // namespace lifesign::bench
