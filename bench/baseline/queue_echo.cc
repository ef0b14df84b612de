// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/baseline/queue_echo.h"

#include <cstdint>

#include "bench/baseline/streams.h"

namespace lifesign::bench {
namespace {

// Calls that may come at the same moment.
constexpr int kWaitingCalls = 100;

// A stream, which the queue hands back with each operation that ends. Owns
// itself.
class QueueStream {
 public:
  QueueStream(grpc::AsyncGenericService& service,
              grpc::ServerCompletionQueue& queue)
      : service_(service), queue_(queue) {
    service_.RequestCall(&context_, &stream_, &queue_, &queue_, this);
  }

  void OnEvent(bool ok) {
    if (state_ == State::kFinishing) {
      delete this;
      return;
    }
    if (!ok) {
      state_ = State::kFinishing;
      stream_.Finish(grpc::Status::OK, this);
      return;
    }
    if (state_ == State::kReading) {
      Answer();
      return;
    }
    if (state_ == State::kWaiting) new QueueStream(service_, queue_);
    answer_.Clear();
    state_ = State::kReading;
    stream_.Read(&received_, this);
  }

 private:
  enum class State { kWaiting, kReading, kAnswering, kFinishing };

  void Answer() {
    auto& arena = FreshArena();
    Parse(
        received_,
        *google::protobuf::Arena::CreateMessage<v1::HeartbeatRequest>(&arena));
    received_.Clear();
    grpc::ByteBuffer answer = Answered(arena, ++messages_);
    answer_.Swap(&answer);
    state_ = State::kAnswering;
    stream_.Write(answer_, this);
  }

  grpc::AsyncGenericService& service_;
  grpc::ServerCompletionQueue& queue_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_{&context_};
  State state_ = State::kWaiting;
  grpc::ByteBuffer received_;
  grpc::ByteBuffer answer_;
  std::uint64_t messages_ = 0;
};

}  // namespace

QueueEcho::QueueEcho(grpc::ServerBuilder& builder)
    : queue_(builder.AddCompletionQueue()) {
  builder.RegisterAsyncGenericService(&service_);
}

void QueueEcho::Start() {
  thread_ = std::thread([this] { Run(); });
}

void QueueEcho::Run() {
  for (int i = 0; i < kWaitingCalls; ++i) new QueueStream(service_, *queue_);
  void* stream = nullptr;
  bool ok = false;
  while (queue_->Next(&stream, &ok)) {
    static_cast<QueueStream*>(stream)->OnEvent(ok);
  }
}

}  // namespace lifesign::bench
