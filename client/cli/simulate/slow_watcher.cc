// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/simulate/slow_watcher.h"

#include <chrono>
#include <utility>

#include "client/cli/simulate/stopwatch.h"

namespace lifesign::simulate {
namespace {

constexpr Duration kBetweenStreams = std::chrono::milliseconds(500);

}  // namespace

SlowWatcher::SlowWatcher(std::shared_ptr<grpc::Channel> channel,
                         std::string tenant, Duration between_messages)
    : stub_(v1::PresenceService::NewStub(std::move(channel))),
      tenant_(std::move(tenant)),
      between_messages_(between_messages),
      thread_([this] { Run(); }) {}

SlowWatcher::~SlowWatcher() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    if (context_ != nullptr) context_->TryCancel();
    changed_.NotifyAll();
  }
  thread_.join();
}

SlowWatcher::Totals SlowWatcher::totals() const {
  MutexLock lock(mutex_);
  return totals_;
}

bool SlowWatcher::CatchUp(const States& truth, Duration timeout) {
  const Stopwatch stopwatch;
  MutexLock lock(mutex_);
  hurries_ = true;
  changed_.NotifyAll();
  while (!Holds(truth)) {
    const Duration left = timeout - stopwatch.Elapsed();
    if (left <= Duration::zero()) return false;
    changed_.WaitFor(mutex_, left);
  }
  return true;
}

bool SlowWatcher::Holds(const States& truth) const {
  for (const auto& [user, state] : truth) {
    const auto held = states_.find(user);
    if (state !=
        (held == states_.end() ? v1::PRESENCE_STATE_OFFLINE : held->second)) {
      return false;
    }
  }
  return true;
}

void SlowWatcher::Run() {
  do {
    ReadStream();
  } while (Rest());
}

void SlowWatcher::ReadStream() {
  v1::WatchPresenceRequest request;
  request.set_tenant(tenant_);
  request.mutable_all();
  std::shared_ptr<grpc::ClientContext> context;
  {
    MutexLock lock(mutex_);
    if (stopping_) return;
    request.set_resume_token(token_);
    // The snapshot says of nobody that they are gone.
    if (token_.empty()) states_.clear();
    context = context_ = std::make_shared<grpc::ClientContext>();
  }
  const auto stream = stub_->WatchPresence(context.get(), request);
  v1::WatchPresenceResponse message;
  while (stream->Read(&message)) {
    Take(message);
    if (!Pause()) break;
  }
  context->TryCancel();
  while (stream->Read(&message)) {
    // What was on its way when it stopped.
  }
  stream->Finish();
}

void SlowWatcher::Take(const v1::WatchPresenceResponse& message) {
  MutexLock lock(mutex_);
  ++totals_.messages;
  // Begun anew: whoever is not in the snapshot is not there.
  if (message.has_resync()) states_.clear();
  for (const auto* part : {&message.snapshot(), &message.changes()}) {
    for (const v1::PresenceRecord& record : *part) {
      ++totals_.records;
      states_[record.user_id()] = record.state();
    }
  }
  if (!message.resume_token().empty()) token_ = message.resume_token();
  changed_.NotifyAll();
}

bool SlowWatcher::Pause() {
  const Stopwatch stopwatch;
  MutexLock lock(mutex_);
  while (!stopping_ && !hurries_) {
    const Duration left = between_messages_ - stopwatch.Elapsed();
    if (left <= Duration::zero()) return true;
    changed_.WaitFor(mutex_, left);
  }
  return !stopping_;
}

bool SlowWatcher::Rest() {
  const Stopwatch stopwatch;
  MutexLock lock(mutex_);
  while (!stopping_) {
    const Duration left = kBetweenStreams - stopwatch.Elapsed();
    if (left <= Duration::zero()) return true;
    changed_.WaitFor(mutex_, left);
  }
  return false;
}

}  // namespace lifesign::simulate
