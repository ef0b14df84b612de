// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdlib>
#include <deque>

#include "absl/strings/str_cat.h"
#include "bench/peers/load/peer.h"
#include "lifesign/v1/presence_service.grpc.pb.h"

namespace lifesign::bench {
namespace {

constexpr auto kPoll = std::chrono::milliseconds(1);
constexpr auto kKeepalive = std::chrono::seconds(75);

// As Lifesign's own client library makes one: a connection of its own.
std::shared_ptr<grpc::Channel> Connect(int port) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(
      GRPC_ARG_KEEPALIVE_TIME_MS,
      static_cast<int>(std::chrono::milliseconds(kKeepalive).count()));
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  return grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", port),
                                   grpc::InsecureChannelCredentials(),
                                   arguments);
}

// A call whose operations complete on the peer's queue.
class Call {
 public:
  enum class Operation { kStart, kRead, kWrite };
  struct Tag {
    Call* call;
    Operation operation;
  };

  virtual ~Call() = default;
  // One of its operations is done.
  virtual void Done(Operation operation, bool ok) = 0;

 protected:
  void* TagOf(Operation operation) {
    Tag& tag = tags_[static_cast<size_t>(operation)];
    tag = {this, operation};
    return &tag;
  }

 private:
  Tag tags_[3];
};

class HeartbeatCall final : public Call {
 public:
  using OnResponse = std::function<void(const v1::HeartbeatResponse&)>;

  HeartbeatCall(int port, grpc::CompletionQueue& queue, OnResponse on_response)
      : on_response_(std::move(on_response)),
        stub_(v1::PresenceService::NewStub(Connect(port))),
        stream_(stub_->PrepareAsyncHeartbeat(&context_, &queue)) {
    stream_->StartCall(TagOf(Operation::kStart));
  }

  void Send(v1::HeartbeatRequest request) {
    unsent_.push_back(std::move(request));
    Write();
  }

  // Nothing that it receives counts from now on.
  void Cut() {
    cut_ = true;
    context_.TryCancel();
  }

  void Done(Operation operation, bool ok) override {
    --pending_;
    if (!ok) {
      if (!cut_) Fail("lifesign: a heartbeat stream ended");
      if (pending_ == 0) delete this;
      return;
    }
    if (operation == Operation::kRead && !cut_) on_response_(response_);
    if (operation != Operation::kWrite) {
      ++pending_;
      stream_->Read(&response_, TagOf(Operation::kRead));
    }
    if (operation != Operation::kRead) {
      writing_ = false;
      Write();
    }
  }

 private:
  ~HeartbeatCall() override = default;

  void Write() {
    if (writing_ || unsent_.empty() || cut_) return;
    writing_ = true;
    ++pending_;
    request_ = std::move(unsent_.front());
    unsent_.pop_front();
    stream_->Write(request_, TagOf(Operation::kWrite));
  }

  const OnResponse on_response_;
  const std::unique_ptr<v1::PresenceService::Stub> stub_;
  grpc::ClientContext context_;
  const std::unique_ptr<grpc::ClientAsyncReaderWriter<v1::HeartbeatRequest,
                                                      v1::HeartbeatResponse>>
      stream_;
  v1::HeartbeatRequest request_;
  v1::HeartbeatResponse response_;
  std::deque<v1::HeartbeatRequest> unsent_;
  bool writing_ = true;  // nothing may be written before the start is done
  bool cut_ = false;
  int pending_ = 1;
};

class WatchCall final : public Call {
 public:
  using OnResponse = std::function<void(const v1::WatchPresenceResponse&)>;

  WatchCall(int port, grpc::CompletionQueue& queue,
            const v1::WatchPresenceRequest& request, OnResponse on_response)
      : on_response_(std::move(on_response)),
        stub_(v1::PresenceService::NewStub(Connect(port))),
        stream_(stub_->AsyncWatchPresence(&context_, request, &queue,
                                          TagOf(Operation::kStart))) {}

  void Done(Operation operation, bool ok) override {
    if (!ok) Fail("lifesign: a watch ended");
    if (operation == Operation::kRead) on_response_(response_);
    stream_->Read(&response_, TagOf(Operation::kRead));
  }

 private:
  const OnResponse on_response_;
  const std::unique_ptr<v1::PresenceService::Stub> stub_;
  grpc::ClientContext context_;
  v1::WatchPresenceResponse response_;
  const std::unique_ptr<grpc::ClientAsyncReader<v1::WatchPresenceResponse>>
      stream_;
};

// A Heartbeat stream per connection; handles are session numbers plus one.
class LifesignPeer final : public Peer {
 public:
  explicit LifesignPeer(const Layout& layout) : Peer(layout) {
    calls_.resize(static_cast<size_t>(connections()));
    for (int session = 0; session < layout.sessions; ++session) {
      watch_.mutable_users()->add_user_ids(UserOf(session));
    }
  }

  void AddWatcher() override {
    const int watcher = static_cast<int>(watchers_.size());
    watchers_.push_back(std::make_unique<WatchCall>(
        layout().port, queue_, watch_,
        [this, watcher](const v1::WatchPresenceResponse& response) {
          watchers_ready_ += response.has_synced();
          // Also progress and the snapshot: whatever is sent counts.
          ++watcher_messages_;
          for (const v1::PresenceRecord& record : response.changes()) {
            Tell(watcher,
                 SessionOf(record.user_id().data(), record.user_id().size()),
                 record.state() == v1::PRESENCE_STATE_ACTIVE    ? Told::kPresent
                 : record.state() == v1::PRESENCE_STATE_OFFLINE ? Told::kGone
                                                                : Told::kAway);
          }
        }));
  }

  void Login(int session) override {
    v1::HeartbeatRequest request;
    v1::Open& open = *request.add_opens();
    open.set_handle(Handle(session));
    open.set_user_id(UserOf(session));
    open.set_session_id("tab");
    open.mutable_options()->set_instance(Handle(session));
    open.set_kind(v1::SIGNAL_KIND_ACTIVE);
    Send(session, std::move(request));
  }

  void Beat(const std::vector<int>& sessions) override {
    v1::HeartbeatRequest request;
    for (const int session : sessions) {
      v1::Signal& signal = *request.add_signals();
      signal.set_handle(Handle(session));
      signal.set_kind(v1::SIGNAL_KIND_ACTIVE);
    }
    Send(sessions.front(), std::move(request));
    beats_ += static_cast<int64_t>(sessions.size());
  }

  void Change(int session, bool present) override {
    if (present) return Login(session);
    v1::HeartbeatRequest request;
    v1::Signal& signal = *request.add_signals();
    signal.set_handle(Handle(session));
    signal.set_kind(v1::SIGNAL_KIND_LEAVE);
    Send(session, std::move(request));
  }

  void Cut(int session) override {
    HeartbeatCall*& call = calls_[static_cast<size_t>(ConnectionOf(session))];
    call->Cut();
    call = nullptr;
  }

  void Resume(int session) override { Login(session); }

  void Poll() override {
    auto until = std::chrono::system_clock::now() + kPoll;
    void* tag = nullptr;
    bool ok = false;
    while (queue_.AsyncNext(&tag, &ok, until) ==
           grpc::CompletionQueue::GOT_EVENT) {
      const auto& done = *static_cast<Call::Tag*>(tag);
      done.call->Done(done.operation, ok);
      until = {};  // what else is ready now, and no more waiting
    }
  }

 private:
  static uint32_t Handle(int session) {
    return static_cast<uint32_t>(session) + 1;
  }

  void Send(int session, v1::HeartbeatRequest request) {
    HeartbeatCall*& call = calls_[static_cast<size_t>(ConnectionOf(session))];
    if (call == nullptr) {
      call = new HeartbeatCall(
          layout().port, queue_,
          [this](const v1::HeartbeatResponse& response) { Take(response); });
      request.set_answer_always(layout().answers == Answers::kAlways);
    }
    call->Send(std::move(request));
  }

  void Take(const v1::HeartbeatResponse& response) {
    ++answers_;
    if (response.errors_size() != 0) Fail(response.ShortDebugString());
    for (const v1::SessionUpdate& update : response.updates()) {
      sessions_ready_ += update.has_opened();
    }
  }

  grpc::CompletionQueue queue_;
  v1::WatchPresenceRequest watch_;
  std::vector<HeartbeatCall*> calls_;  // each deletes itself once it was cut
  std::vector<std::unique_ptr<WatchCall>> watchers_;
};

}  // namespace

std::unique_ptr<Peer> MakeLifesignPeer(const Layout& layout) {
  return std::make_unique<LifesignPeer>(layout);
}

}  // namespace lifesign::bench
