// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/simulate/gateway.h"

#include <utility>

namespace lifesign::simulate {

Gateway::Gateway(std::shared_ptr<grpc::Channel> channel,
                 const std::string& tenant) {
  client::GatewayOptions options;
  options.tenant = tenant;
  options.beats = client::Beats::kByCaller;
  options.on_session = [this](client::Handle handle,
                              const client::SessionStatus& status) {
    Told(handle, status);
  };
  options.on_link = [this](client::Link link) { Linked(link); };
  stream_ = client::GatewayStream::Make(std::move(channel), std::move(options));
}

Gateway::~Gateway() = default;

client::Handle Gateway::Open(const client::SessionSpec& spec,
                             GatewayClient& client) {
  MutexLock lock(mutex_);
  const auto handle = stream_->Open(spec);
  if (!handle.ok()) return 0;
  clients_[*handle] = &client;
  return *handle;
}

void Gateway::Told(client::Handle handle, const client::SessionStatus& status) {
  MutexLock lock(mutex_);
  const auto found = clients_.find(handle);
  if (found != clients_.end()) found->second->Told(status);
}

void Gateway::Linked(client::Link link) {
  if (link == client::Link::kConnected) return;
  MutexLock lock(mutex_);
  for (const auto& [handle, client] : clients_) client->LinkLost();
}

GatewayClient::GatewayClient(const Part& part, Ledger& ledger,
                             Stopwatch stopwatch, Gateway& gateway)
    : Player(part, ledger, stopwatch), gateway_(gateway) {}

void GatewayClient::Perform(const Action& action) {
  const bool keeps_its_handle = role().network == Network::kBurstyLoss;
  switch (action.kind) {
    case Action::Kind::kOpen:
      Open(action);
      break;
    case Action::Kind::kReconnect:
      if (keeps_its_handle && handle_ != 0) {
        Begin();
        Vouch(stopwatch().Elapsed() + part().unit);
        Say(action);
      } else {
        Open(action);
      }
      break;
    case Action::Kind::kBeat:
    case Action::Kind::kTurn:
      Say(action);
      break;
    case Action::Kind::kInteract:
      // What follows within half an interval goes with the next beat.
      if (action.at - reported_ >= part().unit / 2) Say(action);
      break;
    case Action::Kind::kLoseNetwork:
      Finish(End::kBrokeOff);
      if (!keeps_its_handle) gateway_.stream().Detach(handle_);
      break;
    case Action::Kind::kDie:
      Finish(End::kBrokeOff);
      gateway_.stream().Detach(handle_);
      break;
    case Action::Kind::kLeave:
      Leave();
      break;
    case Action::Kind::kQuiet:
      break;
  }
}

void GatewayClient::Open(const Action& action) {
  Begin();
  reported_ = action.at;
  handle_ = gateway_.Open(Spec(action), *this);
}

void GatewayClient::Say(const Action& action) {
  if (handle_ == 0) return;
  absl::optional<Duration> idle_for;
  if (action.lifecycle == Lifecycle::kActive) {
    idle_for = action.idle_for;
    reported_ = action.at - action.idle_for;
  }
  gateway_.stream().Signal(handle_, ClientLifecycle(action.lifecycle),
                           idle_for);
}

void GatewayClient::Leave() {
  if (handle_ == 0) return;
  Finish(End::kLeft);
  gateway_.stream().Leave(handle_);
}

}  // namespace lifesign::simulate
