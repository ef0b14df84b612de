// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A gateway: many clients' sessions on one stream, each beating to its gateway.
#ifndef LIFESIGN_CLIENT_CLI_SIMULATE_GATEWAY_H_
#define LIFESIGN_CLIENT_CLI_SIMULATE_GATEWAY_H_

#include <grpcpp/channel.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "client/cli/simulate/player.h"
#include "lifesign/client/gateway_stream.h"
#include "server/base/mutex.h"

namespace lifesign::simulate {

class GatewayClient;

// The stream, and who is behind which of its handles. Thread-safe.
class Gateway {
 public:
  Gateway(std::shared_ptr<grpc::Channel> channel, const std::string& tenant);
  ~Gateway();

  // Begins to hold a session for `client`, which outlives the gateway. 0: the
  // stream does not take it.
  client::Handle Open(const client::SessionSpec& spec, GatewayClient& client);

  client::GatewayStream& stream() { return *stream_; }
  const client::GatewayStream& stream() const { return *stream_; }

 private:
  void Told(client::Handle handle, const client::SessionStatus& status);
  void Linked(client::Link link);

  // Held while the stream is asked to open, so that no answer comes before its
  // handle is known; the library's lock is taken under it, never the reverse.
  Mutex mutex_;
  absl::flat_hash_map<client::Handle, GatewayClient*> clients_
      ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<client::GatewayStream> stream_;
};

// One of its clients. It beats itself, at the interval it was promised; on a
// bad link its beats do not arrive, on a mobile one its gateway sees its
// connection break and says DETACH.
class GatewayClient final : public Player {
 public:
  GatewayClient(const Part& part, Ledger& ledger, Stopwatch stopwatch,
                Gateway& gateway);

  void Leave();

 private:
  void Perform(const Action& action) override;
  void Open(const Action& action);
  void Say(const Action& action);

  Gateway& gateway_;
  client::Handle handle_ = 0;
  // When the last interaction was reported.
  Duration reported_ = Duration::min();
};

}  // namespace lifesign::simulate

#endif  // LIFESIGN_CLIENT_CLI_SIMULATE_GATEWAY_H_
