// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A watcher that reads far more slowly than users change.
#ifndef LIFESIGN_CLIENT_CLI_SIMULATE_SLOW_WATCHER_H_
#define LIFESIGN_CLIENT_CLI_SIMULATE_SLOW_WATCHER_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "client/cli/simulate/behaviour.h"
#include "lifesign/v1/presence_service.grpc.pb.h"
#include "server/base/mutex.h"

namespace lifesign::simulate {

// Watches everyone of a tenant and reads one message, then nothing for a while.
// Not the client library's Watcher, which is never slow: whoever reads a stream
// by hand may be. Going on after a stream that ended, it resumes by its token.
//
// Reads on a thread of its own. Thread-safe.
class SlowWatcher {
 public:
  using States = absl::flat_hash_map<std::string, v1::PresenceState>;

  SlowWatcher(std::shared_ptr<grpc::Channel> channel, std::string tenant,
              Duration between_messages);
  // Ends its stream.
  ~SlowWatcher();

  SlowWatcher(const SlowWatcher&) = delete;
  SlowWatcher& operator=(const SlowWatcher&) = delete;

  struct Totals {
    std::uint64_t messages = 0;
    std::uint64_t records = 0;  // in them
  };
  Totals totals() const;

  // Reads as quickly as it can from here on, until it holds `truth`, or at most
  // for `timeout`. Users of `truth` whom it was told nothing of are OFFLINE.
  // True if it came to hold it.
  bool CatchUp(const States& truth, Duration timeout);

 private:
  void Run();
  // Reads a stream to its end.
  void ReadStream();
  void Take(const v1::WatchPresenceResponse& message);
  // Waits until the next message is to be read. False: it is to stop.
  bool Pause();
  // Between two streams. False: it is to stop.
  bool Rest();
  bool Holds(const States& truth) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::unique_ptr<v1::PresenceService::Stub> stub_;
  const std::string tenant_;
  const Duration between_messages_;

  mutable Mutex mutex_;
  CondVar changed_;
  std::shared_ptr<grpc::ClientContext> context_ ABSL_GUARDED_BY(mutex_);
  bool hurries_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  States states_ ABSL_GUARDED_BY(mutex_);
  std::string token_ ABSL_GUARDED_BY(mutex_);
  Totals totals_ ABSL_GUARDED_BY(mutex_);
  // Last: it runs as soon as it is made.
  std::thread thread_;
};

}  // namespace lifesign::simulate

#endif  // LIFESIGN_CLIENT_CLI_SIMULATE_SLOW_WATCHER_H_
