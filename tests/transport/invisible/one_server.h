// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A server without gRPC and without threads, of which every byte that a caller
// gets can be compared with another one's.
#ifndef LIFESIGN_TESTS_TRANSPORT_INVISIBLE_ONE_SERVER_H_
#define LIFESIGN_TESTS_TRANSPORT_INVISIBLE_ONE_SERVER_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "lifesign/v1/presence_service.pb.h"
#include "server/base/clock.h"
#include "server/transport/await/await_call.h"
#include "server/transport/heartbeat/heartbeat_stream.h"
#include "server/transport/publisher.h"
#include "server/transport/quota.h"
#include "server/transport/server_parts.h"
#include "server/transport/unary/unary_calls.h"
#include "server/transport/watch/watch_stream.h"
#include "tests/transport/streams/fake_call.h"

namespace lifesign::testing {

// Publishes as the real one does: when the core says that there is something,
// and with every tick.
class OneServer {
 public:
  explicit OneServer(const Policy& policy, bool may_see_through = false);
  ~OneServer();

  Now now() const { return time_.Read(); }
  PresenceEngine& engine() { return engine_; }
  const UnaryCalls& calls() const { return calls_; }
  const ServerParts& parts() const { return parts_; }

  // Moves time, tick by tick.
  void Advance(Duration by);
  // Publishes, if something was announced.
  void Settle();

  // --- What clients do. Sessions are named "user/session". ---

  // Opens, by a stream of its own; `declaring` in any case.
  void Open(const std::string& name, absl::optional<SignalKind> with,
            DeviceClass device = DeviceClass::kWeb,
            absl::optional<AvailabilityDeclaration> declaring = absl::nullopt,
            const std::vector<absl::string_view>* rooms = nullptr);
  // By the stream that opened it last; nothing happens if there is none.
  void Send(const std::string& name, const Signal& signal);
  void Declare(const std::string& name, SignalKind kind,
               const AvailabilityDeclaration& said);
  void DeclareAlone(const std::string& user,
                    const AvailabilityDeclaration& said);
  // With an ACTIVE; `declaring` may be null.
  void ChangeRooms(const std::string& name, const RoomChange& rooms,
                   const AvailabilityDeclaration* declaring = nullptr);
  // With an ACTIVE. Not any more, if `expires_in` is 0.
  void Want(const std::string& name, const std::string& target,
            const std::string& room, Duration expires_in);
  // Opens, with an ACTIVE, what was the guest's until now.
  void OpenForGuest(const std::string& name, const std::string& guest);
  void CloseStream(const std::string& name);

  // --- What callers see. ---

  // The answer to a unary call, or its error with all details, as bytes.
  template <typename Request>
  std::string Call(grpc::Status (UnaryCalls::*method)(const grpc::ByteBuffer&,
                                                      grpc::ByteBuffer&) const,
                   const Request& request);

  // How the client of a watch behaves.
  enum class Client {
    kUsual,  // takes whatever it is told, at once
    kSlow,   // takes what it is told whenever time has moved
    // By FollowPresence: begins with all but the first user and adds that one.
    kFollowing,
  };
  // Begins a watch.
  void Watch(const std::string& name, v1::WatchPresenceRequest request,
             Client client = Client::kUsual);
  void EndWatch(const std::string& name);
  // All messages of it so far, byte for byte, or why it ended.
  std::vector<std::string> HeardBy(const std::string& name);
  std::string TokenOf(const std::string& name);

  // Begins an await.
  void Await(const std::string& name, const v1::AwaitPresenceRequest& request);
  // Its answer, byte for byte, or why there is none; empty while it waits.
  std::string AnswerOf(const std::string& name) const;
  // The answer to one that waits for nothing.
  std::string LookOnce(v1::AwaitPresenceRequest request);

 private:
  struct Watching {
    std::shared_ptr<WatchStream> stream;
    FakeCall<v1::WatchPresenceResponse> call;
    bool slow = false;
  };
  struct Awaiting {
    explicit Awaiting(std::int64_t weight) : quota(weight) {}
    Quota quota;
    FakeCall<v1::AwaitPresenceResponse> call;
  };

  // What clients of watches do until nothing is left to be done.
  void TakeWrites(bool also_slow);

  SimulatedClock clock_;
  TimeSource time_;
  bool announced_ = false;
  PresenceEngine engine_;
  Deadlines deadlines_;
  Jitter jitter_;
  StreamRegistry<HeartbeatStream> heartbeats_;
  StreamRegistry<WatchStream> watches_;
  StreamRegistry<AwaitCall> awaits_;
  Chores chores_{/*has_thread=*/false};
  Publisher publisher_;  // not started
  const ServerParts parts_;
  const UnaryCalls calls_;
  RealTime next_tick_;
  std::uint64_t next_stream_ = 1;
  std::map<std::string, SessionRef> refs_;
  std::map<std::string, std::unique_ptr<Watching>> watching_;
  std::map<std::string, std::unique_ptr<Awaiting>> awaiting_;
};

// `bytes` as one string.
std::string Flat(const grpc::ByteBuffer& bytes);

template <typename Request>
std::string OneServer::Call(grpc::Status (UnaryCalls::*method)(
                                const grpc::ByteBuffer&, grpc::ByteBuffer&)
                                const,
                            const Request& request) {
  grpc::ByteBuffer answer;
  const grpc::Status status =
      (calls_.*method)(SerializeToBytes(request), answer);
  Settle();
  if (!status.ok()) return "error " + status.error_details();
  return Flat(answer);
}

}  // namespace lifesign::testing

#endif  // LIFESIGN_TESTS_TRANSPORT_INVISIBLE_ONE_SERVER_H_
