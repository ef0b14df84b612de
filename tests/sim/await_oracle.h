// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What docs/concepts.md § 10 says of awaits, at the server's edge.
#ifndef LIFESIGN_TESTS_SIM_AWAIT_ORACLE_H_
#define LIFESIGN_TESTS_SIM_AWAIT_ORACLE_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "lifesign/v1/presence_service.pb.h"
#include "tests/sim/call.h"
#include "tests/sim/truth.h"

namespace lifesign::sim {

class AwaitOracles;

// One await. Counts its users anew with every change that is published, and
// beside that notes who was ever what it awaits.
class AwaitOracle final : public CallObserver {
 public:
  // In the step in which it comes, before it is looked at.
  AwaitOracle(const v1::AwaitPresenceRequest& request, const Call& call,
              AwaitOracles& all);

  void OnRead(const grpc::ByteBuffer&) override {}
  void OnReadsDone() override {}
  void OnWrite(const grpc::ByteBuffer& message) override;
  void OnWritten() override {}
  void OnBroken() override {}
  void OnFinish(const grpc::Status& status) override;

  void OnEmitted(const Change& change);
  void OnPublished(const Change& change);
  // The round is over.
  void Published();
  // After a tick on which deadlines fired.
  void Ticked();
  // Nothing runs, and nothing was put off.
  void Settled();

 private:
  struct Known {
    State state = State::kOffline;
    Revision revision = 0;
  };

  // What holds with these states.
  v1::AwaitPresenceResponse Answer() const;
  void NoteState(const std::string& user, State state);
  bool open() const { return !answered_ && !finished_; }
  void Fail(const std::string& what) const;

  const v1::AwaitPresenceRequest request_;
  const View view_;
  const Call& call_;
  AwaitOracles& all_;
  PresenceTime gives_up_;
  // None of its predicates needs several users, who may be told in another
  // order than the one in which they changed.
  bool each_needs_one_ = true;

  std::map<std::string, Known> users_;
  // Some predicate that needs one user had one, be it for a moment.
  bool held_by_one_ = false;
  // Since the first change with which a predicate held.
  absl::optional<v1::AwaitPresenceResponse> decided_;
  bool due_ = false;
  bool answered_ = false;
  bool finished_ = false;
};

// All of them.
class AwaitOracles {
 public:
  // All outlive it.
  AwaitOracles(const PresenceEngine& engine, Truth& truth, const Now& now,
               Journal& journal, Verdict& verdict)
      : engine_(engine),
        truth_(truth),
        now_(now),
        journal_(journal),
        verdict_(verdict) {}

  std::shared_ptr<AwaitOracle> Begin(const v1::AwaitPresenceRequest& request,
                                     const Call& call);
  // Drains; awaits end by then.
  void OnDrain(PresenceTime by) { drained_by_ = by; }
  void OnEmitted(const Change& change);
  void OnPublished(const Change& change);
  void Published();
  void Ticked();
  void Settled();

 private:
  friend class AwaitOracle;

  template <typename Told>
  void Tell(const Told& told);

  const PresenceEngine& engine_;
  Truth& truth_;
  const Now& now_;  // moves
  Journal& journal_;
  Verdict& verdict_;
  absl::optional<PresenceTime> drained_by_;
  std::vector<std::weak_ptr<AwaitOracle>> awaits_;
};

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_AWAIT_ORACLE_H_
