// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Rounds of publishing, for who needs one now.
#ifndef LIFESIGN_SERVER_TRANSPORT_ROUNDS_H_
#define LIFESIGN_SERVER_TRANSPORT_ROUNDS_H_

namespace lifesign {

class Rounds {
 public:
  // One round on this thread: everything changed before is in its mailboxes,
  // and its watchers woken, when it returns. No lock of a stream is held.
  virtual void PublishNow() = 0;

 protected:
  ~Rounds() = default;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_ROUNDS_H_
