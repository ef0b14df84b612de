// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What goes into one message of a watch.
#ifndef LIFESIGN_SERVER_TRANSPORT_WATCH_WATCH_DRAFT_H_
#define LIFESIGN_SERVER_TRANSPORT_WATCH_WATCH_DRAFT_H_

#include <grpcpp/support/byte_buffer.h>

#include <cstddef>

#include "lifesign/v1/presence_service.pb.h"
#include "server/core/watch/mailbox.h"
#include "server/transport/codec/bytes.h"
#include "server/transport/codec/encode.h"

namespace lifesign {

// Not thread-safe. Lives as long as its arena.
struct WatchDraft {
  explicit WatchDraft(ScratchArena& arena)
      : head(arena.Create<v1::WatchPresenceResponse>()),
        tail(arena.Create<v1::WatchPresenceResponse>()) {}

  // Whether there is anything to say of users or time.
  bool tells() const {
    return told() > 0 || !changes.empty() || tail.ByteSizeLong() > 0 ||
           whole != nullptr;
  }
  bool empty() const { return !tells() && head.ByteSizeLong() == 0; }

  // The number of records that are encoded for this watch alone.
  std::size_t told() const {
    return static_cast<std::size_t>(head.snapshot_size() + head.changes_size());
  }

  grpc::ByteBuffer Join(Detail detail) const {
    return JoinWatchResponse(head, changes, detail, tail, whole.get());
  }

  // Fields up to `changes`; of these, what was copied for this watch.
  v1::WatchPresenceResponse& head;
  // Shared with others.
  Mail changes;
  // Fields after it.
  v1::WatchPresenceResponse& tail;
  // Shared with others: how many are in a room. Null: not told.
  std::shared_ptr<const void> whole;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_WATCH_WATCH_DRAFT_H_
