// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/integration/testing/heartbeat_client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "tests/testing/eventually.h"

namespace lifesign::testing {

HeartbeatClient::HeartbeatClient(const std::shared_ptr<grpc::Channel>& channel)
    : stub_(v1::PresenceService::NewStub(channel)),
      stream_(stub_->Heartbeat(&context_)),
      reader_([this] { ReadAll(); }) {}

HeartbeatClient::~HeartbeatClient() {
  context_.TryCancel();
  reader_.join();
}

void HeartbeatClient::ReadAll() {
  v1::HeartbeatResponse response;
  while (stream_->Read(&response)) {
    MutexLock lock(mutex_);
    acked_ = std::max<std::uint64_t>(acked_, response.acked());
    responses_.push_back(std::move(response));
    changed_.NotifyAll();
  }
  const grpc::Status status = stream_->Finish();
  MutexLock lock(mutex_);
  status_ = status;
  ended_ = true;
  changed_.NotifyAll();
}

std::uint64_t HeartbeatClient::Send(const v1::HeartbeatRequest& request) {
  stream_->Write(request);
  return ++sent_;
}

std::vector<v1::HeartbeatError> HeartbeatClient::Ask(
    v1::HeartbeatRequest request) {
  request.set_answer_now(true);
  const std::uint64_t number = Send(request);
  EXPECT_TRUE(AwaitAcked(number)) << "message " << number << " not answered";
  std::vector<v1::HeartbeatError> answers;
  for (const v1::HeartbeatError& error : errors()) {
    if (error.message() == number) answers.push_back(error);
  }
  return answers;
}

v1::SessionUpdate HeartbeatClient::Open(const v1::Open& open) {
  v1::HeartbeatRequest request;
  *request.add_opens() = open;
  const auto answers = Ask(request);
  EXPECT_TRUE(answers.empty()) << answers[0].ShortDebugString();
  return update(open.handle()).value_or(v1::SessionUpdate());
}

std::vector<v1::HeartbeatError> HeartbeatClient::Signal(std::uint32_t handle,
                                                        v1::SignalKind kind) {
  v1::HeartbeatRequest request;
  *request.add_signals() = SignalOf(handle, kind);
  return Ask(request);
}

bool HeartbeatClient::AwaitAcked(std::uint64_t n) {
  MutexLock lock(mutex_);
  AwaitLocked(mutex_, changed_, [&] { return acked_ >= n || ended_; });
  return acked_ >= n;
}

absl::optional<v1::HeartbeatError> HeartbeatClient::AwaitNotice(
    std::uint32_t handle) {
  absl::optional<v1::HeartbeatError> notice;
  MutexLock lock(mutex_);
  AwaitLocked(mutex_, changed_, [&] {
    for (const auto& response : responses_) {
      for (const auto& error : response.errors()) {
        if (error.message() == 0 && error.handle() == handle) notice = error;
      }
    }
    return notice.has_value() || ended_;
  });
  return notice;
}

bool HeartbeatClient::AwaitDrain(v1::Drain& drain) {
  MutexLock lock(mutex_);
  bool found = false;
  AwaitLocked(mutex_, changed_, [&] {
    for (const auto& response : responses_) {
      if (!response.has_drain()) continue;
      drain = response.drain();
      found = true;
    }
    return found || ended_;
  });
  return found;
}

grpc::Status HeartbeatClient::Finish() {
  stream_->WritesDone();
  return AwaitEnd();
}

void HeartbeatClient::Break() {
  context_.TryCancel();
  AwaitEnd();
}

grpc::Status HeartbeatClient::AwaitEnd() {
  MutexLock lock(mutex_);
  EXPECT_TRUE(AwaitLocked(mutex_, changed_, [&] { return ended_; }));
  return status_;
}

std::vector<v1::HeartbeatResponse> HeartbeatClient::responses() const {
  MutexLock lock(mutex_);
  return responses_;
}

std::vector<v1::HeartbeatError> HeartbeatClient::errors() const {
  MutexLock lock(mutex_);
  std::vector<v1::HeartbeatError> all;
  for (const auto& response : responses_) {
    all.insert(all.end(), response.errors().begin(), response.errors().end());
  }
  return all;
}

absl::optional<v1::SessionUpdate> HeartbeatClient::update(
    std::uint32_t handle) const {
  MutexLock lock(mutex_);
  absl::optional<v1::SessionUpdate> newest;
  for (const auto& response : responses_) {
    for (const auto& update : response.updates()) {
      if (update.handle() == handle) newest = update;
    }
  }
  return newest;
}

v1::Open OpenOf(std::uint32_t handle, const std::string& user,
                const std::string& session, v1::SignalKind kind,
                std::uint64_t instance) {
  v1::Open open;
  open.set_handle(handle);
  open.set_user_id(user);
  open.set_session_id(session);
  open.set_kind(kind);
  open.mutable_options()->set_instance(instance);
  return open;
}

v1::Signal SignalOf(std::uint32_t handle, v1::SignalKind kind) {
  v1::Signal signal;
  signal.set_handle(handle);
  signal.set_kind(kind);
  return signal;
}

}  // namespace lifesign::testing
