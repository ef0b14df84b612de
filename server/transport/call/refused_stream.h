// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A stream that is over before it began.
#ifndef LIFESIGN_SERVER_TRANSPORT_CALL_REFUSED_STREAM_H_
#define LIFESIGN_SERVER_TRANSPORT_CALL_REFUSED_STREAM_H_

#include <grpcpp/support/status.h>

#include <utility>

#include "server/transport/call/stream_port.h"

namespace lifesign {

class RefusedStream final : public StreamLogic {
 public:
  explicit RefusedStream(grpc::Status status) : status_(std::move(status)) {}

  void Start(StreamPort& port) { port.Finish(status_); }

  void OnRead(const grpc::ByteBuffer&) override {}
  void OnReadsDone() override {}
  void OnWritten(bool) override {}
  void OnCancelled() override {}
  void OnDone() override {}

 private:
  const grpc::Status status_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_CALL_REFUSED_STREAM_H_
