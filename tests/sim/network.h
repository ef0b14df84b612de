// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// All calls of a world.
#ifndef LIFESIGN_TESTS_SIM_NETWORK_H_
#define LIFESIGN_TESTS_SIM_NETWORK_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "lifesign/v1/presence_service.pb.h"
#include "tests/sim/call.h"
#include "tests/sim/journal.h"
#include "tests/sim/schedule.h"
#include "tests/sim/server.h"
#include "tests/sim/verdict.h"
#include "tests/sim/world_options.h"

namespace lifesign::sim {

class Network {
 public:
  using Answer =
      std::function<void(const grpc::Status&, const v1::SendSignalResponse&)>;

  // All outlive it.
  Network(const WorldOptions& options, Schedule& schedule, Server& server,
          Journal& journal, Verdict& verdict)
      : options_(options),
        schedule_(schedule),
        server_(server),
        journal_(journal),
        shared_{schedule, server, verdict} {}

  // A call, begun. `request`: of a watch, or an await.
  std::shared_ptr<Call> Begin(Call::Kind kind, CallClient& client,
                              grpc::ByteBuffer request, std::uint64_t seed);

  // A unary call, which is on its way for so long in either direction.
  void SendSignal(const v1::SendSignalRequest& request, Duration delay,
                  Answer answer);

  // Those that are not over, oldest first.
  const std::vector<std::shared_ptr<Call>>& calls();

  // The server is gone; clients learn of it after so long.
  void OnServerGone(Duration learns);
  void Heal();

 private:
  const WorldOptions& options_;
  Schedule& schedule_;
  Server& server_;
  Journal& journal_;
  const Call::World shared_;
  std::uint64_t next_ = 1;
  std::vector<std::shared_ptr<Call>> calls_;
};

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_NETWORK_H_
