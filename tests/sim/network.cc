// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/network.h"

#include <utility>

namespace lifesign::sim {

std::shared_ptr<Call> Network::Begin(Call::Kind kind, CallClient& client,
                                     grpc::ByteBuffer request,
                                     std::uint64_t seed) {
  const Route route{options_.least_delay, options_.most_delay, options_.window};
  auto call = std::make_shared<Call>(kind, next_++, shared_, route, client,
                                     std::move(request), seed);
  journal_.Note(schedule_.now(),
                kind == Call::Kind::kHeartbeat ? "stream"
                : kind == Call::Kind::kWatch   ? "watch"
                                               : "await",
                call->number(), "begins");
  calls_.push_back(call);
  call->Begin();
  return call;
}

void Network::SendSignal(const v1::SendSignalRequest& request, Duration delay,
                         Answer answer) {
  const auto back = [this, delay, answer = std::move(answer)](
                        const grpc::Status& status,
                        const v1::SendSignalResponse& response) {
    schedule_.After(delay, [answer, status, response] {
      if (answer) answer(status, response);
    });
  };
  schedule_.After(delay, [this, request, back] {
    if (!server_.up()) {
      back({grpc::StatusCode::UNAVAILABLE, "nobody listens"}, {});
      return;
    }
    // Of a process that goes before it answers, nothing is heard.
    server_.At(schedule_.now(), [this, request, back] {
      v1::SendSignalResponse response;
      const grpc::Status status = server_.SendSignal(request, response);
      back(status, response);
    });
  });
}

const std::vector<std::shared_ptr<Call>>& Network::calls() {
  std::erase_if(calls_, [](const auto& call) { return call->over(); });
  return calls_;
}

void Network::OnServerGone(Duration learns) {
  for (const auto& call : calls_) call->OnServerGone(learns);
}

void Network::Heal() {
  for (const auto& call : calls()) call->Heal();
}

}  // namespace lifesign::sim
