// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/baseline/floors.h"

#include <grpcpp/support/slice.h>

#include "bench/baseline/streams.h"
#include "google/protobuf/timestamp.pb.h"

namespace lifesign::bench {
namespace {

// A heartbeat floor whose streams know only themselves.
template <typename Stream>
class Floor final : public HeartbeatFloor {
 public:
  RawHeartbeatReactor* Heartbeat(grpc::CallbackServerContext*) override {
    return new Stream;
  }
};

class EchoStream final : public Reader<EchoStream> {
 public:
  void OnMessage(grpc::ByteBuffer& bytes) {
    auto& arena = FreshArena();
    auto* request =
        google::protobuf::Arena::CreateMessage<v1::HeartbeatRequest>(&arena);
    if (!Parse(bytes, *request)) {
      Finish(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "malformed"));
      return;
    }
    // One answer at a time: the next message is read when this one is answered.
    grpc::ByteBuffer answer = Answered(arena, ++received_messages_);
    answer_.Swap(&answer);
    StartWrite(&answer_);
  }
  void OnWriteDone(bool ok) override {
    answer_.Clear();
    if (ok)
      ReadNext();
    else
      Finish(grpc::Status::CANCELLED);
  }

 private:
  std::uint64_t received_messages_ = 0;
  grpc::ByteBuffer answer_;
};

class DiscardStream final : public Reader<DiscardStream> {
 public:
  void OnMessage(const grpc::ByteBuffer&) { ReadNext(); }
};

class ParseStream final : public Reader<ParseStream> {
 public:
  void OnMessage(grpc::ByteBuffer& bytes) {
    Parse(bytes, *google::protobuf::Arena::CreateMessage<v1::HeartbeatRequest>(
                     &FreshArena()));
    ReadNext();
  }
};

// Heartbeats go to `Stream`, which is told of the watches.
template <typename Stream>
class Fanout final : public FanoutFloor {
 public:
  RawHeartbeatReactor* Heartbeat(grpc::CallbackServerContext*) override {
    return new Stream(watches_);
  }
  RawWatchReactor* WatchPresence(grpc::CallbackServerContext*,
                                 const grpc::ByteBuffer*) override {
    return watches_.Add();
  }

 private:
  Watches watches_;
};

class BroadcastStream final : public Reader<BroadcastStream> {
 public:
  explicit BroadcastStream(Watches& watches) : watches_(watches) {}

  void OnMessage(grpc::ByteBuffer& bytes) {
    auto& arena = FreshArena();
    auto* request =
        google::protobuf::Arena::CreateMessage<v1::HeartbeatRequest>(&arena);
    if (Parse(bytes, *request)) {
      for (const v1::Open& open : request->opens()) Tell(open.user_id());
      for (const v1::Signal& signal : request->signals()) {
        Tell(UserOf(signal.handle()));
      }
    }
    ReadNext();
  }

 private:
  // As the driver names them, so that both servers tell as many bytes.
  static std::string UserOf(std::uint32_t handle) {
    const std::string id = std::to_string(handle - 1);
    return "user-" + std::string(11 - id.size(), '0') + id;
  }

  void Tell(const std::string& user) {
    v1::WatchPresenceResponse response;
    v1::PresenceRecord& record = *response.add_changes();
    record.set_user_id(user);
    record.set_state(v1::PRESENCE_STATE_ACTIVE);
    record.set_cause(v1::CAUSE_SIGNAL);
    record.set_revision(kSomeRevision + ++changes_);
    for (auto* time : {record.mutable_since(), record.mutable_last_seen(),
                       record.mutable_last_active()}) {
      time->set_seconds(kSomeTime);
      time->set_nanos(kSomeNanos);
    }
    const grpc::Slice slice(response.SerializeAsString());
    watches_.SendToAll(grpc::ByteBuffer(&slice, 1));
  }

  // As long as the product's.
  static constexpr std::uint64_t kSomeRevision = 1'700'000'000'000'000;
  static constexpr std::int64_t kSomeTime = 1'700'000'000;
  static constexpr std::int32_t kSomeNanos = 123'456'000;

  Watches& watches_;
  std::uint64_t changes_ = 0;
};

class RelayStream final : public Reader<RelayStream> {
 public:
  explicit RelayStream(Watches& watches) : watches_(watches) {}

  void OnMessage(grpc::ByteBuffer& bytes) {
    auto* request =
        google::protobuf::Arena::CreateMessage<v1::HeartbeatRequest>(
            &FreshArena());
    if (Parse(bytes, *request) &&
        (request->opens_size() > 0 ||
         request->signals(0).kind() == v1::SIGNAL_KIND_LEAVE)) {
      watches_.SendToAll(bytes);
    }
    ReadNext();
  }

 private:
  Watches& watches_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeEcho() {
  return std::make_unique<Floor<EchoStream>>();
}
std::unique_ptr<grpc::Service> MakeDiscard() {
  return std::make_unique<Floor<DiscardStream>>();
}
std::unique_ptr<grpc::Service> MakeParse() {
  return std::make_unique<Floor<ParseStream>>();
}
std::unique_ptr<grpc::Service> MakeBroadcast() {
  return std::make_unique<Fanout<BroadcastStream>>();
}
std::unique_ptr<grpc::Service> MakeRelay() {
  return std::make_unique<Fanout<RelayStream>>();
}

}  // namespace lifesign::bench
