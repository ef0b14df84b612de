// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/watch/watch.h"

#include <utility>

namespace lifesign {

void Watch::Hold() {
  MutexLock lock(mutex_);
  if (holds_++ == 0) self_ = shared_from_this();
}

void Watch::LetGo() {
  // Destroyed after the lock, and this with it, if nobody else has it.
  std::shared_ptr<Watch> last;
  MutexLock lock(mutex_);
  if (--holds_ == 0) last = std::move(self_);
}

Watch::Taken Watch::Take(std::size_t most) {
  MutexLock lock(mutex_);
  Taken taken;
  taken.mail = mailbox_.Take(most);
  taken.all = mailbox_.empty();
  taken.lost = mailbox_.full();
  if (taken.all && !taken.lost) {
    generation_.fetch_add(1, std::memory_order_relaxed);
  }
  taken.whole = std::move(whole_);
  taken.ended = ended_;
  NoteMail();
  return taken;
}

void Watch::NoteMail() {
  const bool full = mailbox_.full();
  has_mail_.store(full || !mailbox_.empty() || whole_ != nullptr || ended_,
                  std::memory_order_release);
  full_.store(full, std::memory_order_relaxed);
}

void Watch::OpenMailbox() {
  MutexLock lock(mutex_);
  mailbox_.Open();
  generation_.fetch_add(1, std::memory_order_relaxed);
  NoteMail();
}

Watch::Left Watch::Deliver(PublishedChangePtr change) {
  MutexLock lock(mutex_);
  const bool had_mail = HasMail();
  mailbox_.Put(std::move(change));
  NoteMail();
  return {!had_mail && HasMail(), generation()};
}

bool Watch::DeliverWhole(std::shared_ptr<const void> whole) {
  MutexLock lock(mutex_);
  const bool had_mail = HasMail();
  whole_ = std::move(whole);
  NoteMail();
  return !had_mail;
}

bool Watch::End() {
  MutexLock lock(mutex_);
  const bool had_mail = HasMail();
  ended_ = true;
  NoteMail();
  return !had_mail;
}

void Watch::Wake() {
  if (const auto listener = listener_.lock()) listener->OnMail();
}

void Watch::Drop(absl::string_view user) {
  MutexLock lock(mutex_);
  mailbox_.Drop(user);
  NoteMail();
}

}  // namespace lifesign
