// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A presence server, whole: the runtime, its network, its timer.
#ifndef LIFESIGN_SERVER_PRESENCE_SERVER_H_
#define LIFESIGN_SERVER_PRESENCE_SERVER_H_

#include <grpcpp/server.h>

#include <memory>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "lifesign/config/v1/config.pb.h"
#include "server/base/clock.h"
#include "server/base/socket_address.h"
#include "server/ops/health/health.h"
#include "server/transport/channel/self_call.h"
#include "server/transport/listener/listener.h"
#include "server/transport/presence_runtime.h"
#include "server/transport/ticker.h"

namespace lifesign {

// Serves from Start until Shutdown. Composition only.
class PresenceServer {
 public:
  // `config` is effective: every setting has a value. `clock` outlives the
  // server. UNAVAILABLE if the address cannot be had.
  static absl::StatusOr<std::unique_ptr<PresenceServer>> Start(
      const config::v1::Config& config, const Clock& clock);

  // Cuts whoever is still there.
  ~PresenceServer();

  // Where it really listens.
  const SocketAddress& address() const { return listener_->address(); }

  // Lets clients go, in order, within `budget`, and ends. False if some had to
  // be cut. Blocks. To be called once.
  bool Shutdown(Duration budget);

  PresenceRuntime& runtime() { return runtime_; }

 private:
  PresenceServer(const config::v1::Config& config, const Clock& clock,
                 std::unique_ptr<Listener> listener);
  void Tick();

  const Clock& clock_;
  const std::unique_ptr<Listener> listener_;
  PresenceRuntime runtime_;
  std::unique_ptr<grpc::Server> server_;
  absl::optional<Health> health_;
  absl::optional<SelfCall> self_call_;
  absl::optional<Ticker> ticker_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_PRESENCE_SERVER_H_
