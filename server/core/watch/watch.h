// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// One subscriber as the core sees it: a mailbox, and someone to wake.
#ifndef LIFESIGN_SERVER_CORE_WATCH_WATCH_H_
#define LIFESIGN_SERVER_CORE_WATCH_WATCH_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "server/base/mutex.h"
#include "server/core/watch/change.h"
#include "server/core/watch/mailbox.h"

namespace lifesign {

// Told that there is mail. Called on the publisher's thread with no lock of the
// core held; must not block.
class WatchListener {
 public:
  virtual ~WatchListener() = default;
  virtual void OnMail() = 0;
};

// Thread-safe. Its mutex is a leaf: nothing is called while it is held.
class Watch {
 public:
  explicit Watch(std::weak_ptr<WatchListener> listener)
      : listener_(std::move(listener)) {}

  // For its stream: takes up to `most` of what waits, oldest first.
  Mail Take(std::size_t most);
  bool HasMail() const { return has_mail_.load(std::memory_order_acquire); }

  // For the publisher: leaves a change. Returns true if the mailbox had been
  // empty and is not any more: then the listener is to be woken.
  bool Deliver(PublishedChangePtr change);
  void Wake();

  // For whoever copies a user's presence, under the shard's lock: what waits of
  // `user` is older than the copy.
  void Drop(absl::string_view user);

 private:
  void NoteMail() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::weak_ptr<WatchListener> listener_;
  // Whether the mailbox holds anything, for who need not know to the instant:
  // whoever leaves the first change wakes the listener after it.
  std::atomic<bool> has_mail_{false};
  Mutex mutex_;  // last: nothing is taken under it
  Mailbox mailbox_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_WATCH_WATCH_H_
