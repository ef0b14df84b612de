// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Whom to wake once no lock is held.
#ifndef LIFESIGN_SERVER_CORE_TO_WAKE_H_
#define LIFESIGN_SERVER_CORE_TO_WAKE_H_

#include <memory>
#include <vector>

#include "server/core/query/await.h"
#include "server/core/watch/watch.h"

namespace lifesign {

// Who was left something, or was decided, in a round of publishing.
struct ToWake {
  std::vector<std::shared_ptr<Watch>> watches;
  std::vector<std::shared_ptr<Await>> awaits;

  void WakeAll() const {
    for (const std::shared_ptr<Watch>& watch : watches) watch->Wake();
    for (const std::shared_ptr<Await>& await : awaits) await->Wake();
  }
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_TO_WAKE_H_
