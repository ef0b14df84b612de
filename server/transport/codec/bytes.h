// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Messages from and to the bytes that gRPC carries.
#ifndef LIFESIGN_SERVER_TRANSPORT_CODEC_BYTES_H_
#define LIFESIGN_SERVER_TRANSPORT_CODEC_BYTES_H_

#include <google/protobuf/arena.h>
#include <google/protobuf/message_lite.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

namespace lifesign {

// Where messages of one reaction live: one arena a thread, used again and
// again, so that the usual message is parsed without an allocation. What was
// created is gone when the outermost ScratchArena of the thread is.
class ScratchArena {
 public:
  ScratchArena();
  ~ScratchArena();
  ScratchArena(const ScratchArena&) = delete;
  ScratchArena& operator=(const ScratchArena&) = delete;

  template <typename Message>
  Message& Create() {
    return *google::protobuf::Arena::CreateMessage<Message>(arena_);
  }

 private:
  google::protobuf::Arena* const arena_;
};

// False if the bytes are not the message: malformed, or a text is not UTF-8.
bool ParseMessage(const grpc::ByteBuffer& bytes,
                  google::protobuf::MessageLite& message);

grpc::Slice SerializeToSlice(const google::protobuf::MessageLite& message);
grpc::ByteBuffer SerializeToBytes(const google::protobuf::MessageLite& message);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_CODEC_BYTES_H_
