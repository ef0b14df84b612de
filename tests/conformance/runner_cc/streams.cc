// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/conformance/runner_cc/streams.h"

#include <grpcpp/impl/codegen/client_unary_call.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/slice.h>

#include <chrono>
#include <utility>

namespace lifesign::conformance {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);
constexpr char kHeartbeat[] = "/lifesign.v1.PresenceService/Heartbeat";

}  // namespace

void LimitPatience(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
}

grpc::ByteBuffer BytesOf(const std::string& text) {
  const grpc::Slice slice(text);
  return {&slice, 1};
}

HeartbeatStream::HeartbeatStream(const std::shared_ptr<grpc::Channel>& channel,
                                 v1::PresenceService::Stub& stub, bool raw) {
  LimitPatience(context_);
  if (raw) {
    // What generated clients are made of, for messages that are no messages.
    const grpc::internal::RpcMethod method(
        kHeartbeat, grpc::internal::RpcMethod::BIDI_STREAMING, channel);
    raw_.reset(grpc::internal::ClientReaderWriterFactory<
               grpc::ByteBuffer, grpc::ByteBuffer>::Create(channel.get(),
                                                           method, &context_));
  } else {
    typed_ = stub.Heartbeat(&context_);
  }
}

HeartbeatStream::~HeartbeatStream() {
  if (ended_) return;
  Cancel();
  End();
}

void HeartbeatStream::Send(const v1::HeartbeatRequest& request) {
  if (typed_ != nullptr) {
    typed_->Write(request);
  } else {
    SendBytes(request.SerializeAsString());
  }
}

void HeartbeatStream::SendBytes(const std::string& bytes) {
  raw_->Write(BytesOf(bytes));
}

bool HeartbeatStream::Next(Value& response) {
  v1::HeartbeatResponse message;
  if (typed_ != nullptr) {
    if (!typed_->Read(&message)) return false;
  } else {
    grpc::ByteBuffer bytes;
    if (!raw_->Read(&bytes)) return false;
    if (!grpc::SerializationTraits<v1::HeartbeatResponse>::Deserialize(&bytes,
                                                                       &message)
             .ok()) {
      return false;
    }
  }
  response = OfAnswer(std::move(message));
  return true;
}

void HeartbeatStream::HalfClose() {
  if (typed_ != nullptr) {
    typed_->WritesDone();
  } else {
    raw_->WritesDone();
  }
}

grpc::Status HeartbeatStream::End() {
  ended_ = true;
  return typed_ != nullptr ? typed_->Finish() : raw_->Finish();
}

Await::Await(v1::PresenceService::Stub& stub,
             v1::AwaitPresenceRequest request) {
  LimitPatience(context_);
  status_ = std::async(
      std::launch::async, [this, &stub, request = std::move(request)] {
        return stub.AwaitPresence(&context_, request, &answer_);
      });
}

Await::~Await() {
  if (status_.valid()) context_.TryCancel();
}

grpc::Status Await::End(Value& answer) {
  const grpc::Status status = status_.get();
  if (status.ok()) answer = OfMessage(answer_);
  return status;
}

Watch::Watch(v1::PresenceService::Stub& stub,
             const v1::WatchPresenceRequest& request) {
  LimitPatience(context_);
  watch_ = stub.WatchPresence(&context_, request);
}

Watch::Watch(v1::PresenceService::Stub& stub) {
  LimitPatience(context_);
  follow_ = stub.FollowPresence(&context_);
}

Watch::~Watch() {
  if (ended_) return;
  context_.TryCancel();
  End();
}

void Watch::Send(const v1::FollowPresenceRequest& request) {
  follow_->Write(request);
}

bool Watch::Next(Value& response) {
  v1::WatchPresenceResponse message;
  if (follows() ? !follow_->Read(&message) : !watch_->Read(&message)) {
    return false;
  }
  response = OfAnswer(std::move(message));
  return true;
}

bool Watch::NextPart(std::string& name, Value& content) {
  while (parts_.empty()) {
    Value response;
    if (!Next(response)) return false;
    TakeApart(response);
  }
  name = std::move(parts_.front().first);
  content = std::move(parts_.front().second);
  parts_.pop_front();
  return true;
}

void Watch::TakeApart(const Value& response) {
  for (const char* name :
       {"created", "resync", "snapshot", "changes", "synced", "progress",
        "occupancy", "intents", "refused", "acked"}) {
    const Value* part = Find(response, name);
    if (part == nullptr) continue;
    if (!part->has_list_value()) {
      parts_.emplace_back(name, *part);
      continue;
    }
    for (const Value& record : part->list_value().values()) {
      parts_.emplace_back(name, record);
    }
  }
  if (const Value* token = Find(response, "resume_token")) token_ = *token;
}

grpc::Status Watch::End() {
  ended_ = true;
  return follows() ? follow_->Finish() : watch_->Finish();
}

}  // namespace lifesign::conformance
