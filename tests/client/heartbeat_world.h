// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A HeartbeatLogic in a world that stands still between steps: a server that
// answers as told, a network that breaks when told, and time that is moved.
#ifndef LIFESIGN_TESTS_CLIENT_HEARTBEAT_WORLD_H_
#define LIFESIGN_TESTS_CLIENT_HEARTBEAT_WORLD_H_

#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/optional.h"
#include "lifesign/client/internal/heartbeat_logic.h"
#include "lifesign/client/internal/heartbeat_port.h"
#include "lifesign/v1/presence_service.pb.h"

namespace lifesign::client::internal {

// What the client did, in order, with the instant it did it at.
struct Said {
  RealTime at;
  v1::HeartbeatRequest message;
};
struct Called {
  RealTime at;
  Handle handle;
  v1::SendSignalRequest request;
};

class HeartbeatWorld : public HeartbeatPort {
 public:
  static HeartbeatLogic::Options ForSession() { return {}; }
  static HeartbeatLogic::Options ForGateway(bool beats = false) {
    HeartbeatLogic::Options options;
    options.beats = beats;
    options.ends_with_sessions = false;
    return options;
  }

  explicit HeartbeatWorld(HeartbeatLogic::Options options = ForSession(),
                          uint64_t seed = 1);

  // --- The world; each is followed by whatever the server then does.

  // Moves time, with timers firing at their instants.
  void Advance(Duration by);
  // Moves time without the timers firing before its end: the machine slept.
  void Sleep(Duration by);
  // Ends the stream as `code` with `reason` and what else is given.
  void EndStream(grpc::StatusCode code,
                 v1::ErrorReason reason = v1::ERROR_REASON_UNSPECIFIED,
                 absl::optional<Duration> retry_delay = absl::nullopt);
  void Send(const v1::HeartbeatResponse& response);
  void SendError(Handle handle, grpc::StatusCode code, v1::ErrorReason reason,
                 uint64_t message,
                 absl::optional<Duration> retry_delay = absl::nullopt);
  void SendDrain(Duration delay);
  // Answers all that was said.
  void Acknowledge();
  void AnswerCall(size_t index, grpc::StatusCode code);
  // Lets what was said be taken and answered (or not).
  void Settle();

  // Says something to the logic: `world.Do([&](auto& logic, RealTime now) …)`.
  template <typename Word>
  auto Do(const Word& word) {
    if constexpr (std::is_void_v<decltype(word(logic, now))>) {
      word(logic, now);
      Settle();
    } else {
      auto result = word(logic, now);
      Settle();
      return result;
    }
  }
  Handle Open(const std::string& user = "u1", const std::string& session = "s1",
              absl::optional<Lifecycle> lifecycle = Lifecycle::kActive);

  SessionStatus Status(Handle handle = 1) const;
  const v1::HeartbeatRequest& last() const { return said.back().message; }
  // Since the start of the world.
  Duration Elapsed() const { return now - kStart; }

  // --- How the server and the network behave.
  bool connection_stands = true;
  bool takes_writes = true;
  bool answers = true;
  // Opens are refused so; OK: they are not.
  grpc::StatusCode refuses_opens = grpc::StatusCode::OK;
  std::map<v1::SignalKind, Duration> intervals = {
      {v1::SIGNAL_KIND_UNSPECIFIED, std::chrono::seconds(30)},
      {v1::SIGNAL_KIND_ACTIVE, std::chrono::seconds(10)},
      {v1::SIGNAL_KIND_IDLE, std::chrono::seconds(30)},
      {v1::SIGNAL_KIND_BACKGROUND, std::chrono::seconds(60)}};

  // Told with every open; none: not told.
  absl::optional<Duration> report_after;

  // --- What happened.
  std::vector<Said> said;
  std::vector<Called> called;
  std::vector<RealTime> begun;
  bool streaming = false;
  bool half_closed = false;
  bool cancelled = false;
  // What the server holds bound on this stream, and the kind it was last told.
  std::map<Handle, std::string> bound;
  std::map<Handle, v1::SignalKind> kinds;
  uint64_t received = 0;

  static constexpr RealTime kStart = RealTime(std::chrono::hours(1));
  RealTime now = kStart;
  std::mt19937_64 random;
  HeartbeatLogic logic;

 private:
  bool BeginStream() override;
  void Write(const v1::HeartbeatRequest& message) override;
  void HalfClose() override { half_closed = true; }
  void CancelStream() override { cancelled = true; }
  void CallLeave(Handle handle, const v1::SendSignalRequest& request) override;

  v1::HeartbeatResponse AnswerTo(const v1::HeartbeatRequest& message);
  void Update(Handle handle, v1::SignalKind kind,
              v1::HeartbeatResponse& response);

  const v1::HeartbeatRequest* writing_ = nullptr;
  uint64_t attachments_ = 0;
};

// The status that a server sends.
google::rpc::Status MakeStatus(
    grpc::StatusCode code, v1::ErrorReason reason,
    absl::optional<Duration> retry_delay = absl::nullopt);

}  // namespace lifesign::client::internal

#endif  // LIFESIGN_TESTS_CLIENT_HEARTBEAT_WORLD_H_
