// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A streaming call over a simulated connection.
#ifndef LIFESIGN_TESTS_SIM_CALL_H_
#define LIFESIGN_TESTS_SIM_CALL_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "absl/types/optional.h"
#include "client/cli/simulate/random.h"
#include "server/transport/call/stream_port.h"
#include "tests/sim/process.h"
#include "tests/sim/schedule.h"
#include "tests/sim/verdict.h"

namespace lifesign::sim {

using simulate::Random;

// What a call tells its client. OnEnded comes last, once.
class CallClient {
 public:
  virtual void OnTaken() = 0;
  virtual void OnMessage(const grpc::ByteBuffer& message) = 0;
  virtual void OnEnded(const grpc::Status& status) = 0;

 protected:
  ~CallClient() = default;
};

// Is told what passes between a call and its stream on the server, each before
// the other side does anything about it; so it may say what is to come.
class CallObserver {
 public:
  virtual ~CallObserver() = default;

  virtual void OnRead(const grpc::ByteBuffer& message) = 0;
  virtual void OnReadsDone() = 0;
  virtual void OnWrite(const grpc::ByteBuffer& message) = 0;
  virtual void OnWritten() = 0;
  virtual void OnBroken() = 0;
  virtual void OnFinish(const grpc::Status& status) = 0;
};

// How a connection carries.
struct Route {
  Duration least_delay;
  Duration most_delay;
  // Messages of the server that flow control takes before the client has read
  // one.
  int window;
};

// As gRPC carries it: each direction in order, nothing twice; what had not
// arrived when the connection broke is lost, and each side learns of that when
// it does. Fails the world on what would make gRPC abort the process. Kept
// alive by whoever began it until over().
class Call final : public StreamPort,
                   public std::enable_shared_from_this<Call> {
 public:
  enum class Kind { kHeartbeat, kWatch, kAwait };

  // What it shares with all calls of a world; outlives it.
  struct World {
    Schedule& schedule;
    Process& process;
    Verdict& verdict;
  };

  // `client` outlives it, or forsakes it.
  Call(Kind kind, std::uint64_t number, const World& world, const Route& route,
       CallClient& client, grpc::ByteBuffer request, std::uint64_t seed);

  Kind kind() const { return kind_; }
  std::uint64_t number() const { return number_; }
  // The one message of a call on which the client does not stream.
  const grpc::ByteBuffer& request() const { return request_; }
  // When its client gives up, as the server is told; mostly never.
  RealTime deadline() const { return deadline_; }
  // Both sides are.
  bool over() const { return done_ && client_ == nullptr; }

  // --- For its client ---

  // Before it arrives.
  void SetDeadline(RealTime deadline) { deadline_ = deadline; }
  // To be called once, first.
  void Begin();
  // OnTaken follows, unless the call ends before.
  void Send(const grpc::ByteBuffer& message);
  void HalfClose();
  // Breaks it off; OnEnded follows.
  void CancelByClient();
  // The client is gone without a word: it is told nothing any more.
  void Forsake() { client_ = nullptr; }

  // --- For who runs the server ---

  // What answers the call. To be called once, before `logic` is started.
  void Attach(std::shared_ptr<StreamLogic> logic,
              std::shared_ptr<CallObserver> observer);
  // The server's process is gone; the client learns of it after so long.
  void OnServerGone(Duration learns);
  // A write is in flight.
  bool writing() const { return writing_; }
  // The server was told that the connection is lost.
  bool known_broken() const { return known_broken_; }

  // --- Faults ---

  // Nothing passes any more. The sides learn of it after so long.
  void Break(Duration server_learns, Duration client_learns);
  // Nothing arrives before `until`.
  void Stall(bool to_server, bool to_client, RealTime until);
  // Stalls are over, and who does not know yet that it is broken learns it.
  void Heal();

  // --- StreamPort ---
  void Read() override;
  void Write(grpc::ByteBuffer message) override;
  void Finish(const grpc::Status& status) override;
  void Cancel() override;

 private:
  // One direction: what is on its way, in order.
  struct Pipe {
    std::deque<std::pair<RealTime, std::function<void()>>> items;
    RealTime last = RealTime::min();
    RealTime stalled_until = RealTime::min();
  };

  Duration Delay();
  void Carry(Pipe& pipe, std::function<void()> arrive);
  void Pump(Pipe& pipe);
  void PumpAt(RealTime at, Pipe& pipe);
  void InServer(Duration after, void (Call::*what)());
  // Nothing passes any more; the client learns so after so long.
  void Cut(Duration client_learns, const grpc::Status& status);

  void TakeArrived();
  void MaybeTake();
  void TakeWrite();
  void LearnBroken();
  void MaybeClose();
  void Close();

  const Kind kind_;
  const std::uint64_t number_;
  const World world_;
  const Route route_;
  RealTime deadline_ = RealTime::max();
  CallClient* client_;
  const grpc::ByteBuffer request_;
  Random random_;
  std::shared_ptr<StreamLogic> logic_;
  std::shared_ptr<CallObserver> observer_;

  // The connection.
  Pipe to_server_;
  Pipe to_client_;
  bool broken_ = false;
  bool known_broken_ = false;
  // Messages on their way to the client, or lost.
  int unread_ = 0;

  // The server's side.
  std::deque<grpc::ByteBuffer> arrived_;
  bool half_closed_ = false;
  bool reading_ = false;
  bool writing_ = false;
  bool taking_ = false;  // the write in flight is about to be taken
  bool closing_ = false;
  bool done_ = false;
  grpc::ByteBuffer in_flight_;
  absl::optional<grpc::Status> finished_;
};

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_CALL_H_
