// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The messages of our load, made once and sent many times.
#ifndef LIFESIGN_BENCH_LOAD_MESSAGES_H_
#define LIFESIGN_BENCH_LOAD_MESSAGES_H_

#include <grpcpp/support/byte_buffer.h>

#include <cstdint>
#include <string>

#include "absl/types/span.h"
#include "lifesign/v1/presence_service.pb.h"

namespace lifesign::bench {

// Ids of a usual length (a UUID without hyphens is 32 characters, most are
// shorter): 16 characters for a user, 9 for a session.
std::string UserId(int user);
std::string SessionId(int session);

// Handles begin at 1.
inline std::uint32_t HandleOf(int user) {
  return static_cast<std::uint32_t>(user) + 1;
}
inline int UserWithHandle(std::uint32_t handle) {
  return static_cast<int>(handle) - 1;
}

grpc::ByteBuffer ToBytes(const google::protobuf::MessageLite& message);
// False if it is none: our own servers never send such.
bool FromBytes(const grpc::ByteBuffer& bytes,
               google::protobuf::MessageLite& message);

// One signal of `kind` for each of `handles`.
v1::HeartbeatRequest Signals(absl::Span<const std::uint32_t> handles,
                             v1::SignalKind kind);
// Binds `handle` to the session of user `user`, who is active.
void AddOpen(std::uint32_t handle, int user, v1::HeartbeatRequest& to);

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_LOAD_MESSAGES_H_
