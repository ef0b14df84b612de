// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/codec/bytes.h"

#include <array>
#include <climits>
#include <cstddef>
#include <cstdint>

namespace lifesign {
namespace {

// Holds a message of a thousand signals and more; a longer one takes more from
// the heap, which Reset gives back. Pages of it that nobody needs are never
// touched.
constexpr std::size_t kInitialBlockBytes = 128u << 10;

class ThreadArena {
 public:
  google::protobuf::Arena* Enter() {
    ++depth_;
    return &arena_;
  }
  void Leave() {
    if (--depth_ == 0) arena_.Reset();
  }

 private:
  static google::protobuf::ArenaOptions OptionsFor(char* block) {
    google::protobuf::ArenaOptions options;
    options.initial_block = block;
    options.initial_block_size = kInitialBlockBytes;
    return options;
  }

  alignas(std::max_align_t) std::array<char, kInitialBlockBytes> block_;
  google::protobuf::Arena arena_{OptionsFor(block_.data())};
  int depth_ = 0;
};

ThreadArena& OfThisThread() {
  thread_local ThreadArena arena;
  return arena;
}

}  // namespace

ScratchArena::ScratchArena() : arena_(OfThisThread().Enter()) {}

ScratchArena::~ScratchArena() { OfThisThread().Leave(); }

bool ParseMessage(const grpc::ByteBuffer& bytes,
                  google::protobuf::MessageLite& message) {
  // No slices: the empty message.
  if (!bytes.Valid() || bytes.Length() == 0) {
    message.Clear();
    return true;
  }
  grpc::Slice slice;
  if (!bytes.TrySingleSlice(&slice).ok() &&
      !bytes.DumpToSingleSlice(&slice).ok()) {
    return false;
  }
  if (slice.size() > INT_MAX) return false;
  return message.ParseFromArray(slice.begin(), static_cast<int>(slice.size()));
}

grpc::Slice SerializeToSlice(const google::protobuf::MessageLite& message) {
  grpc::Slice slice(message.ByteSizeLong());
  // A slice that nobody else holds yet may be written to.
  message.SerializeWithCachedSizesToArray(
      const_cast<std::uint8_t*>(slice.begin()));
  return slice;
}

grpc::ByteBuffer SerializeToBytes(
    const google::protobuf::MessageLite& message) {
  const grpc::Slice slice = SerializeToSlice(message);
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace lifesign
