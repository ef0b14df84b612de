// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/member.h"

#include <utility>

#include "server/transport/codec/bytes.h"

namespace lifesign::sim {
namespace {

// A unary LEAVE's way.
constexpr Duration kCallDelay = milliseconds(20);

client::Lifecycle Of(Lifecycle lifecycle) {
  switch (lifecycle) {
    case Lifecycle::kActive:
      return client::Lifecycle::kActive;
    case Lifecycle::kIdle:
      return client::Lifecycle::kIdle;
    case Lifecycle::kBackground:
      break;
  }
  return client::Lifecycle::kBackground;
}

}  // namespace

Member::Member(std::string user, Network& network, Schedule& schedule)
    : user_(std::move(user)), network_(network), schedule_(schedule) {}

Member::~Member() { LetGo(); }

bool Member::steady() const {
  return alive() && answered_ && !left_ && !harmed_;
}

void Member::Join(Lifecycle lifecycle, std::uint64_t seed) {
  if (alive() && !left_) return;
  LetGo();
  ++life_;
  left_ = false;
  harmed_ = false;
  answered_ = false;
  random_.seed(seed);
  logic_ = std::make_unique<client::internal::HeartbeatLogic>(
      client::internal::HeartbeatLogic::Options(), *this, random_);
  client::SessionSpec spec;
  spec.user_id = user_;
  spec.session_id = "held";
  spec.lifecycle = Of(lifecycle);
  spec.instance = random_();
  handle_ = *logic_->Open(spec, schedule_.now());
  Follow();
}

void Member::Interact() {
  if (!alive()) return;
  logic_->Interacted(handle_, schedule_.now());
  Follow();
}

void Member::Turn(Lifecycle lifecycle) {
  if (!alive()) return;
  logic_->Signal(handle_, Of(lifecycle), absl::nullopt, schedule_.now());
  Follow();
}

void Member::Leave(Duration linger) {
  if (!alive()) return;
  left_ = true;
  logic_->Leave(handle_, linger, schedule_.now());
  Follow();
}

void Member::OnNetworkChange() {
  if (!alive()) return;
  logic_->OnNetworkChange(schedule_.now());
  Follow();
}

void Member::Die(Duration server_learns) {
  const auto call = call_;
  LetGo();
  if (call != nullptr) call->Break(server_learns, Duration(0));
}

void Member::LetGo() {
  if (call_ != nullptr) call_->Forsake();
  call_.reset();
  logic_.reset();
  filed_ = RealTime::max();
  ++life_;
}

void Member::Follow() {
  while (logic_->PopNews() != 0) {
    const auto status = logic_->StatusOf(handle_, schedule_.now());
    if (!status.has_value()) continue;
    if (status->attachment != 0) answered_ = true;
    // Taken over, or refused: it is not held any more.
    if (status->end != client::SessionEnd::kNotEnded) left_ = true;
  }
  const RealTime deadline = logic_->NextDeadline();
  if (deadline >= filed_) return;
  filed_ = deadline;
  schedule_.At(deadline, [this, life = life_, deadline] {
    if (life != life_ || filed_ != deadline) return;
    filed_ = RealTime::max();
    const RealTime now = schedule_.now();
    if (now >= logic_->NextDeadline()) logic_->OnTimer(now);
    Follow();
  });
}

void Member::OnTaken() {
  logic_->OnWritten(true, schedule_.now());
  Follow();
}

void Member::OnMessage(const grpc::ByteBuffer& bytes) {
  v1::HeartbeatResponse response;
  ParseMessage(bytes, response);
  logic_->OnResponse(response, schedule_.now());
  Follow();
}

void Member::OnEnded(const grpc::Status& status) {
  call_.reset();
  logic_->OnStreamEnded(client::ErrorFrom(status), schedule_.now());
  Follow();
}

bool Member::BeginStream() {
  call_ = network_.Begin(Call::Kind::kHeartbeat, *this, {}, random_());
  return random_() % 2 == 0;
}

void Member::Write(const v1::HeartbeatRequest& message) {
  call_->Send(SerializeToBytes(message));
}

void Member::HalfClose() { call_->HalfClose(); }

void Member::CancelStream() { call_->CancelByClient(); }

void Member::CallLeave(client::Handle handle,
                       const v1::SendSignalRequest& request) {
  network_.SendSignal(
      request, kCallDelay,
      [this, life = life_, handle](const grpc::Status& status,
                                   const v1::SendSignalResponse&) {
        if (life != life_) return;
        logic_->OnLeaveAnswered(handle, client::ErrorFrom(status),
                                schedule_.now());
        Follow();
      });
}

}  // namespace lifesign::sim
