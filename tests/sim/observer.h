// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A watcher of any kind that the API knows.
#ifndef LIFESIGN_TESTS_SIM_OBSERVER_H_
#define LIFESIGN_TESTS_SIM_OBSERVER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client/cli/simulate/random.h"
#include "lifesign/v1/presence_service.pb.h"
#include "tests/sim/network.h"

namespace lifesign::sim {

// Keeps a view by the receiver's rule, and nothing else of what a good client
// does: when its stream ends it begins another within a few seconds, with the
// newest token, an older one, one of somebody else, or none.
class Observer final : public CallClient {
 public:
  // What a user is, for whoever asks.
  using StateOf = std::function<v1::PresenceState(const std::string& user)>;

  // All outlive it.
  Observer(Network& network, Schedule& schedule, Journal& journal,
           Verdict& verdict);
  ~Observer();

  void Observe(const v1::WatchPresenceRequest& request, std::uint64_t seed);
  void Stop();
  bool sees_through() const { return request_.see_through(); }

  // Whether it is synced and knows of `everyone` whom it watches what is of
  // interest; also if it watches nobody.
  bool Holds(const std::vector<std::string>& everyone,
             const StateOf& state_of) const;
  // What it holds, for a person.
  std::string Words() const;

  void OnTaken() override {}
  void OnMessage(const grpc::ByteBuffer& message) override;
  void OnEnded(const grpc::Status& status) override;

 private:
  struct Held {
    std::uint64_t revision = 0;
    v1::PresenceState state = v1::PRESENCE_STATE_UNSPECIFIED;
    // Told since the snapshot began.
    bool fresh = false;
  };

  void Begin();
  void Take(const v1::PresenceRecord& record);
  void TakeToken(const std::string& token);
  bool OfInterest(v1::PresenceState state) const;

  Network& network_;
  Schedule& schedule_;
  Journal& journal_;
  Verdict& verdict_;

  Random random_{0};
  bool watches_ = false;
  v1::WatchPresenceRequest request_;
  // Changes with every watch: what was filed for another is not done.
  std::uint64_t life_ = 0;
  std::shared_ptr<Call> call_;
  // Newest last.
  std::vector<std::string> tokens_;
  // A snapshot is under way that replaces what is held.
  bool replacing_ = false;
  bool synced_ = false;
  std::map<std::string, Held> held_;
};

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_OBSERVER_H_
