// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The server calls itself, so that it stays awake and knows how late it is.
//
// A gRPC poller that saw no event for a second sleeps a tenth of one; with all
// of them asleep, the next message waits (p99 of an idle server: 56 to 94 ms).
// A call of our own every 400 ms keeps them from it. Its round trip goes
// through the same pollers as everybody's calls, so its lateness is theirs:
// when something blocks them, this shows it.
#ifndef LIFESIGN_SERVER_TRANSPORT_CHANNEL_SELF_CALL_H_
#define LIFESIGN_SERVER_TRANSPORT_CHANNEL_SELF_CALL_H_

#include <grpcpp/server.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/mutex.h"

namespace lifesign {

// How late answers were, in all calls so far.
struct AnswerLateness {
  // Calls by their round trip: bucket i counts those below 2^i µs that are in
  // no earlier one; the last one takes all others.
  static constexpr std::size_t kBuckets = 32;
  std::array<std::int64_t, kBuckets> calls = {};
  Duration worst{0};
  // Calls that failed, other than by Stop().
  std::int64_t failed = 0;
  // How long the call in flight has waited; 0 without one.
  Duration waiting{0};

  std::int64_t answered() const;
  // An upper bound of the round trip of a share (0 to 1) of the calls, at most
  // twice too high; 0 without calls.
  Duration Percentile(double share) const;
};

// Starts no thread and has no timer: whoever ticks pokes it. Thread-safe.
class SelfCall {
 public:
  static constexpr Duration kInterval = milliseconds(400);
  // A round trip, or a wait so far, that is worth a line in the log.
  static constexpr Duration kLate = milliseconds(50);

  // Calls the health service of `server` in-process. `server` was built with
  // it (ApplyChannelSettings) and lives until Stop() was called; `clock`
  // outlives this.
  SelfCall(grpc::Server& server, const Clock& clock);
  // As Stop().
  ~SelfCall();

  // To be called every tick. Begins a call if the last one began at least
  // kInterval before `now` and none is in flight; reports one that waits too
  // long. Never blocks.
  void Poke(RealTime now);

  // Cancels the call in flight and waits until it is over; later pokes do
  // nothing. To be called before the server is shut down.
  void Stop();

  AnswerLateness lateness() const;

 private:
  struct Call;
  struct Stub;

  void OnDone(bool ok);
  void LogLate(RealTime now, absl::string_view what, Duration lateness)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Constant after construction.
  const Clock& clock_;
  const std::unique_ptr<Stub> stub_;  // thread-safe

  // No other lock is taken while it is held.
  mutable Mutex mutex_;
  CondVar answered_;
  std::unique_ptr<Call> call_ ABSL_GUARDED_BY(mutex_);  // the last one
  RealTime next_ ABSL_GUARDED_BY(mutex_) = RealTime::min();
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  AnswerLateness lateness_ ABSL_GUARDED_BY(mutex_);
  LogThrottle late_log_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_CHANNEL_SELF_CALL_H_
