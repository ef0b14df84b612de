// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The shard's changes on their way out, in the order of their revisions.
// docs/concepts.md § 8.
#ifndef LIFESIGN_SERVER_CORE_WATCH_OUTBOX_H_
#define LIFESIGN_SERVER_CORE_WATCH_OUTBOX_H_

#include <algorithm>
#include <utility>
#include <vector>

#include "server/core/watch/change.h"

namespace lifesign {

// Hands out revisions and keeps changes until the publisher takes them.
//
// A revision is max(last + 1, epoch + monotonic µs): it rises strictly, also
// when many changes share a microsecond, and needs no memory of the last run.
//
// Not thread-safe: its shard guards it, so that the order of revisions is the
// order in the outbox.
class Outbox {
 public:
  Outbox(Revision epoch, RealTime start)
      : epoch_(epoch), start_(start), last_(epoch) {}

  // The next revision at `now`.
  Revision Next(RealTime now) {
    last_ = std::max(last_ + 1, ClockRevision(now));
    return last_;
  }

  // The newest one handed out or promised (Watermark).
  Revision last() const { return last_; }

  // A revision at or above every one handed out and below every one to come.
  Revision Watermark(RealTime now) {
    last_ = std::max(last_, ClockRevision(now));
    return last_;
  }

  void Put(Change&& change) { changes_.push_back(std::move(change)); }
  std::vector<Change> TakeAll() { return std::exchange(changes_, {}); }

 private:
  Revision ClockRevision(RealTime now) const {
    return epoch_ + static_cast<Revision>(
                        std::max<std::int64_t>((now - start_).count(), 0));
  }

  const Revision epoch_;
  const RealTime start_;
  Revision last_;
  std::vector<Change> changes_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_WATCH_OUTBOX_H_
