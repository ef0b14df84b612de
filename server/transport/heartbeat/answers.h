// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What a heartbeat stream has to tell its client. docs/concepts.md § 12.
#ifndef LIFESIGN_SERVER_TRANSPORT_HEARTBEAT_ANSWERS_H_
#define LIFESIGN_SERVER_TRANSPORT_HEARTBEAT_ANSWERS_H_

#include <grpcpp/support/byte_buffer.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/optional.h"
#include "server/core/presence_state.h"
#include "server/core/signal/signal.h"
#include "server/transport/codec/api_error.h"

namespace lifesign {

// Waits until the client takes it, within bounds: at most one update a handle,
// the newest wins; at most limits::kMaxQueuedErrors errors once a client does
// not read, the oldest are dropped and counted. Takes no memory while there is
// nothing to tell. Not thread-safe.
class Answers {
 public:
  struct Opened {
    Attachment attachment;
    bool resumed;
    Duration report_after;
  };
  struct Update {
    std::uint32_t handle = 0;
    State state = State::kOffline;
    // Zero: none.
    Duration next_interval{0};
    absl::optional<Opened> opened;
  };

  // Replaces what waits for the same handle; what an open came to is kept until
  // it is told.
  void AddUpdate(const Update& update);

  // `message`: the number of the message that it answers, or 0.
  void AddError(std::uint64_t message, std::uint32_t handle,
                const ApiError& error);

  // Drops the oldest errors above limits::kMaxQueuedErrors: for a client that
  // does not read.
  void DropOldErrors();

  void SetDrain(Duration reconnect_delay);

  // Takes out the next response: everything that waits, but of the errors only
  // as many as fit. `acked`: messages dealt with; less is acknowledged while
  // errors of earlier messages wait.
  grpc::ByteBuffer Take(std::uint64_t acked);

  bool empty() const { return waiting_ == nullptr; }
  std::size_t updates() const {
    return waiting_ == nullptr ? 0 : waiting_->updates.size();
  }

 private:
  struct Error {
    std::uint64_t message;
    // As the field `errors` of a HeartbeatResponse.
    std::string wire;
  };
  struct Waiting {
    std::vector<Update> updates;
    // Index into updates; used once there are more than a few.
    absl::flat_hash_map<std::uint32_t, std::size_t> by_handle;
    std::deque<Error> errors;
    absl::optional<Duration> drain;
  };

  Waiting& Ensure();
  Update* FindUpdate(std::uint32_t handle);

  std::unique_ptr<Waiting> waiting_;
  // Over the life of the stream.
  std::uint64_t errors_dropped_ = 0;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_HEARTBEAT_ANSWERS_H_
