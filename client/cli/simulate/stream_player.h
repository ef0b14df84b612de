// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A tab, a phone, a desktop: one session on a stream of its own, held as apps
// hold it, by the client library.
#ifndef LIFESIGN_CLIENT_CLI_SIMULATE_STREAM_PLAYER_H_
#define LIFESIGN_CLIENT_CLI_SIMULATE_STREAM_PLAYER_H_

#include <grpcpp/channel.h>

#include <cstdint>
#include <memory>
#include <string>

#include "client/cli/simulate/player.h"
#include "lifesign/client/session.h"

namespace lifesign::simulate {

// The library beats by itself; what is played is the person and the network. A
// network that is lost is a session object that goes without a word; one that
// is back is another object with the same instance.
class StreamPlayer final : public Player {
 public:
  StreamPlayer(const Part& part, Ledger& ledger, Stopwatch stopwatch,
               std::shared_ptr<grpc::Channel> channel, std::string tenant);

  // Signals written to this player's streams so far.
  std::uint64_t signals_sent() const;

  // Says goodbye if a session is held.
  void Leave();
  // Waits until the server knows, at most `timeout`.
  void AwaitLeft(Duration timeout);

 private:
  void Perform(const Action& action) override;
  void Open(const Action& action);
  // Drops the session object; what it counted stays counted.
  void Drop();

  const std::shared_ptr<grpc::Channel> channel_;
  const std::string tenant_;
  std::unique_ptr<client::Session> session_;
  std::uint64_t signals_of_dropped_ = 0;
};

}  // namespace lifesign::simulate

#endif  // LIFESIGN_CLIENT_CLI_SIMULATE_STREAM_PLAYER_H_
