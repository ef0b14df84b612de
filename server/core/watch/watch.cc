// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/watch/watch.h"

#include <utility>

namespace lifesign {

Mail Watch::Take(std::size_t most) {
  MutexLock lock(mutex_);
  Mail mail = mailbox_.Take(most);
  NoteMail();
  return mail;
}

void Watch::NoteMail() {
  has_mail_.store(!mailbox_.empty(), std::memory_order_release);
}

bool Watch::Deliver(PublishedChangePtr change) {
  MutexLock lock(mutex_);
  const bool was_empty = mailbox_.empty();
  mailbox_.Put(std::move(change));
  NoteMail();
  return was_empty && !mailbox_.empty();
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
