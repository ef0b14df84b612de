// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Notices when many sessions fall silent together: a network that parted, a
// proxy that died, rather than people who left. docs/concepts.md § 5.
#ifndef LIFESIGN_SERVER_CORE_SESSION_SILENCE_WATCH_H_
#define LIFESIGN_SERVER_CORE_SESSION_SILENCE_WATCH_H_

#include <cstdint>
#include <deque>

#include "server/base/limits.h"
#include "server/core/time.h"

namespace lifesign {

// Only tells; it changes nothing. Not thread-safe: the ticking thread's.
class SilenceWatch {
 public:
  // `fell_stale` of `sessions` fell STALE in this tick. Returns true when more
  // than limits::kMassSilencePercent have within limits::kMassSilenceWindow;
  // not again until they have not.
  bool Observe(int fell_stale, std::int64_t sessions, PresenceTime now) {
    if (fell_stale > 0) {
      recent_.push_back({now, fell_stale});
      fell_ += fell_stale;
    }
    while (!recent_.empty() &&
           now - recent_.front().at >= limits::kMassSilenceWindow) {
      fell_ -= recent_.front().sessions;
      recent_.pop_front();
    }
    const bool mass = sessions >= limits::kMassSilenceLeastSessions &&
                      fell_ * 100 > sessions * limits::kMassSilencePercent;
    const bool news = mass && !told_;
    told_ = mass;
    return news;
  }

  // Fell STALE within the window.
  std::int64_t fell() const { return fell_; }

 private:
  struct Fall {
    PresenceTime at;
    std::int64_t sessions;
  };
  std::deque<Fall> recent_;
  std::int64_t fell_ = 0;
  bool told_ = false;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_SESSION_SILENCE_WATCH_H_
