// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A client that awaits users.
#ifndef LIFESIGN_TESTS_SIM_AWAITER_H_
#define LIFESIGN_TESTS_SIM_AWAITER_H_

#include <cstdint>
#include <memory>

#include "absl/types/optional.h"
#include "lifesign/v1/presence_service.pb.h"
#include "tests/sim/network.h"

namespace lifesign::sim {

// One AwaitPresence after the other: each breaks off the one before.
class Awaiter final : public CallClient {
 public:
  // All outlive it.
  Awaiter(Network& network, Schedule& schedule, Journal& journal,
          Verdict& verdict);
  ~Awaiter();

  // `deadline`: from now on, of the call; none if there is none.
  void Await(const v1::AwaitPresenceRequest& request,
             absl::optional<Duration> deadline, std::uint64_t seed);
  void Stop();

  void OnTaken() override {}
  void OnMessage(const grpc::ByteBuffer& message) override;
  void OnEnded(const grpc::Status& status) override;

 private:
  Network& network_;
  Schedule& schedule_;
  Journal& journal_;
  Verdict& verdict_;

  // Changes with every await: what was filed for another is not done.
  std::uint64_t life_ = 0;
  std::shared_ptr<Call> call_;
  bool answered_ = false;
};

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_AWAITER_H_
