// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A session that the client library holds.
#ifndef LIFESIGN_TESTS_SIM_MEMBER_H_
#define LIFESIGN_TESTS_SIM_MEMBER_H_

#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include "lifesign/client/internal/heartbeat_logic.h"
#include "lifesign/client/internal/heartbeat_port.h"
#include "server/core/signal/signal.h"
#include "tests/sim/network.h"

namespace lifesign::sim {

// The library's HeartbeatLogic, on calls of a simulated network. One life after
// the other.
class Member final : public CallClient, public client::internal::HeartbeatPort {
 public:
  // `network` and `schedule` outlive it.
  Member(std::string user, Network& network, Schedule& schedule);
  ~Member();

  // Each does nothing if there is nothing to be done to.
  void Join(Lifecycle lifecycle, std::uint64_t seed);
  void Interact();
  void Turn(Lifecycle lifecycle);
  void Leave(Duration linger);
  void OnNetworkChange();
  // Without a word. The server learns that its connection is gone after so
  // long.
  void Die(Duration server_learns);

  // Its connection was tampered with: nothing is promised about it any more,
  // in this life.
  void Harm() { harmed_ = true; }
  const Call* call() const { return call_.get(); }
  const std::string& user() const { return user_; }
  // It holds a session, or tries to.
  bool here() const { return alive() && !left_; }
  // It was answered, and has neither left, nor died, nor been harmed: nobody
  // may see it depart.
  bool steady() const;

  void OnTaken() override;
  void OnMessage(const grpc::ByteBuffer& message) override;
  void OnEnded(const grpc::Status& status) override;

 private:
  bool BeginStream() override;
  void Write(const v1::HeartbeatRequest& message) override;
  void HalfClose() override;
  void CancelStream() override;
  void CallLeave(client::Handle handle,
                 const v1::SendSignalRequest& request) override;

  bool alive() const { return logic_ != nullptr; }
  // After whatever was done to the logic.
  void Follow();
  void LetGo();

  const std::string user_;
  Network& network_;
  Schedule& schedule_;

  std::mt19937_64 random_;
  std::unique_ptr<client::internal::HeartbeatLogic> logic_;
  client::Handle handle_ = 0;
  // Changes with every life: what was filed in another is not done.
  std::uint64_t life_ = 0;
  bool left_ = false;
  bool harmed_ = false;
  bool answered_ = false;
  RealTime filed_ = RealTime::max();
  std::shared_ptr<Call> call_;
};

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_MEMBER_H_
