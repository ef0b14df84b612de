// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/baseline/streams.h"

#include <google/protobuf/io/coded_stream.h>
#include <grpcpp/impl/codegen/proto_buffer_reader.h>

#include <array>
#include <cstdint>

namespace lifesign::bench {
namespace {

// Holds a message of 1,024 signals.
constexpr std::size_t kArenaBytes = 128 << 10;

}  // namespace

google::protobuf::Arena& FreshArena() {
  static thread_local std::array<char, kArenaBytes> block;
  static thread_local google::protobuf::Arena arena(block.data(), block.size());
  arena.Reset();
  return arena;
}

bool Parse(grpc::ByteBuffer& bytes, google::protobuf::MessageLite& message) {
  grpc::Slice slice;
  if (bytes.TrySingleSlice(&slice).ok()) {
    return message.ParseFromArray(slice.begin(),
                                  static_cast<int>(slice.size()));
  }
  grpc::ProtoBufferReader reader(&bytes);
  return message.ParseFromZeroCopyStream(&reader);
}

grpc::ByteBuffer Answered(google::protobuf::Arena& arena,
                          std::uint64_t messages) {
  auto* response =
      google::protobuf::Arena::CreateMessage<v1::HeartbeatResponse>(&arena);
  response->set_acked(messages);
  // Short enough to lie in the slice itself.
  std::array<std::uint8_t, 16> text;
  const std::size_t size = response->ByteSizeLong();
  response->SerializeWithCachedSizesToArray(text.data());
  const grpc::Slice slice(text.data(), size);
  return grpc::ByteBuffer(&slice, 1);
}

void Watch::Send(const grpc::ByteBuffer& message) {
  MutexLock lock(mutex_);
  if (ended_) return;
  if (writing_) {
    waiting_.push_back(message);
    return;
  }
  writing_ = true;
  sending_ = message;
  StartWrite(&sending_);
}

void Watch::OnWriteDone(bool ok) {
  MutexLock lock(mutex_);
  if (!ok || ended_ || waiting_.empty()) {
    writing_ = false;
    return;
  }
  sending_.Swap(&waiting_.front());
  waiting_.pop_front();
  StartWrite(&sending_);
}

void Watch::OnCancel() {
  MutexLock lock(mutex_);
  ended_ = true;
  Finish(grpc::Status::CANCELLED);
}

void Watch::OnDone() {}

Watch* Watches::Add() {
  MutexLock lock(mutex_);
  return &watches_.emplace_back();
}

void Watches::SendToAll(const grpc::ByteBuffer& message) {
  MutexLock lock(mutex_);
  for (Watch& watch : watches_) watch.Send(message);
}

}  // namespace lifesign::bench
