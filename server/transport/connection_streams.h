// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// How many streams each connection holds. docs/concepts.md § 14.
#ifndef LIFESIGN_SERVER_TRANSPORT_CONNECTION_STREAMS_H_
#define LIFESIGN_SERVER_TRANSPORT_CONNECTION_STREAMS_H_

#include <cstddef>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/node_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "server/base/mutex.h"
#include "server/base/time.h"

namespace lifesign {

// Counted by us, because calls above the HTTP/2 setting hang on the client
// without an error: ours is refused at once.
//
// Thread-safe. Outlives its slots.
class ConnectionStreams {
 public:
  // One stream that is counted; gives itself back.
  class Slot {
   public:
    Slot(Slot&& other) noexcept;
    Slot& operator=(Slot&&) = delete;
    ~Slot();

   private:
    friend class ConnectionStreams;
    using Entry = std::pair<const std::string, int>;
    Slot(ConnectionStreams* owner, Entry* entry)
        : owner_(owner), entry_(entry) {}

    ConnectionStreams* owner_;
    Entry* entry_;
  };

  explicit ConnectionStreams(int most) : most_(most) {}

  // A slot on the connection that gRPC calls `peer`, or none if it is full.
  absl::optional<Slot> Take(absl::string_view peer);

  int most() const { return most_; }
  // Connections that hold a stream.
  std::size_t connections() const;

  // Waits until no stream is left, for at most `timeout`. False if some are.
  bool AwaitNone(Duration timeout);

 private:
  void GiveBack(Slot::Entry* entry);

  const int most_;
  mutable Mutex mutex_;  // a leaf
  CondVar changed_;
  absl::node_hash_map<std::string, int> by_peer_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_CONNECTION_STREAMS_H_
