// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What docs/concepts.md § 9 guarantees to a watch, at the server's edge.
#ifndef LIFESIGN_TESTS_SIM_WATCH_ORACLE_H_
#define LIFESIGN_TESTS_SIM_WATCH_ORACLE_H_

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/optional.h"
#include "lifesign/v1/presence_service.pb.h"
#include "server/transport/codec/decode.h"
#include "server/transport/stream_registry.h"
#include "tests/sim/call.h"
#include "tests/sim/truth.h"

namespace lifesign::sim {

class WatchOracles;

// One watch. It models no mailbox: whatever is told must have been emitted, in
// order, once, and whatever was emitted must have been told when nothing keeps
// it.
class WatchOracle final : public CallObserver {
 public:
  // `users`: whom it selects.
  WatchOracle(StreamId id, const WatchOptions& options,
              std::vector<std::string> users, const Call& call,
              WatchOracles& all);

  void OnRead(const grpc::ByteBuffer&) override {}
  void OnReadsDone() override {}
  void OnWrite(const grpc::ByteBuffer& message) override;
  void OnWritten() override {}
  void OnBroken() override {}
  void OnFinish(const grpc::Status& status) override;

  // The step is over, and all that it changed is known.
  void Collected();
  // Everything was published, and nothing runs.
  void Published();
  // The same, after a tick on which deadlines fired.
  void Ticked();

 private:
  // A user, as its client was told last.
  struct Held {
    Revision revision = 0;
    State state = State::kOffline;
    DeviceStates devices = kNoDevices;  // if it is told of them
    // As Told has it, and in the words of the message.
    std::string availability;
    std::string told_availability;
  };

  void CheckFirst(const v1::WatchPresenceResponse& response);
  v1::ResyncReason ExpectedResync() const;
  void TakeSnapshot(const v1::PresenceRecord& record);
  void TakeChange(const v1::PresenceRecord& record);
  // As what it was emitted, and published; null: it was not.
  const Told* AsPublished(const v1::PresenceRecord& record) const;
  // Of one who is caught up with: whether it is what holds. Returns its
  // availability.
  std::string CheckCopy(const v1::PresenceRecord& record);
  // Who is told may have been copied.
  bool CatchesUp() const;
  // The snapshot, or what stands for it, begins.
  void BeginAnew();
  void CheckSynced(const v1::WatchPresenceResponse& response);
  void CheckToken(const std::string& bytes);
  // Whether its client knows what there is to be known of `user` up to
  // `newest`.
  bool Knows(const std::string& user, const Told& newest) const;
  // What of `user` was not told, for a person.
  std::string Words(const std::string& user, const Told& newest) const;
  // The first user of whom something is published that was not told,
  // and that need not wait for its batch any more.
  absl::optional<std::string> Owed(Duration batching) const;
  bool Selects(const std::string& user) const;
  bool Reconverging() const;
  // `record` is as `availability` has it; see Told.
  Held HeldOf(const v1::PresenceRecord& record,
              const std::string& availability) const;
  Held HeldOf(const PresenceRecord& record,
              const std::string& availability) const;
  Detail detail() const { return options_.terms.detail; }
  View view() const { return options_.terms.view; }
  void Fail(const std::string& what) const;

  const StreamId id_;
  const WatchOptions options_;
  const std::vector<std::string> users_;  // sorted
  const std::uint64_t selector_;
  const Call& call_;
  WatchOracles& all_;
  const Revision published_at_start_;
  // Its token is of another run: what is not known yet is told last.
  const bool waits_;
  // It goes on from this revision, if it does.
  absl::optional<Revision> since_;

  // What its client holds, were it to read everything.
  std::map<std::string, Held> held_;
  // Told on this stream.
  std::set<std::string> told_;
  int messages_ = 0;
  bool synced_ = false;
  // A snapshot of the tenant ended in this step.
  bool left_out_ = false;
  bool finished_ = false;
  PresenceTime written_;
  PresenceTime token_told_;
  PresenceTime finished_at_ = kNever;
  // Told in this step.
  std::string token_;
};

// All of them.
class WatchOracles {
 public:
  // All outlive it. `users`: whoever may come.
  WatchOracles(const WorldOptions& options, const PresenceEngine& engine,
               const std::vector<std::string>& users, Truth& truth,
               const Now& now, Journal& journal, Verdict& verdict)
      : mailboxes_overflow_(options.max_mailbox_bytes <
                            limits::kMaxMailboxBytes),
        engine_(engine),
        users_(users),
        truth_(truth),
        now_(now),
        journal_(journal),
        verdict_(verdict) {}

  std::shared_ptr<WatchOracle> Begin(StreamId id, const WatchOptions& options,
                                     const Call& call);
  // Is told what a watch of an earlier run is told in its snapshot.
  void SetOnTold(std::function<void(const std::string&, State)> on_told) {
    on_told_ = std::move(on_told);
  }
  void OnDrain() { draining_ = true; }
  void Collected();
  void Published();
  void Ticked();
  // Whether users were copied since it was last asked: who is copied, and who
  // is looked at for that, is evaluated.
  bool TookCopies() { return std::exchange(took_copies_, false); }

 private:
  friend class WatchOracle;

  const bool mailboxes_overflow_;
  const PresenceEngine& engine_;
  const std::vector<std::string>& users_;
  Truth& truth_;
  const Now& now_;  // moves
  Journal& journal_;
  Verdict& verdict_;
  std::function<void(const std::string&, State)> on_told_;
  bool draining_ = false;
  bool took_copies_ = false;
  // Something was told in this step.
  bool told_ = false;
  std::vector<std::weak_ptr<WatchOracle>> watches_;
};

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_WATCH_ORACLE_H_
