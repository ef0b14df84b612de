// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The shard's changes on their way out, in the order of their revisions.
// docs/concepts.md § 8.
#ifndef LIFESIGN_SERVER_CORE_WATCH_OUTBOX_H_
#define LIFESIGN_SERVER_CORE_WATCH_OUTBOX_H_

#include <utility>
#include <vector>

#include "server/core/watch/change.h"
#include "server/core/watch/revision_clock.h"

namespace lifesign {

// Hands out revisions and keeps changes until the publisher takes them.
//
// Not thread-safe: its shard guards it, so that the order of revisions is the
// order in the outbox.
class Outbox {
 public:
  Outbox(Revision epoch, RealTime start)
      : revisions_(epoch, start), beside_(epoch, start) {}

  // See RevisionClock.
  Revision Next(RealTime now) { return revisions_.Next(now); }
  Revision last() const { return revisions_.last(); }
  Revision Watermark(RealTime now) { return revisions_.Watermark(now); }

  // Of what only those are told who see through: a revision above every one
  // that Next and Beside handed out, or Watermark promised. For Next it does
  // not exist: what the public is told must not depend on it.
  Revision Beside(RealTime now) {
    beside_.Raise(revisions_.last());
    return beside_.Next(now);
  }
  Revision last_beside() const { return beside_.last(); }

  void Put(Change&& change) { changes_.push_back(std::move(change)); }
  std::vector<Change> TakeAll() { return std::exchange(changes_, {}); }

 private:
  RevisionClock revisions_;
  RevisionClock beside_;
  std::vector<Change> changes_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_WATCH_OUTBOX_H_
