// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The one base of gRPC reactors of calls that last.
#ifndef LIFESIGN_SERVER_TRANSPORT_CALL_CALL_REACTOR_H_
#define LIFESIGN_SERVER_TRANSPORT_CALL_CALL_REACTOR_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <utility>

#include "absl/types/optional.h"
#include "server/transport/call/stream_port.h"
#include "server/transport/connection_streams.h"
#include "server/transport/publisher.h"

#if defined(__SANITIZE_THREAD__)
#define LIFESIGN_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LIFESIGN_TSAN 1
#endif
#endif
#ifdef LIFESIGN_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace lifesign {

// Passes what a call says to its stream's logic and what the logic asks to the
// call. Decides nothing: the logic does, under its own lock. Owns itself: it is
// made when the call begins and deleted in OnDone, nowhere else.
//
// gRPC orders a reaction after the start of the operation that it ends, in a
// library that ThreadSanitizer does not see into: the annotations say so.
template <typename GrpcReactor>
class CallReactor : public GrpcReactor, public StreamPort {
 public:
  // REQUIRES: `context` is that of the call.
  CallReactor(grpc::CallbackServerContext& context,
              std::shared_ptr<StreamLogic> logic,
              absl::optional<ConnectionStreams::Slot> slot)
      : context_(context), slot_(std::move(slot)), logic_(std::move(logic)) {
    // A call may be cancelled before anything was started on it.
    BeforeStart();
  }

  void Finish(const grpc::Status& status) final {
    BeforeStart();
    GrpcReactor::Finish(status);
  }
  void Cancel() final {
    BeforeStart();
    context_.TryCancel();
  }

  void OnCancel() final {
    AfterStart();
    logic_->OnCancelled();
  }
  void OnDone() final {
    AfterStart();
    logic_->OnDone();
    delete this;
  }

 protected:
  ~CallReactor() override = default;

  StreamLogic& logic() { return *logic_; }

  void BeforeStart() {
#ifdef LIFESIGN_TSAN
    __tsan_release(this);
#endif
  }
  void AfterStart() {
#ifdef LIFESIGN_TSAN
    __tsan_acquire(this);
#endif
  }

 private:
  grpc::CallbackServerContext& context_;
  // Counts the stream on its connection as long as the call lasts.
  const absl::optional<ConnectionStreams::Slot> slot_;
  const std::shared_ptr<StreamLogic> logic_;
};

// A call on which the server streams.
template <typename GrpcReactor>
class StreamReactor : public CallReactor<GrpcReactor> {
 public:
  using CallReactor<GrpcReactor>::CallReactor;

  void Write(grpc::ByteBuffer message) final {
    message_.Swap(&message);
    this->BeforeStart();
    this->StartWrite(&message_);
  }
  void OnWriteDone(bool ok) final {
    this->AfterStart();
    message_.Clear();
    this->logic().OnWritten(ok);
  }

 protected:
  ~StreamReactor() override = default;

 private:
  // Of the write in flight, of which there is one at most.
  grpc::ByteBuffer message_;
};

// A call on which only the server streams.
class ServerStreamReactor final
    : public StreamReactor<grpc::ServerWriteReactor<grpc::ByteBuffer>> {
 public:
  using StreamReactor::StreamReactor;

  void Read() override {}

 private:
  ~ServerStreamReactor() override = default;
};

// A call on which both sides stream.
class BidiReactor final
    : public StreamReactor<
          grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>> {
 public:
  using StreamReactor::StreamReactor;

  void Read() override {
    BeforeStart();
    StartRead(&received_);
  }
  void OnReadDone(bool ok) override {
    AfterStart();
    if (!ok) {
      logic().OnReadsDone();
      return;
    }
    // Taken out first: the logic may ask for the next one.
    grpc::ByteBuffer message;
    message.Swap(&received_);
    const PublishAfter after;
    logic().OnRead(message);
  }

 private:
  ~BidiReactor() override = default;

  grpc::ByteBuffer received_;
};

// A unary call whose answer is waited for. What is written is sent with the
// end, if that is OK.
class UnaryReactor final : public CallReactor<grpc::ServerUnaryReactor> {
 public:
  // `response` is that of the call.
  UnaryReactor(grpc::CallbackServerContext& context,
               std::shared_ptr<StreamLogic> logic,
               absl::optional<ConnectionStreams::Slot> slot,
               grpc::ByteBuffer& response)
      : CallReactor(context, std::move(logic), std::move(slot)),
        response_(response) {}

  void Read() override {}
  void Write(grpc::ByteBuffer message) override { response_.Swap(&message); }

 private:
  ~UnaryReactor() override = default;

  grpc::ByteBuffer& response_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_CALL_CALL_REACTOR_H_
