// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A server, its clients, the network between them, and time.
#ifndef LIFESIGN_TESTS_SIM_WORLD_H_
#define LIFESIGN_TESTS_SIM_WORLD_H_

#include <deque>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/awaiter.h"
#include "tests/sim/member.h"
#include "tests/sim/network.h"
#include "tests/sim/observer.h"
#include "tests/sim/server.h"
#include "tests/sim/step.h"
#include "tests/sim/watcher.h"

namespace lifesign::sim {

class World {
 public:
  // `follower`: to whom everything is printed; null: to nobody.
  World(const WorldOptions& options, std::ostream* follower);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Lets time go by until `step`, and does it. Nothing, once something was
  // wrong.
  void Run(const Step& step);
  // Ends all faults, and checks that everything comes right by itself.
  void Settle();

  const absl::optional<std::string>& fault() const { return verdict_.fault(); }
  const Journal& journal() const { return journal_; }
  // Since the start.
  Duration now() const { return schedule_.now() - start_; }
  // Instants, since the start, at which something may come to be otherwise.
  std::vector<Duration> Boundaries() const;

 private:
  // One that keeps to no rule is told nothing.
  class Deaf final : public CallClient {
   public:
    void OnTaken() override {}
    void OnMessage(const grpc::ByteBuffer&) override {}
    void OnEnded(const grpc::Status&) override {}
  };
  struct Peer {
    std::vector<std::shared_ptr<Call>> calls;
  };

  void RunUntil(RealTime until);
  void RunPeer(const Step& step);
  void RunMember(const Step& step);
  void RunNetwork(const Step& step);
  void RunServer(const Step& step);
  Call* CallOf(const Step& step);
  void SendSignal(const Step& step);
  void HarmHolderOf(const Call& call);
  void Watch(const Step& step);
  void Observe(const Step& step);
  void Await(const Step& step);
  void StopServer(Duration clients_learn);
  void StartServer();
  // Every watcher and observer holds what is so.
  bool AllTold() const;
  // Every member who is there is online.
  bool AllBack() const;
  State StateOf(const std::string& user, View view) const;

  const WorldOptions options_;
  Schedule schedule_;
  const RealTime start_;
  Journal journal_;
  Verdict verdict_;
  Server server_;
  Network network_;
  Deaf deaf_;
  std::vector<Peer> peers_;
  // Not moved: calls point at them.
  std::deque<Member> members_;
  std::deque<Watcher> watchers_;
  std::deque<Observer> observers_;
  std::deque<Awaiter> awaiters_;
  // Whether what a steady member is promised can be kept here.
  bool promises_hold_;
};

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_WORLD_H_
