// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/call.h"

#include <algorithm>
#include <utility>

namespace lifesign::sim {
namespace {

// Between an event of gRPC's and the reaction to it.
constexpr Duration kReaction = microseconds(20);

grpc::Status LostConnection() {
  return {grpc::StatusCode::UNAVAILABLE, "the connection is lost"};
}

}  // namespace

Call::Call(Kind kind, std::uint64_t number, const World& world,
           const Route& route, CallClient& client, grpc::ByteBuffer request,
           std::uint64_t seed)
    : kind_(kind),
      number_(number),
      world_(world),
      route_(route),
      client_(&client),
      request_(std::move(request)),
      random_(seed) {}

// --- The connection

Duration Call::Delay() {
  const auto spread = static_cast<std::uint64_t>(
      (route_.most_delay - route_.least_delay).count() + 1);
  return route_.least_delay +
         Duration(static_cast<std::int64_t>(random_.Below(spread)));
}

void Call::Carry(Pipe& pipe, std::function<void()> arrive) {
  if (broken_) return;
  pipe.last = std::max(pipe.last, world_.schedule.now() + Delay());
  pipe.items.emplace_back(pipe.last, std::move(arrive));
  PumpAt(std::max(pipe.last, pipe.stalled_until), pipe);
}

void Call::PumpAt(RealTime at, Pipe& pipe) {
  world_.schedule.At(at,
                     [self = shared_from_this(), &pipe] { self->Pump(pipe); });
}

void Call::Pump(Pipe& pipe) {
  const RealTime now = world_.schedule.now();
  while (!pipe.items.empty() && pipe.items.front().first <= now) {
    if (now < pipe.stalled_until) {
      PumpAt(pipe.stalled_until, pipe);
      return;
    }
    const auto arrive = std::move(pipe.items.front().second);
    pipe.items.pop_front();
    arrive();
  }
}

void Call::Cut(Duration client_learns, const grpc::Status& status) {
  broken_ = true;
  to_server_.items.clear();
  to_client_.items.clear();
  world_.schedule.After(client_learns, [self = shared_from_this(), status] {
    if (self->client_ == nullptr) return;
    std::exchange(self->client_, nullptr)->OnEnded(status);
  });
}

void Call::Break(Duration server_learns, Duration client_learns) {
  if (broken_) return;
  Cut(client_learns, LostConnection());
  world_.schedule.After(server_learns, [self = shared_from_this()] {
    self->InServer(Duration(0), &Call::LearnBroken);
  });
}

void Call::Stall(bool to_server, bool to_client, RealTime until) {
  if (to_server) to_server_.stalled_until = until;
  if (to_client) to_client_.stalled_until = until;
}

void Call::Heal() {
  to_server_.stalled_until = RealTime::min();
  to_client_.stalled_until = RealTime::min();
  Pump(to_server_);
  Pump(to_client_);
  if (!broken_) return;
  Cut(Duration(0), LostConnection());
  InServer(Duration(0), &Call::LearnBroken);
}

// --- The client's side

void Call::Begin() {
  Carry(to_server_, [this] {
    if (!world_.process.up()) {
      done_ = true;
      Cut(Delay(), LostConnection());
      return;
    }
    world_.process.At(world_.schedule.now(), [self = shared_from_this()] {
      if (!self->done_) self->world_.process.Accept(*self);
    });
  });
}

void Call::Send(const grpc::ByteBuffer& message) {
  Carry(to_server_, [this, message] {
    arrived_.push_back(message);
    InServer(Duration(0), &Call::TakeArrived);
  });
  world_.schedule.After(kReaction, [self = shared_from_this()] {
    if (self->client_ != nullptr) self->client_->OnTaken();
  });
}

void Call::HalfClose() {
  Carry(to_server_, [this] {
    half_closed_ = true;
    InServer(Duration(0), &Call::TakeArrived);
  });
}

void Call::CancelByClient() {
  Cut(kReaction, grpc::Status(grpc::StatusCode::CANCELLED, "by the client"));
  world_.schedule.After(Delay(), [self = shared_from_this()] {
    self->InServer(Duration(0), &Call::LearnBroken);
  });
}

// --- The server's side

void Call::InServer(Duration after, void (Call::*what)()) {
  if (done_ || !world_.process.up()) return;
  world_.process.At(world_.schedule.now() + after,
                    [self = shared_from_this(), what] {
                      if (!self->done_) ((*self).*what)();
                    });
}

void Call::Attach(std::shared_ptr<StreamLogic> logic,
                  std::shared_ptr<CallObserver> observer) {
  logic_ = std::move(logic);
  observer_ = std::move(observer);
}

void Call::TakeArrived() {
  if (!reading_) return;
  if (!arrived_.empty()) {
    reading_ = false;
    const grpc::ByteBuffer message = std::move(arrived_.front());
    arrived_.pop_front();
    if (observer_ != nullptr) observer_->OnRead(message);
    logic_->OnRead(message);
  } else if (half_closed_ || known_broken_) {
    reading_ = false;
    if (observer_ != nullptr) observer_->OnReadsDone();
    logic_->OnReadsDone();
  }
}

void Call::Read() {
  if (reading_) world_.verdict.Fail("two reads at once");
  if (finished_.has_value()) world_.verdict.Fail("a read after the end");
  reading_ = true;
  if (known_broken_ || !arrived_.empty() || half_closed_) {
    InServer(Duration(0), &Call::TakeArrived);
  }
}

void Call::Write(grpc::ByteBuffer message) {
  if (writing_) world_.verdict.Fail("two writes at once");
  if (finished_.has_value()) world_.verdict.Fail("a write after the end");
  if (observer_ != nullptr) observer_->OnWrite(message);
  writing_ = true;
  in_flight_ = std::move(message);
  MaybeTake();
}

void Call::MaybeTake() {
  if (!writing_ || taking_ || unread_ >= route_.window) return;
  taking_ = true;
  InServer(kReaction, &Call::TakeWrite);
}

void Call::TakeWrite() {
  taking_ = false;
  if (!writing_) return;
  writing_ = false;
  ++unread_;
  Carry(to_client_, [this, message = std::move(in_flight_)] {
    --unread_;
    if (client_ != nullptr) client_->OnMessage(message);
    MaybeTake();
  });
  if (observer_ != nullptr) observer_->OnWritten();
  logic_->OnWritten(true);
  MaybeClose();
}

void Call::Finish(const grpc::Status& status) {
  if (finished_.has_value()) world_.verdict.Fail("two ends");
  if (observer_ != nullptr) observer_->OnFinish(status);
  finished_ = status;
  MaybeClose();
}

void Call::Cancel() {
  if (!broken_) Cut(Delay(), grpc::Status(grpc::StatusCode::CANCELLED, ""));
  InServer(kReaction, &Call::LearnBroken);
}

void Call::LearnBroken() {
  if (known_broken_) return;
  known_broken_ = true;
  if (logic_ == nullptr) {
    done_ = true;
    return;
  }
  if (observer_ != nullptr) observer_->OnBroken();
  const bool cancelled_first = random_.Chance(0.5);
  if (cancelled_first) logic_->OnCancelled();
  if (reading_) {
    reading_ = false;
    if (observer_ != nullptr) observer_->OnReadsDone();
    logic_->OnReadsDone();
  }
  if (writing_) {
    writing_ = false;
    logic_->OnWritten(false);
  }
  if (!cancelled_first) logic_->OnCancelled();
  if (!finished_.has_value()) {
    world_.verdict.Fail("a broken call is not ended");
  }
  MaybeClose();
}

void Call::MaybeClose() {
  if (!finished_.has_value() || writing_ || closing_) return;
  closing_ = true;
  InServer(kReaction, &Call::Close);
}

void Call::Close() {
  if (writing_) logic_->OnWritten(false);
  writing_ = false;
  if (reading_) {
    reading_ = false;
    logic_->OnReadsDone();
  }
  logic_->OnDone();
  logic_.reset();
  observer_.reset();
  done_ = true;
  Carry(to_client_, [this] {
    if (client_ == nullptr) return;
    std::exchange(client_, nullptr)->OnEnded(*finished_);
  });
}

void Call::OnServerGone(Duration learns) {
  // What it sent before is still on its way.
  if (done_) return;
  observer_.reset();
  if (logic_ != nullptr) {
    logic_->OnCancelled();
    if (reading_) logic_->OnReadsDone();
    if (writing_) logic_->OnWritten(false);
    logic_->OnDone();
    logic_.reset();
  }
  done_ = true;
  if (!broken_) Cut(learns, LostConnection());
}

}  // namespace lifesign::sim
