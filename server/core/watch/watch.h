// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// One subscriber as the core sees it: a mailbox, and someone to wake.
#ifndef LIFESIGN_SERVER_CORE_WATCH_WATCH_H_
#define LIFESIGN_SERVER_CORE_WATCH_WATCH_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

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

// Thread-safe. Its mutex is a leaf: nothing is called while it is held. Made by
// std::make_shared.
class Watch : public std::enable_shared_from_this<Watch> {
 public:
  explicit Watch(std::weak_ptr<WatchListener> listener,
                 const WatchTerms& terms = {})
      : terms_(terms), listener_(std::move(listener)), mailbox_(terms) {}

  const WatchTerms& terms() const { return terms_; }

  // While more is held than let go of, it lives.
  void Hold();
  void LetGo();

  // What was taken at once.
  struct Taken {
    Mail mail;
    // Nothing waits any more.
    bool all = false;
    // The mailbox was full: what lay in it, and what came since, is not here
    // and will not come.
    bool lost = false;
    // Of the whole that is watched, as DeliverWhole left it last; null if it
    // was taken before.
    std::shared_ptr<const void> whole;
    // See End.
    bool ended = false;
  };
  // For its stream: takes up to `most` of what waits, oldest first.
  Taken Take(std::size_t most);
  // Whether Take has something to tell.
  bool HasMail() const { return has_mail_.load(std::memory_order_acquire); }
  // After a loss, or at first: from now on changes are taken in. To be called
  // before the users of this watch are copied (anew).
  void OpenMailbox();
  // Whether changes are lost now. For who is about to leave one, or is copying.
  bool IsFull() const { return full_.load(std::memory_order_relaxed); }

  // What became of a change that was left.
  struct Left {
    // There had been no mail and is now: the listener is to be woken.
    bool wake = false;
    // That it was left in.
    std::uint32_t generation = 0;
  };
  // For the publisher: leaves a change.
  Left Deliver(PublishedChangePtr change);
  // Likewise, a word about the whole that is watched, in the bytes that its
  // watchers share: it takes the place of the one before. Returns whether to
  // wake.
  bool DeliverWhole(std::shared_ptr<const void> whole);
  // Likewise: whatever is watched can be watched no longer, and nothing more
  // comes.
  bool End();
  // A number that rises whenever the mailbox is emptied: what was left in
  // earlier generations has been taken.
  std::uint32_t generation() const {
    return generation_.load(std::memory_order_relaxed);
  }
  void Wake();

  // For whoever copies a user's presence, under the shard's lock: what waits of
  // `user` is older than the copy.
  void Drop(absl::string_view user);

 private:
  void NoteMail() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const WatchTerms terms_;
  const std::weak_ptr<WatchListener> listener_;
  // Whether the mailbox has something to tell, and whether it is full, for who
  // need not know to the instant: whoever leaves the first change wakes the
  // listener after it.
  std::atomic<bool> has_mail_{false};
  std::atomic<bool> full_{false};
  std::atomic<std::uint32_t> generation_{1};
  Mutex mutex_;  // last: nothing is taken under it
  Mailbox mailbox_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const void> whole_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::size_t holds_ ABSL_GUARDED_BY(mutex_) = 0;
  // This, while it is held: who holds it may read it.
  std::shared_ptr<Watch> self_;

  friend class WatchRef;
};

// Keeps a watch alive, in one word instead of the two of a std::shared_ptr.
class WatchRef {
 public:
  WatchRef() = default;
  explicit WatchRef(const std::shared_ptr<Watch>& watch) : watch_(watch.get()) {
    watch_->Hold();
  }
  WatchRef(WatchRef&& other) noexcept
      : watch_(std::exchange(other.watch_, nullptr)) {}
  WatchRef& operator=(WatchRef&& other) noexcept {
    std::swap(watch_, other.watch_);
    return *this;
  }
  ~WatchRef() {
    if (watch_ != nullptr) watch_->LetGo();
  }

  Watch* get() const { return watch_; }
  Watch& operator*() const { return *watch_; }
  Watch* operator->() const { return watch_; }
  // REQUIRES: not empty.
  const std::shared_ptr<Watch>& shared() const { return watch_->self_; }

 private:
  Watch* watch_ = nullptr;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_WATCH_WATCH_H_
