// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Sessions that come and go on a stream.
#ifndef LIFESIGN_BENCH_LOAD_FLEET_H_
#define LIFESIGN_BENCH_LOAD_FLEET_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "bench/load/raw_call.h"

namespace lifesign::bench {

// A heartbeat stream with the sessions of consecutive users, whose handles
// follow from the users' numbers (HandleOf). One thread at a time.
class SessionStream {
 public:
  // Opens all at once. Each user has one session.
  SessionStream(const std::shared_ptr<grpc::Channel>& channel, int first_user,
                int users);

  // How many opens were answered.
  int opened() const { return opened_; }
  // As many as there are.
  bool all_opened() const { return opened_ >= users_; }
  bool ended() { return call_->ended(); }

  // Heartbeat of a session in use. The next one in turn.
  void BeatNext();
  // The user leaves if they are here, else comes back: two changes of state.
  void Flip(int user);

 private:
  void OnAnswer(const grpc::ByteBuffer& bytes);

  const int first_user_;
  const int users_;
  int next_ = 0;
  // By users, from the first.
  std::vector<bool> here_;
  std::atomic<int> opened_{0};
  std::unique_ptr<RawCall> call_;
};

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_LOAD_FLEET_H_
