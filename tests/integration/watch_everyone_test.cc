// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Watching everyone over real gRPC: concepts.md § 9.

#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "lifesign/v1/presence_service.grpc.pb.h"
#include "server/base/mutex.h"
#include "server/transport/codec/encode.h"
#include "tests/integration/testing/test_server.h"

namespace lifesign::testing {
namespace {

// What a watcher of everyone holds, by the receiver's rule.
class Everyone {
 public:
  void Begin() { replacing_ = token_.empty(); }
  void Take(const v1::WatchPresenceResponse& message) {
    if (message.has_created()) mentioned_.clear();
    if (message.has_resync()) {
      replacing_ = true;
      mentioned_.clear();
    }
    for (const auto& record : message.snapshot()) TakeRecord(record);
    for (const auto& record : message.changes()) TakeRecord(record);
    if (message.has_synced()) {
      if (replacing_) {
        std::erase_if(held_, [this](const auto& held) {
          return mentioned_.count(held.first) == 0;
        });
      }
      replacing_ = false;
      synced_ = true;
    }
    if (synced_ && !message.resume_token().empty()) {
      token_ = message.resume_token();
    }
  }
  void BreakOff() { synced_ = false; }
  const std::string& token() const { return token_; }

  // Who is live: their state and its revision.
  using States = std::map<std::string, v1::PresenceState>;
  using Revisions = std::map<std::string, std::uint64_t>;
  States states() const {
    States live;
    for (const auto& [user, record] : held_) {
      if (IsLive(record)) live[user] = record.state();
    }
    return live;
  }
  Revisions revisions() const {
    Revisions live;
    for (const auto& [user, record] : held_) {
      if (IsLive(record)) live[user] = record.revision();
    }
    return live;
  }

 private:
  static bool IsLive(const v1::PresenceRecord& record) {
    return record.state() != v1::PRESENCE_STATE_OFFLINE;
  }
  void TakeRecord(const v1::PresenceRecord& record) {
    auto& held = held_[record.user_id()];
    const bool replaces =
        replacing_ && mentioned_.insert(record.user_id()).second;
    if (replaces || record.revision() > held.revision()) held = record;
  }

  std::string token_;
  bool replacing_ = false;
  bool synced_ = false;
  std::set<std::string> mentioned_;
  std::map<std::string, v1::PresenceRecord> held_;
};

class WatchEveryoneTest : public ::testing::Test {
 protected:
  static PresenceRuntime::Options Options() {
    PresenceRuntime::Options options;
    // So small that it overflows again and again.
    options.limits.max_mailbox_bytes = 16u << 10;
    return options;
  }
  PresenceEngine& engine() { return server_.runtime().engine(); }
  Now now() { return server_.runtime().Read(); }

  // Users come and go until told to stop. Now and then what they changed is
  // published before they go on, as a stream's reaction does.
  void Crowd(int thread, const std::atomic<bool>& stop) {
    std::vector<Attachment> attachments(kUsersEach);
    int changes = 0;
    for (std::size_t i = 0; !stop.load(); i = (i + 7) % kUsersEach) {
      if (++changes % 64 == 0) server_.runtime().Settle();
      const std::string user = absl::StrCat("u", thread, "-", i);
      if (attachments[i] == kNoAttachment) {
        OpenRequest request;
        request.name = {user, "s"};
        request.signal = Signal();
        attachments[i] = engine().Open(request, now()).ref.attachment;
      } else {
        Signal leave;
        leave.kind = SignalKind::kLeave;
        engine().ApplyUnary({user, "s"}, attachments[i], leave, now());
        attachments[i] = kNoAttachment;
      }
    }
  }
  struct Truth {
    Everyone::States states;
    Everyone::Revisions revisions;
  };
  Truth ReadTruth() {
    Truth truth;
    for (int thread = 0; thread < kThreads; ++thread) {
      for (std::size_t i = 0; i < kUsersEach; ++i) {
        const std::string user = absl::StrCat("u", thread, "-", i);
        const auto record = engine().GetUser(user, now()).record;
        if (record.state == State::kOffline) continue;
        truth.states[user] = EncodeState(record.state);
        truth.revisions[user] = record.revision;
      }
    }
    return truth;
  }

  static constexpr int kThreads = 2;
  static constexpr std::size_t kUsersEach = 1'000;

  SimulatedClock clock_;
  TestServer server_{clock_, Options()};
};

// § 9: whoever watches, however often they are cut off, and however much they
// lose on the way, ends with what is true.
TEST_F(WatchEveryoneTest, WatchersThatLoseMailOrTheirStreamEndWithWhatIsTrue) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> crowd;
  for (int thread = 0; thread < kThreads; ++thread) {
    crowd.emplace_back([this, thread, &stop] { Crowd(thread, stop); });
  }
  v1::WatchPresenceRequest request;
  request.mutable_all();
  const auto stub = v1::PresenceService::NewStub(server_.NewChannel());
  Everyone always;
  Mutex mutex;
  CondVar heard;
  grpc::ClientContext always_context;
  auto always_stream = stub->WatchPresence(&always_context, request);
  always.Begin();
  std::thread reader([&] {
    v1::WatchPresenceResponse message;
    while (always_stream->Read(&message)) {
      MutexLock lock(mutex);
      always.Take(message);
      heard.NotifyOne();
    }
  });
  Everyone often;
  std::unique_ptr<grpc::ClientContext> context;
  std::unique_ptr<grpc::ClientReader<v1::WatchPresenceResponse>> stream;
  const auto begin = [&] {
    context = std::make_unique<grpc::ClientContext>();
    auto resumed = request;
    resumed.set_resume_token(often.token());
    stream = stub->WatchPresence(context.get(), resumed);
    often.Begin();
  };
  v1::WatchPresenceResponse message;
  for (int round = 0; round < 100; ++round) {
    begin();
    for (int i = 0; i < 1 + round % 20 && stream->Read(&message); ++i) {
      often.Take(message);
    }
    context->TryCancel();
    while (stream->Read(&message)) {
      // What comes after the cut is lost.
    }
    stream->Finish();
    often.BreakOff();
  }
  stop.store(true);
  for (std::thread& thread : crowd) thread.join();
  server_.runtime().Settle();
  const Truth truth = ReadTruth();
  // Who resumes is told the newest of each user, also when it is equal.
  begin();
  while (often.revisions() != truth.revisions && stream->Read(&message)) {
    often.Take(message);
  }
  EXPECT_EQ(often.revisions(), truth.revisions);
  EXPECT_EQ(often.states(), truth.states);
  context->TryCancel();
  while (stream->Read(&message)) {
  }
  stream->Finish();
  {
    // Who leaves and is back while mail waits is not told of.
    MutexLock lock(mutex);
    for (int i = 0; i < 300 && always.states() != truth.states; ++i) {
      heard.WaitFor(mutex, milliseconds(100));
    }
    EXPECT_EQ(always.states(), truth.states);
  }
  always_context.TryCancel();
  reader.join();
  always_stream->Finish();
}

}  // namespace
}  // namespace lifesign::testing
