// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A watcher of the client library's.
#ifndef LIFESIGN_TESTS_SIM_WATCHER_H_
#define LIFESIGN_TESTS_SIM_WATCHER_H_

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "lifesign/client/internal/watch_logic.h"
#include "tests/sim/network.h"

namespace lifesign::sim {

// The library's WatchLogic, on calls of a simulated network.
class Watcher final : public CallClient, public client::internal::WatchPort {
 public:
  // All outlive it.
  Watcher(Network& network, Schedule& schedule, Journal& journal,
          Verdict& verdict);
  ~Watcher();

  // Watches these instead of whom it watched.
  void Watch(const std::vector<std::string>& users, Duration batching,
             Duration progress, std::uint64_t seed);
  void Stop();

  // Whether it is synced and holds of every user the state that `state_of`
  // says; also if it watches nobody.
  template <typename StateOf>
  bool Holds(const StateOf& state_of) const;
  // What it holds, for a person.
  std::string Words() const;

  void OnTaken() override {}
  void OnMessage(const grpc::ByteBuffer& message) override;
  void OnEnded(const grpc::Status& status) override;

 private:
  void BeginStream(const v1::WatchPresenceRequest& request) override;
  // Nobody is added or removed here.
  void BeginFollowing(const v1::WatchPresenceRequest&) override {}
  void Write(const v1::FollowPresenceRequest&) override {}
  void CancelStream() override;

  void Follow();
  void CheckEvent(const client::WatchEvent& event);

  Network& network_;
  Schedule& schedule_;
  Journal& journal_;
  Verdict& verdict_;

  std::mt19937_64 random_;
  std::unique_ptr<client::internal::WatchLogic> logic_;
  std::vector<std::string> users_;
  // Changes with every watch: what was filed for another is not done.
  std::uint64_t life_ = 0;
  RealTime filed_ = RealTime::max();
  std::shared_ptr<Call> call_;
};

template <typename StateOf>
bool Watcher::Holds(const StateOf& state_of) const {
  if (logic_ == nullptr) return true;
  const client::WatchStatus status = logic_->StatusAt(schedule_.now());
  if (!status.synced || status.stale) return false;
  for (const std::string& user : users_) {
    const v1::PresenceRecord* record = logic_->view().Find(user);
    if (record == nullptr || record->state() != state_of(user)) return false;
  }
  return true;
}

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_WATCHER_H_
