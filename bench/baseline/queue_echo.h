// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The echo once more, on gRPC's completion queue instead of its callbacks.
#ifndef LIFESIGN_BENCH_BASELINE_QUEUE_ECHO_H_
#define LIFESIGN_BENCH_BASELINE_QUEUE_ECHO_H_

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server_builder.h>

#include <memory>
#include <thread>

namespace lifesign::bench {

// One thread of ours polls and answers: less CPU a message than callbacks,
// which gRPC runs on pollers of its own, and at most one core.
class QueueEcho {
 public:
  // Before the server is built.
  explicit QueueEcho(grpc::ServerBuilder& builder);

  // Once it is. Never ends.
  void Start();

 private:
  void Run();

  grpc::AsyncGenericService service_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::thread thread_;
};

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_BASELINE_QUEUE_ECHO_H_
