// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The unary methods, from bytes to bytes.
#ifndef LIFESIGN_SERVER_TRANSPORT_UNARY_UNARY_CALLS_H_
#define LIFESIGN_SERVER_TRANSPORT_UNARY_UNARY_CALLS_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include "server/transport/server_parts.h"

namespace lifesign {

// Each answers one request at once, on the calling thread, in bounded time. On
// raw bytes, because gRPC answers UNIMPLEMENTED without a word where a typed
// request does not parse; here that is INVALID_ARGUMENT/MALFORMED_MESSAGE.
//
// Thread-safe, as far as `parts` are.
class UnaryCalls {
 public:
  // `parts` outlives it.
  explicit UnaryCalls(const ServerParts& parts) : parts_(parts) {}

  grpc::Status SendSignal(const grpc::ByteBuffer& request,
                          grpc::ByteBuffer& response) const;
  grpc::Status GetPresence(const grpc::ByteBuffer& request,
                           grpc::ByteBuffer& response) const;
  grpc::Status BatchGetPresences(const grpc::ByteBuffer& request,
                                 grpc::ByteBuffer& response) const;
  grpc::Status ListPresences(const grpc::ByteBuffer& request,
                             grpc::ByteBuffer& response) const;
  grpc::Status CountPresences(const grpc::ByteBuffer& request,
                              grpc::ByteBuffer& response) const;
  grpc::Status ListSessions(const grpc::ByteBuffer& request,
                            grpc::ByteBuffer& response) const;
  grpc::Status ExplainPresence(const grpc::ByteBuffer& request,
                               grpc::ByteBuffer& response) const;
  grpc::Status GetRoom(const grpc::ByteBuffer& request,
                       grpc::ByteBuffer& response) const;

 private:
  const ServerParts& parts_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_UNARY_UNARY_CALLS_H_
