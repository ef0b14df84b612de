// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/load/messages.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <string>

#include "absl/strings/str_format.h"

namespace lifesign::bench {
namespace {

// One life of the load: what reconnects is the same instance.
constexpr std::uint64_t kInstance = 0x6c696665'7369676e;

}  // namespace

std::string UserId(int user) { return absl::StrFormat("user-%011d", user); }
std::string SessionId(int session) { return absl::StrFormat("s%08d", session); }

grpc::ByteBuffer ToBytes(const google::protobuf::MessageLite& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

bool FromBytes(const grpc::ByteBuffer& bytes,
               google::protobuf::MessageLite& message) {
  grpc::Slice slice;
  if (!bytes.DumpToSingleSlice(&slice).ok()) return false;
  return message.ParseFromArray(slice.begin(), static_cast<int>(slice.size()));
}

v1::HeartbeatRequest Signals(absl::Span<const std::uint32_t> handles,
                             v1::SignalKind kind) {
  v1::HeartbeatRequest request;
  for (const std::uint32_t handle : handles) {
    v1::Signal& signal = *request.add_signals();
    signal.set_handle(handle);
    signal.set_kind(kind);
  }
  return request;
}

void AddOpen(std::uint32_t handle, int user, v1::HeartbeatRequest& to) {
  v1::Open& open = *to.add_opens();
  open.set_handle(handle);
  open.set_user_id(UserId(user));
  open.set_session_id(SessionId(user));
  open.set_kind(v1::SIGNAL_KIND_ACTIVE);
  open.mutable_options()->set_device_class(v1::DEVICE_CLASS_MOBILE);
  open.mutable_options()->set_instance(kInstance);
}

}  // namespace lifesign::bench
