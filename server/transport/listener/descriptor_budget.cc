// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/listener/descriptor_budget.h"

#include <sys/resource.h>

#include <algorithm>
#include <limits>

namespace lifesign {
namespace {

// The connection itself, and the duplicate by which its end is seen.
constexpr std::int64_t kDescriptorsPerConnection = 2;
// Logs, epoll sets, snapshots, the library's own.
constexpr std::int64_t kDescriptorsForTheRest = 128;

}  // namespace

std::int64_t RaiseDescriptorLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return 0;
  }
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  const bool raised = setrlimit(RLIMIT_NOFILE, &limit) == 0;
  const rlim_t holds = raised ? limit.rlim_max : before;
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  return holds > static_cast<rlim_t>(kMost) ? kMost
                                            : static_cast<std::int64_t>(holds);
}

int ConnectionBudget(std::int64_t descriptors) {
  const std::int64_t connections =
      (descriptors - kDescriptorsForTheRest) / kDescriptorsPerConnection;
  return static_cast<int>(std::clamp<std::int64_t>(
      connections, 1, std::numeric_limits<int>::max()));
}

}  // namespace lifesign
