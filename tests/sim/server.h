// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The server, run after run, without gRPC, timer and threads that decide when.
#ifndef LIFESIGN_TESTS_SIM_SERVER_H_
#define LIFESIGN_TESTS_SIM_SERVER_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "client/cli/simulate/random.h"
#include "lifesign/v1/presence_service.pb.h"
#include "server/transport/presence_runtime.h"
#include "server/transport/quota.h"
#include "server/transport/rounds.h"
#include "tests/sim/await_oracle.h"
#include "tests/sim/call.h"
#include "tests/sim/count_oracle.h"
#include "tests/sim/journal.h"
#include "tests/sim/list_oracle.h"
#include "tests/sim/own_clock.h"
#include "tests/sim/process.h"
#include "tests/sim/read_oracle.h"
#include "tests/sim/room_oracle.h"
#include "tests/sim/schedule.h"
#include "tests/sim/stream_oracle.h"
#include "tests/sim/truth.h"
#include "tests/sim/verdict.h"
#include "tests/sim/watch_oracle.h"
#include "tests/sim/world_options.h"

namespace lifesign::sim {

// A PresenceRuntime as lifesignd has it, and the oracles beside it. Whatever is
// done in it is looked at by them.
class Server final : public Process, private Rounds {
 public:
  // `users`: whoever may come. All outlive it.
  Server(const WorldOptions& options, std::vector<std::string> users,
         Schedule& schedule, Journal& journal, Verdict& verdict);
  ~Server();

  // Is told whenever somebody is told that a user has become `state`: by a
  // change, or by what a watch of an earlier run is told last.
  using OnTold = std::function<void(const std::string& user, State state)>;
  void SetOnTold(OnTold on_told) { on_told_ = std::move(on_told); }

  // --- Its life ---

  // REQUIRES: !up().
  void Start();
  // Without a word. REQUIRES: up(), and every call knows that it is gone.
  void Stop();
  bool up() const override { return run_ != nullptr; }
  // The number of the run; from 1.
  std::uint64_t runs() const { return runs_; }
  // The process stands still for so long.
  void Freeze(Duration length);
  // Rounds of publishing do not come before `until`.
  void HoldRounds(RealTime until) { rounds_held_until_ = until; }
  void Heal();
  // Ticks need to be no closer than it takes to be exact then.
  void OnHorizon(RealTime horizon) { horizon_ = horizon; }

  // --- In its process; REQUIRES: up() ---

  void At(RealTime at, std::function<void()> work) override;
  void Accept(Call& call) override;
  // False if deadlines had to wait.
  bool Tick();
  // Has everything told as of now, and recounts.
  void Recount();
  void Drain(Duration budget);
  void SetPolicy(int policy);
  // Reads everything about `user`, and how many there are.
  void Read(const std::string& user);
  // The next page of that listing; `otherwise`: with another filter than its
  // own. There are two.
  void List(int listing, const v1::ListPresencesRequest& request,
            bool otherwise);
  grpc::Status SendSignal(const v1::SendSignalRequest& request,
                          v1::SendSignalResponse& response);

  // --- What should be so; REQUIRES: up() ---

  const Now& now() const { return now_; }
  const Truth& truth() const { return run_->truth; }
  const SignalOracle& signals() const { return run_->signals; }
  bool draining() const;

 private:
  struct Run {
    Run(const WorldOptions& world, const std::vector<std::string>& users,
        const Policy& policy, const Now& now, const Clock& clock,
        Rounds& publisher, Journal& journal, Verdict& verdict);

    const WorldOptions options;
    Quota awaited_users;
    PresenceRuntime runtime;
    const UnaryCalls unary;
    Truth truth;
    RoomOracle rooms;
    SignalOracle signals;
    WatchOracles watches;
    AwaitOracles awaits;
    CountOracle counts;
    ReadOracle reads;
    ListOracle lists;
  };

  // For a call that needs a round, in the midst of a step.
  void PublishNow() override;

  void Enter(const std::function<void()>& work);
  // What came while it was frozen is done.
  void Thaw();
  void ReadClock();
  // Takes in what the step that ends has changed.
  void Collect();
  void TickAt(RealTime at);
  void AcceptWatch(Call& call);
  void AcceptAwait(Call& call);
  void ExpectRound(Duration after);
  void Round();

  const WorldOptions& options_;
  const std::vector<std::string> users_;
  Schedule& schedule_;
  Journal& journal_;
  Verdict& verdict_;
  Random random_;
  OnTold on_told_;

  OwnClock clock_;
  Now now_;
  std::uint64_t runs_ = 0;
  int policy_;
  std::array<Listing, 2> listings_;
  std::unique_ptr<Run> run_;
  RealTime frozen_until_ = RealTime::min();
  std::vector<std::function<void()>> frozen_;  // what came meanwhile
  RealTime rounds_held_until_ = RealTime::min();
  RealTime horizon_ = RealTime::min();
  bool round_expected_ = false;
  int ticks_ = 0;
};

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_SERVER_H_
