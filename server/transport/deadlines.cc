// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/deadlines.h"

#include <vector>

#include "server/base/limits.h"

namespace lifesign {

Deadlines::Deadline::~Deadline() { deadlines_.Cancel(*this); }

Deadlines::Deadlines(PresenceTime now)
    : wheel_(now.time_since_epoch().count()) {}

void Deadlines::File(Deadline& deadline,
                     const std::weak_ptr<Listener>& listener, PresenceTime at) {
  MutexLock lock(mutex_);
  deadline.listener_ = listener;
  wheel_.File(deadline, at.time_since_epoch().count());
}

void Deadlines::Cancel(Deadline& deadline) {
  MutexLock lock(mutex_);
  wheel_.Cancel(deadline);
}

void Deadlines::Fire(const Now& now) {
  std::vector<std::shared_ptr<Listener>> due;
  bool more = true;
  while (more) {
    {
      MutexLock lock(mutex_);
      int budget = limits::kDeadlinesPerLock;
      while (auto* timer = wheel_.PopDue(
                 now.presence.time_since_epoch().count(), budget)) {
        // Locked while its owner cannot be destroyed: ~Deadline waits for us.
        auto listener = static_cast<Deadline*>(timer)->listener_.lock();
        if (listener != nullptr) due.push_back(std::move(listener));
      }
      more = budget == 0;
    }
    for (const auto& listener : due) listener->OnDeadline(now);
    due.clear();
  }
}

}  // namespace lifesign
