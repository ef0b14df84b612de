// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A server on a real socket that does as a test tells it: answers, refuses,
// breaks off, falls silent, goes away and comes back.
#ifndef LIFESIGN_TESTS_CLIENT_SCRIPTED_SERVER_H_
#define LIFESIGN_TESTS_CLIENT_SCRIPTED_SERVER_H_

#include <grpcpp/server.h>
#include <grpcpp/server_context.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "lifesign/v1/presence_service.grpc.pb.h"
#include "server/base/mutex.h"

namespace lifesign::client {

class ScriptedServer final : private v1::PresenceService::Service {
 public:
  // Listens on 127.0.0.1, port 0.
  ScriptedServer();
  ~ScriptedServer() override;

  std::string address() const;

  // The process goes: connections break. Comes back on the same port.
  void Stop();
  void Restart();

  // --- What it does with sessions; set before they come.

  // What is promised to every session.
  void Promise(Duration interval);
  // Opens are refused so.
  void RefuseOpens(const google::rpc::Status& status);
  // It reads, and answers nothing (or again).
  void FallSilent(bool silent = true);

  // --- What it does at once.

  // Breaks all Heartbeat streams, and watches.
  void BreakStreams();
  // Sends `response` on all Heartbeat streams.
  void Send(const v1::HeartbeatResponse& response);
  // Sends `response` on all watches; those that come later get what they would
  // have got first: everything sent since Restart or the start.
  void Tell(const v1::WatchPresenceResponse& response);
  // Ends all watches so.
  void EndWatches(const grpc::Status& status);

  // --- What it has seen.

  // The first 20,000 of each kind, and counts.
  struct Seen {
    std::vector<v1::Open> opens;
    std::vector<v1::Signal> signals;
    std::vector<v1::SendSignalRequest> calls;
    std::vector<std::string> tenants;  // of first messages
    std::vector<std::string> tokens;   // of watches
    int messages = 0;
    int streams = 0;
    int ended_streams = 0;
    int half_closed = 0;
    int watches = 0;
    int ended_watches = 0;
  };
  Seen seen() const;
  // Waits until `condition(seen)` holds; false after 30 s.
  bool Await(const std::function<bool(const Seen&)>& condition) const;

 private:
  using HeartbeatStream =
      grpc::ServerReaderWriter<v1::HeartbeatResponse, v1::HeartbeatRequest>;

  grpc::Status Heartbeat(grpc::ServerContext* context,
                         HeartbeatStream* stream) override;
  grpc::Status WatchPresence(
      grpc::ServerContext* context, const v1::WatchPresenceRequest* request,
      grpc::ServerWriter<v1::WatchPresenceResponse>* writer) override;
  grpc::Status SendSignal(grpc::ServerContext* context,
                          const v1::SendSignalRequest* request,
                          v1::SendSignalResponse* response) override;

  // Notes `message` and composes the answer; none: it says nothing.
  absl::optional<v1::HeartbeatResponse> Take(
      const v1::HeartbeatRequest& message, std::set<uint32_t>& bound,
      uint64_t number);
  void Start(int port);

  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;

  mutable Mutex mutex_;
  mutable CondVar changed_;
  Seen seen_ ABSL_GUARDED_BY(mutex_);
  Duration promise_ ABSL_GUARDED_BY(mutex_) = seconds(10);
  absl::optional<google::rpc::Status> refusal_ ABSL_GUARDED_BY(mutex_);
  bool silent_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t attachments_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<grpc::ServerContext*, HeartbeatStream*> heartbeats_
      ABSL_GUARDED_BY(mutex_);
  std::set<grpc::ServerContext*> watches_ ABSL_GUARDED_BY(mutex_);
  std::vector<v1::WatchPresenceResponse> told_ ABSL_GUARDED_BY(mutex_);
  // Watches begun before end so.
  int watch_generation_ ABSL_GUARDED_BY(mutex_) = 0;
  grpc::Status watch_end_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lifesign::client

#endif  // LIFESIGN_TESTS_CLIENT_SCRIPTED_SERVER_H_
