// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/client/scripted_server.h"

#include <grpcpp/server_builder.h>

#include <cassert>

#include "absl/strings/str_cat.h"
#include "lifesign/client/internal/proto_time.h"
#include "server/base/clock.h"
#include "tests/client/heartbeat_world.h"

namespace lifesign::client {
namespace {

constexpr Duration kPatience = seconds(30);
// Kept of each kind; what comes later is only answered.
constexpr size_t kKept = 20'000;

template <typename Message>
void Keep(std::vector<Message>& kept, const Message& message) {
  if (kept.size() < kKept) kept.push_back(message);
}

}  // namespace

ScriptedServer::ScriptedServer() { Start(0); }

ScriptedServer::~ScriptedServer() { Stop(); }

std::string ScriptedServer::address() const {
  return absl::StrCat("127.0.0.1:", port_);
}

void ScriptedServer::Start(int port) {
  grpc::ServerBuilder builder;
  // Else two servers of one test run could share the port.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort(absl::StrCat("127.0.0.1:", port),
                           grpc::InsecureServerCredentials(), &port_);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  assert(server_ != nullptr && port_ != 0);
}

void ScriptedServer::Stop() {
  if (server_ == nullptr) return;
  {
    // Also for watches that come while it goes.
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  BreakStreams();
  server_->Shutdown(std::chrono::system_clock::time_point::min());
  server_.reset();
}

void ScriptedServer::Restart() {
  Stop();
  {
    MutexLock lock(mutex_);
    told_.clear();
    stopping_ = false;
  }
  Start(port_);
}

void ScriptedServer::Promise(Duration interval) {
  MutexLock lock(mutex_);
  promise_ = interval;
}

void ScriptedServer::RefuseOpens(const google::rpc::Status& status) {
  MutexLock lock(mutex_);
  refusal_ = status;
}

void ScriptedServer::FallSilent(bool silent) {
  MutexLock lock(mutex_);
  silent_ = silent;
}

void ScriptedServer::BreakStreams() {
  MutexLock lock(mutex_);
  for (const auto& [context, stream] : heartbeats_) context->TryCancel();
  for (grpc::ServerContext* context : watches_) context->TryCancel();
  changed_.NotifyAll();
}

void ScriptedServer::Send(const v1::HeartbeatResponse& response) {
  MutexLock lock(mutex_);
  for (const auto& [context, stream] : heartbeats_) stream->Write(response);
}

void ScriptedServer::Tell(const v1::WatchPresenceResponse& response) {
  MutexLock lock(mutex_);
  told_.push_back(response);
  changed_.NotifyAll();
}

void ScriptedServer::EndWatches(const grpc::Status& status) {
  MutexLock lock(mutex_);
  ++watch_generation_;
  watch_end_ = status;
  changed_.NotifyAll();
}

ScriptedServer::Seen ScriptedServer::seen() const {
  MutexLock lock(mutex_);
  return seen_;
}

bool ScriptedServer::Await(
    const std::function<bool(const Seen&)>& condition) const {
  const SystemClock clock;
  const RealTime end = clock.RealNow() + kPatience;
  MutexLock lock(mutex_);
  while (!condition(seen_)) {
    const RealTime now = clock.RealNow();
    if (now >= end) return false;
    changed_.WaitFor(mutex_, end - now);
  }
  return true;
}

grpc::Status ScriptedServer::Heartbeat(grpc::ServerContext* context,
                                       HeartbeatStream* stream) {
  {
    MutexLock lock(mutex_);
    heartbeats_[context] = stream;
    ++seen_.streams;
    changed_.NotifyAll();
  }
  std::set<uint32_t> bound;
  uint64_t number = 0;
  v1::HeartbeatRequest message;
  while (stream->Read(&message)) {
    const auto answer = Take(message, bound, ++number);
    MutexLock lock(mutex_);
    if (answer.has_value()) stream->Write(*answer);
  }
  MutexLock lock(mutex_);
  heartbeats_.erase(context);
  ++seen_.ended_streams;
  if (!context->IsCancelled()) ++seen_.half_closed;
  changed_.NotifyAll();
  return grpc::Status::OK;
}

absl::optional<v1::HeartbeatResponse> ScriptedServer::Take(
    const v1::HeartbeatRequest& message, std::set<uint32_t>& bound,
    uint64_t number) {
  MutexLock lock(mutex_);
  if (number == 1) Keep(seen_.tenants, message.tenant());
  ++seen_.messages;
  bool must_answer = message.answer_now();
  v1::HeartbeatResponse response;
  response.set_acked(number);
  for (const v1::Open& open : message.opens()) {
    Keep(seen_.opens, open);
    if (refusal_.has_value()) {
      v1::HeartbeatError& error = *response.add_errors();
      error.set_message(number);
      error.set_handle(open.handle());
      *error.mutable_status() = *refusal_;
      continue;
    }
    bound.insert(open.handle());
    v1::SessionUpdate& update = *response.add_updates();
    update.set_handle(open.handle());
    update.set_state(v1::PRESENCE_STATE_ACTIVE);
    internal::ToProto(promise_, *update.mutable_next_interval());
    update.mutable_opened()->set_attachment(++attachments_);
    must_answer = true;
  }
  for (const v1::Signal& signal : message.signals()) {
    Keep(seen_.signals, signal);
    if (bound.count(signal.handle()) == 0) {
      v1::HeartbeatError& error = *response.add_errors();
      error.set_message(number);
      error.set_handle(signal.handle());
      *error.mutable_status() = internal::MakeStatus(
          grpc::StatusCode::NOT_FOUND, v1::ERROR_REASON_UNKNOWN_HANDLE);
      must_answer = true;
    } else if (signal.kind() == v1::SIGNAL_KIND_LEAVE ||
               signal.kind() == v1::SIGNAL_KIND_DETACH) {
      bound.erase(signal.handle());
    }
  }
  changed_.NotifyAll();
  if (silent_ || !must_answer) return absl::nullopt;
  return response;
}

grpc::Status ScriptedServer::WatchPresence(
    grpc::ServerContext* context, const v1::WatchPresenceRequest* request,
    grpc::ServerWriter<v1::WatchPresenceResponse>* writer) {
  MutexLock lock(mutex_);
  watches_.insert(context);
  ++seen_.watches;
  Keep(seen_.tokens, request->resume_token());
  changed_.NotifyAll();
  const int generation = watch_generation_;
  size_t next = 0;
  grpc::Status status;
  while (!context->IsCancelled() && !stopping_) {
    if (generation != watch_generation_) {
      status = watch_end_;
      break;
    }
    if (next < told_.size()) {
      writer->Write(told_[next++]);
    } else {
      changed_.Wait(mutex_);
    }
  }
  watches_.erase(context);
  ++seen_.ended_watches;
  changed_.NotifyAll();
  return status;
}

grpc::Status ScriptedServer::SendSignal(grpc::ServerContext*,
                                        const v1::SendSignalRequest* request,
                                        v1::SendSignalResponse*) {
  MutexLock lock(mutex_);
  seen_.calls.push_back(*request);
  changed_.NotifyAll();
  return grpc::Status::OK;
}

}  // namespace lifesign::client
