// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What signals come to, on streams and by unary calls, as docs/concepts.md
// §§ 5, 12 say it.
#ifndef LIFESIGN_TESTS_SIM_STREAM_ORACLE_H_
#define LIFESIGN_TESTS_SIM_STREAM_ORACLE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/optional.h"
#include "lifesign/v1/presence_service.pb.h"
#include "server/transport/codec/api_error.h"
#include "server/transport/stream_registry.h"
#include "tests/sim/call.h"
#include "tests/sim/room_oracle.h"
#include "tests/sim/truth.h"
#include "tests/sim/witness.h"

namespace lifesign::sim {

class SignalOracle;

// One heartbeat stream: what it holds, and what its client must be told.
class StreamOracle final : public CallObserver {
 public:
  StreamOracle(StreamId id, const Call& call, SignalOracle& signals);

  void OnRead(const grpc::ByteBuffer& message) override;
  void OnReadsDone() override;
  void OnWrite(const grpc::ByteBuffer& message) override;
  void OnWritten() override {}
  void OnBroken() override {}
  void OnFinish(const grpc::Status& status) override;

  // Another instance opened the session that it holds under `handle`.
  void OnTakenOver(std::uint32_t handle);
  // The server drains.
  void OnDrain();
  // Checks that nothing is owed. To be called whenever nothing runs.
  void Settled();
  // The same, after a tick on which deadlines fired.
  void Ticked();

 private:
  friend class SignalOracle;

  struct Bound {
    std::string user;
    std::string session;
    Attachment attachment;  // the model's
  };
  struct Update {
    State state;
    Duration next_interval;
    absl::optional<OpenOutcome> opened;
  };
  struct Error {
    std::uint64_t message;
    std::uint32_t handle;
    v1::ErrorReason reason;
  };

  void ApplyOpen(const v1::Open& open, int index);
  void ApplySignal(const v1::Signal& signal, int index);
  absl::optional<v1::ErrorReason> SpeaksAgainst(std::uint32_t handle,
                                                const std::string& user,
                                                const std::string& session);
  void Refuse(std::uint32_t handle, v1::ErrorReason reason);
  void AddUpdate(std::uint32_t handle, const Update& update);
  bool IsBound(const Bound& bound) const;
  bool Owes() const;
  void CheckUpdates(const v1::HeartbeatResponse& response);
  void CheckErrors(const v1::HeartbeatResponse& response);
  void Fail(const std::string& what) const;
  // All sessions are let go of.
  void Disconnect();

  const StreamId id_;
  const Call& call_;
  SignalOracle& signals_;

  std::map<std::uint32_t, Bound> bound_;
  std::map<std::uint32_t, Update> updates_;
  std::deque<Error> errors_;
  bool drain_ = false;
  bool answer_always_ = false;
  bool answer_wanted_ = false;
  bool half_closed_ = false;
  bool finished_ = false;
  std::uint64_t received_ = 0;
  std::uint64_t answered_ = 0;
  PresenceTime answer_due_ = kNever;
  // When it was last seen to hold a session.
  PresenceTime held_ = kNever;
};

// All of them, and the sessions that they share.
class SignalOracle {
 public:
  // All outlive it.
  SignalOracle(const WorldOptions& options, const Policy& policy, Truth& truth,
               RoomOracle& rooms, const Now& now, Journal& journal,
               Verdict& verdict);

  std::shared_ptr<StreamOracle> Begin(StreamId id, const Call& call);

  // What a SendSignal should come to. To be asked before it is answered.
  struct Answer {
    absl::optional<v1::ErrorReason> error;
    v1::SendSignalResponse response;
    // Of an open, the model's number of what it makes.
    Attachment opened = kNoAttachment;
  };
  Answer Expect(const v1::SendSignalRequest& request);
  // And once it is.
  void Check(const Answer& expected, const grpc::Status& status,
             const v1::SendSignalResponse& response);

  void OnDrain();
  void Settled();
  void Ticked();
  void OnPolicy(const Policy& policy);
  Witness& witness() { return witness_; }

  // The model numbers attachments by itself. What the server calls the newest
  // one of a session, or with `back` one before; kNoAttachment if that was not
  // told.
  Attachment GivenFor(const std::string& user, const std::string& session,
                      int back) const;
  // What the server calls the attachment that the model calls `model`.
  Attachment GivenFor(Attachment model) const;

 private:
  friend class StreamOracle;

  // Opens in the model. `request.binding` is set.
  OpenOutcome Open(const OpenRequest& request);
  // A signal of this session was taken, with what it declares.
  void Heard(const std::string& user, const std::string& session,
             SignalKind kind, const Declaration& declaration);
  // The server tells that it gave `given` to what the model calls `model`.
  void Give(Attachment model, Attachment given);
  // Of a number that a client names; one that no session has, if it was never
  // given.
  Attachment ModelOf(Attachment given) const;

  const WorldOptions& options_;
  Truth& truth_;
  RoomOracle& rooms_;
  const Now& now_;  // moves
  Journal& journal_;
  Verdict& verdict_;
  Policy policy_;
  Witness witness_;
  bool draining_ = false;
  Attachment attachments_ = 0;
  std::map<Attachment, Attachment> given_;  // by the model's
  std::map<Attachment, Attachment> model_;  // by the server's
  // The model's, oldest first.
  std::map<std::pair<std::string, std::string>, std::vector<Attachment>>
      of_session_;
  std::map<StreamId, std::weak_ptr<StreamOracle>> streams_;
};

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_STREAM_ORACLE_H_
