// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A server's parts without gRPC and without a thread that publishes.
#ifndef LIFESIGN_TESTS_TRANSPORT_STREAMS_STREAM_WORLD_H_
#define LIFESIGN_TESTS_TRANSPORT_STREAMS_STREAM_WORLD_H_

#include <grpcpp/support/status.h>

#include <cstdint>
#include <string>

#include "absl/types/optional.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "lifesign/v1/presence_service.pb.h"
#include "server/base/clock.h"
#include "server/base/limits.h"
#include "server/transport/await/await_call.h"
#include "server/transport/codec/encode.h"
#include "server/transport/heartbeat/heartbeat_stream.h"
#include "server/transport/publisher.h"
#include "server/transport/server_parts.h"
#include "server/transport/watch/watch_stream.h"

namespace lifesign::testing {

class StreamWorld {
 public:
  explicit StreamWorld(
      StreamLimits limits = {}, absl::optional<Revision> epoch = absl::nullopt,
      std::int64_t max_retained_users = lifesign::limits::kMaxRetainedUsers)
      : time_(clock_),
        engine_(OptionsWith(limits, epoch, max_retained_users, time_.Read()),
                time_.Read()),
        deadlines_(time_.Read().presence),
        jitter_(1),
        publisher_(engine_, time_),
        parts_{engine_, time_,       deadlines_, chores_, publisher_,
               jitter_, heartbeats_, watches_,   awaits_, limits},
        next_tick_(clock_.RealNow() + limits::kDefaultTick) {}

  const ServerParts& parts() const { return parts_; }
  PresenceEngine& engine() { return engine_; }
  Now now() const { return time_.Read(); }

  // Moves time, tick by tick, and publishes what each brought.
  void Advance(Duration by) {
    const RealTime until = clock_.RealNow() + by;
    while (next_tick_ <= until) {
      clock_.Advance(next_tick_ - clock_.RealNow());
      next_tick_ += limits::kDefaultTick;
      time_.Tick();
      engine_.Tick(now());
      Publish();
      deadlines_.Fire(now());
    }
    clock_.Advance(until - clock_.RealNow());
  }
  // Moves time, and nothing that follows from it happens yet.
  void MoveClock(Duration by) { clock_.Advance(by); }
  void Publish() { publisher_.PublishNow(); }
  // What was put off is done when it returns.
  void AwaitChores() { chores_.Drain(); }

  State StateOf(const std::string& user) {
    return engine_.GetUser(user, now()).record.state;
  }
  // Makes `user` ACTIVE on a session without a stream.
  OpenOutcome Login(const std::string& user, const std::string& session,
                    DeviceClass device = DeviceClass::kOther) {
    OpenRequest request;
    request.name = {user, session};
    request.device = device;
    request.signal = Signal{};
    return engine_.Open(request, now());
  }
  void Leave(const std::string& user, const std::string& session,
             Attachment attachment) {
    Signal leave;
    leave.kind = SignalKind::kLeave;
    engine_.ApplyUnary({user, session}, attachment, leave, now());
  }

 private:
  static PresenceEngine::Options OptionsWith(const StreamLimits& limits,
                                             absl::optional<Revision> epoch,
                                             std::int64_t max_retained_users,
                                             const Now& start) {
    PresenceEngine::Options options;
    options.max_retained_users = max_retained_users;
    options.max_sessions_per_user = limits.max_sessions_per_user;
    options.encode_rooms = RoomEncoders();
    options.epoch = epoch.value_or(
        static_cast<Revision>(start.wall.time_since_epoch().count()));
    return options;
  }

  SimulatedClock clock_;
  TimeSource time_;
  PresenceEngine engine_;
  Deadlines deadlines_;
  Jitter jitter_;
  StreamRegistry<HeartbeatStream> heartbeats_;
  StreamRegistry<WatchStream> watches_;
  StreamRegistry<AwaitCall> awaits_;
  Chores chores_;
  Publisher publisher_;  // not started
  const ServerParts parts_;
  RealTime next_tick_;
};

// The one detail of type Detail; fails to parse into nothing.
template <typename Detail>
absl::optional<Detail> DetailOf(const google::rpc::Status& status) {
  for (const auto& any : status.details()) {
    Detail detail;
    if (any.UnpackTo(&detail)) return detail;
  }
  return absl::nullopt;
}
inline google::rpc::Status RpcStatusOf(const grpc::Status& status) {
  google::rpc::Status rich;
  rich.ParseFromString(status.error_details());
  return rich;
}
// "SESSION_NOT_OPEN".
inline std::string ReasonOf(const google::rpc::Status& status) {
  const auto info = DetailOf<google::rpc::ErrorInfo>(status);
  return info.has_value() ? info->reason() : "";
}
inline std::string ReasonOf(const grpc::Status& status) {
  return ReasonOf(RpcStatusOf(status));
}

}  // namespace lifesign::testing

#endif  // LIFESIGN_TESTS_TRANSPORT_STREAMS_STREAM_WORLD_H_
