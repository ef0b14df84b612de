// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/simulate/stream_player.h"

#include <utility>

namespace lifesign::simulate {

StreamPlayer::StreamPlayer(const Part& part, Ledger& ledger,
                           Stopwatch stopwatch,
                           std::shared_ptr<grpc::Channel> channel,
                           std::string tenant)
    : Player(part, ledger, stopwatch),
      channel_(std::move(channel)),
      tenant_(std::move(tenant)) {}

std::uint64_t StreamPlayer::signals_sent() const {
  return signals_of_dropped_ +
         (session_ == nullptr ? 0 : session_->counters().signals_sent);
}

void StreamPlayer::Perform(const Action& action) {
  if (session_ == nullptr && action.kind != Action::Kind::kOpen &&
      action.kind != Action::Kind::kReconnect) {
    return;
  }
  switch (action.kind) {
    case Action::Kind::kOpen:
    case Action::Kind::kReconnect:
      Drop();
      Open(action);
      break;
    case Action::Kind::kInteract:
      session_->Interacted();
      break;
    case Action::Kind::kTurn:
      session_->SetLifecycle(ClientLifecycle(action.lifecycle));
      break;
    case Action::Kind::kLoseNetwork:
    case Action::Kind::kDie:
      Finish(End::kBrokeOff);
      Drop();
      break;
    case Action::Kind::kLeave:
      Leave();
      break;
    case Action::Kind::kBeat:
    case Action::Kind::kQuiet:
      break;
  }
}

void StreamPlayer::Open(const Action& action) {
  Begin();
  client::SessionOptions options;
  options.tenant = tenant_;
  options.on_status = [this](const client::SessionStatus& status) {
    Told(status);
  };
  auto opened =
      client::Session::Open(channel_, Spec(action), std::move(options));
  // Only ids that are wrong fail here, and ours are not; the tenant was
  // accepted before the first player was made.
  if (opened.ok()) session_ = std::move(*opened);
}

void StreamPlayer::Drop() {
  if (session_ == nullptr) return;
  signals_of_dropped_ += session_->counters().signals_sent;
  session_.reset();
}

void StreamPlayer::Leave() {
  if (session_ == nullptr) return;
  Finish(End::kLeft);
  session_->Leave();
}

void StreamPlayer::AwaitLeft(Duration timeout) {
  if (session_ == nullptr) return;
  session_->Await(
      [](const client::SessionStatus& status) {
        return status.end != client::SessionEnd::kNotEnded;
      },
      timeout);
}

}  // namespace lifesign::simulate
