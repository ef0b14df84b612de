// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Where revisions come from. docs/concepts.md § 8.
#ifndef LIFESIGN_SERVER_CORE_WATCH_REVISION_CLOCK_H_
#define LIFESIGN_SERVER_CORE_WATCH_REVISION_CLOCK_H_

#include <algorithm>
#include <cstdint>

#include "server/core/time.h"
#include "server/core/watch/change.h"

namespace lifesign {

// A revision is max(last + 1, epoch + monotonic µs): it rises strictly, also
// when many changes share a microsecond, and needs no memory of the last run.
//
// Not thread-safe: whoever orders the changes guards it.
class RevisionClock {
 public:
  RevisionClock(Revision epoch, RealTime start)
      : epoch_(epoch), start_(start), last_(epoch) {}

  // The next revision at `now`.
  Revision Next(RealTime now) {
    last_ = std::max(last_ + 1, At(now));
    return last_;
  }

  // The newest one handed out or promised (Watermark).
  Revision last() const { return last_; }

  // What comes is above `revision`.
  void Raise(Revision revision) { last_ = std::max(last_, revision); }

  // A revision at or above every one handed out and below every one to come.
  Revision Watermark(RealTime now) {
    last_ = std::max(last_, At(now));
    return last_;
  }

 private:
  Revision At(RealTime now) const {
    return epoch_ + static_cast<Revision>(
                        std::max<std::int64_t>((now - start_).count(), 0));
  }

  Revision epoch_;
  RealTime start_;
  Revision last_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_WATCH_REVISION_CLOCK_H_
