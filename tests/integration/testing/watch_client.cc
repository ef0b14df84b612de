// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/integration/testing/watch_client.h"

#include <gtest/gtest.h>

#include <utility>

#include "tests/testing/eventually.h"

namespace lifesign::testing {

WatchClient::WatchClient(const std::shared_ptr<grpc::Channel>& channel,
                         const v1::WatchPresenceRequest& request)
    : stub_(v1::PresenceService::NewStub(channel)),
      stream_(stub_->WatchPresence(&context_, request)),
      reader_([this] { ReadAll(); }) {}

WatchClient::~WatchClient() {
  context_.TryCancel();
  reader_.join();
}

void WatchClient::ReadAll() {
  v1::WatchPresenceResponse response;
  while (stream_->Read(&response)) {
    MutexLock lock(mutex_);
    messages_.push_back(std::move(response));
    changed_.NotifyAll();
  }
  const grpc::Status status = stream_->Finish();
  MutexLock lock(mutex_);
  status_ = status;
  ended_ = true;
  changed_.NotifyAll();
}

bool WatchClient::Await(
    const std::function<bool(const std::vector<v1::WatchPresenceResponse>&)>&
        condition) {
  MutexLock lock(mutex_);
  AwaitLocked(mutex_, changed_, [&] { return ended_ || condition(messages_); });
  return condition(messages_);
}

bool WatchClient::AwaitSynced() {
  return Await([](const auto& messages) {
    for (const auto& message : messages) {
      if (message.has_synced()) return true;
    }
    return false;
  });
}

bool WatchClient::AwaitChange(const std::string& user,
                              v1::PresenceState state) {
  return Await([&](const auto& messages) {
    for (const auto& message : messages) {
      for (const auto& change : message.changes()) {
        if (change.user_id() == user && change.state() == state) return true;
      }
    }
    return false;
  });
}

grpc::Status WatchClient::AwaitEnd() {
  MutexLock lock(mutex_);
  EXPECT_TRUE(AwaitLocked(mutex_, changed_, [&] { return ended_; }));
  return status_;
}

bool WatchClient::ended() const {
  MutexLock lock(mutex_);
  return ended_;
}

std::vector<v1::WatchPresenceResponse> WatchClient::messages() const {
  MutexLock lock(mutex_);
  return messages_;
}

std::vector<v1::PresenceRecord> WatchClient::snapshot() const {
  std::vector<v1::PresenceRecord> all;
  for (const auto& message : messages()) {
    all.insert(all.end(), message.snapshot().begin(), message.snapshot().end());
  }
  return all;
}

std::vector<v1::PresenceRecord> WatchClient::changes() const {
  std::vector<v1::PresenceRecord> all;
  for (const auto& message : messages()) {
    all.insert(all.end(), message.changes().begin(), message.changes().end());
  }
  return all;
}

std::vector<v1::PresenceRecord> WatchClient::changes_of(
    const std::string& user) const {
  std::vector<v1::PresenceRecord> all;
  for (const auto& change : changes()) {
    if (change.user_id() == user) all.push_back(change);
  }
  return all;
}

std::string WatchClient::token() const {
  std::string newest;
  for (const auto& message : messages()) {
    if (!message.resume_token().empty()) newest = message.resume_token();
  }
  return newest;
}

v1::WatchCreated WatchClient::created() const {
  const auto all = messages();
  return all.empty() ? v1::WatchCreated() : all.front().created();
}

}  // namespace lifesign::testing
