// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Session, GatewayStream and Watcher over real gRPC on loopback. What they
// decide is proven in simulated time by the other tests of this folder; these
// prove that it is carried out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "google/rpc/error_details.pb.h"
#include "lifesign/client/channel.h"
#include "lifesign/client/gateway_stream.h"
#include "lifesign/client/session.h"
#include "lifesign/client/watcher.h"
#include "tests/client/heartbeat_world.h"
#include "tests/client/scripted_server.h"

namespace lifesign::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::IsEmpty;
using testing::Le;
using testing::SizeIs;

// A test that passes does not wait for it.
constexpr Duration kPatience = seconds(30);

bool Connected(const SessionStatus& status) {
  return status.link == Link::kConnected && !status.unconfirmed;
}
bool Ended(const SessionStatus& status) { return status.link == Link::kEnded; }

class ClientTest : public testing::Test {
 protected:
  std::shared_ptr<grpc::Channel> Channel() {
    return MakeChannel(server_.address());
  }
  std::unique_ptr<Session> Open(SessionOptions options = {}) {
    auto session =
        Session::Open(Channel(), {.user_id = "ann", .session_id = "laptop"},
                      std::move(options));
    EXPECT_TRUE(session.ok()) << session.status();
    return *std::move(session);
  }

  ScriptedServer server_;
};

// --- Session

TEST_F(ClientTest, SessionOpensBeatsAndLeaves) {
  server_.Promise(milliseconds(50));
  const auto session = Open();
  ASSERT_TRUE(session->Await(Connected, kPatience));
  EXPECT_EQ(session->status().state, v1::PRESENCE_STATE_ACTIVE);
  EXPECT_EQ(session->status().next_interval, milliseconds(50));
  ASSERT_TRUE(
      server_.Await([](auto& seen) { return seen.signals.size() > 3; }));
  session->Leave(seconds(5));
  ASSERT_TRUE(session->Await(Ended, kPatience));
  EXPECT_EQ(session->status().end, SessionEnd::kLeft);
  ASSERT_TRUE(server_.Await([](auto& seen) { return seen.half_closed == 1; }));
  const v1::Signal last = server_.seen().signals.back();
  EXPECT_EQ(last.kind(), v1::SIGNAL_KIND_LEAVE);
  EXPECT_EQ(last.linger().seconds(), 5);
  EXPECT_THAT(server_.seen().opens, SizeIs(1));
  EXPECT_EQ(session->counters().signals_sent,
            server_.seen().signals.size() + 1);
}

TEST_F(ClientTest, LifecycleIsToldAtOnce) {
  const auto session = Open();
  ASSERT_TRUE(session->Await(Connected, kPatience));
  session->SetLifecycle(Lifecycle::kBackground);
  ASSERT_TRUE(
      server_.Await([](auto& seen) { return seen.signals.size() == 1; }));
  EXPECT_EQ(server_.seen().signals[0].kind(), v1::SIGNAL_KIND_BACKGROUND);
  session->Interacted();
  ASSERT_TRUE(
      server_.Await([](auto& seen) { return seen.signals.size() == 2; }));
  EXPECT_EQ(server_.seen().signals[1].kind(), v1::SIGNAL_KIND_ACTIVE);
}

TEST_F(ClientTest, TenantGoesWithTheFirstMessage) {
  SessionOptions options;
  options.tenant = "acme";
  const auto session = Open(std::move(options));
  ASSERT_TRUE(session->Await(Connected, kPatience));
  EXPECT_THAT(server_.seen().tenants, ElementsAre("acme"));
}

TEST_F(ClientTest, BadIdsAreRefusedAtOnce) {
  EXPECT_EQ(Session::Open(Channel(), {.user_id = "", .session_id = "s"})
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Session::Open(Channel(), {.user_id = "u", .session_id = "\xFF\xFE"})
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(ClientTest, SessionSurvivesABrokenStream) {
  const auto session = Open();
  for (int round = 2; round < 6; ++round) {
    ASSERT_TRUE(session->Await(Connected, kPatience));
    server_.BreakStreams();
    ASSERT_TRUE(session->Await(
        [](auto& status) { return status.link == Link::kWaiting; }, kPatience));
    EXPECT_TRUE(session->status().unconfirmed);
    session->OnNetworkChange();
    ASSERT_TRUE(
        server_.Await([round](auto& seen) { return seen.streams == round; }));
  }
  ASSERT_TRUE(session->Await(Connected, kPatience));
  const auto opens = server_.seen().opens;
  for (const v1::Open& open : opens) {
    EXPECT_EQ(open.options().instance(), opens[0].options().instance());
  }
}

TEST_F(ClientTest, SessionSurvivesARestartOfTheServer) {
  const auto session = Open();
  ASSERT_TRUE(session->Await(Connected, kPatience));
  server_.Stop();
  ASSERT_TRUE(session->Await(
      [](auto& status) { return status.link == Link::kWaiting; }, kPatience));
  session->OnNetworkChange();
  ASSERT_TRUE(session->Await(
      [](auto& status) { return status.link == Link::kWaiting; }, kPatience));
  EXPECT_EQ(session->status().last_error.code, grpc::StatusCode::UNAVAILABLE)
      << ToString(session->status().last_error);
  server_.Restart();
  session->OnNetworkChange();
  ASSERT_TRUE(session->Await(Connected, kPatience));
  EXPECT_TRUE(session->status().last_error.ok());
}

TEST_F(ClientTest, RefusalThatCannotHealEndsTheSession) {
  server_.RefuseOpens(internal::MakeStatus(grpc::StatusCode::INVALID_ARGUMENT,
                                           v1::ERROR_REASON_INVALID_FIELD));
  const auto session = Open();
  ASSERT_TRUE(session->Await(Ended, kPatience));
  EXPECT_EQ(session->status().end, SessionEnd::kRefused);
  EXPECT_EQ(session->status().last_error.reason,
            v1::ERROR_REASON_INVALID_FIELD);
}

TEST_F(ClientTest, TakenOverSessionEndsAndSaysSo) {
  const auto session = Open();
  ASSERT_TRUE(session->Await(Connected, kPatience));
  v1::HeartbeatResponse response;
  response.set_acked(1);
  response.add_errors()->set_handle(1);
  *response.mutable_errors(0)->mutable_status() = internal::MakeStatus(
      grpc::StatusCode::ABORTED, v1::ERROR_REASON_SESSION_TAKEN_OVER);
  server_.Send(response);
  ASSERT_TRUE(session->Await(Ended, kPatience));
  EXPECT_EQ(session->status().end, SessionEnd::kTakenOver);
  ASSERT_TRUE(server_.Await([](auto& seen) { return seen.half_closed == 1; }));
}

TEST_F(ClientTest, LeaveWithoutALinkIsACallOfItsOwn) {
  const auto session = Open();
  ASSERT_TRUE(session->Await(Connected, kPatience));
  server_.BreakStreams();
  ASSERT_TRUE(session->Await(
      [](auto& status) { return status.link == Link::kWaiting; }, kPatience));
  session->Leave();
  ASSERT_TRUE(session->Await(Ended, kPatience));
  ASSERT_THAT(server_.seen().calls, SizeIs(1));
  EXPECT_EQ(server_.seen().calls[0].attachment(), 1u);
  EXPECT_EQ(server_.seen().calls[0].kind(), v1::SIGNAL_KIND_LEAVE);
}

TEST_F(ClientTest, LeaveIsToldAlsoWhenTheObjectGoesAtOnce) {
  auto session = Open();
  ASSERT_TRUE(session->Await(Connected, kPatience));
  session->Leave();
  session.reset();
  ASSERT_TRUE(server_.Await([](auto& seen) {
    return !seen.signals.empty() &&
           seen.signals.back().kind() == v1::SIGNAL_KIND_LEAVE;
  }));
  EXPECT_TRUE(server_.Await([](auto& seen) { return seen.half_closed == 1; }));
}

TEST_F(ClientTest, SessionThatIsDestroyedEndsItsStreamAndSaysNothing) {
  auto session = Open();
  ASSERT_TRUE(session->Await(Connected, kPatience));
  session.reset();
  ASSERT_TRUE(
      server_.Await([](auto& seen) { return seen.ended_streams == 1; }));
  EXPECT_THAT(server_.seen().signals, IsEmpty());
}

// --- Callbacks

TEST_F(ClientTest, StatusIsToldOnOneThreadThatIsNotTheCallers) {
  std::atomic<int> calls = 0;
  std::atomic<bool> connected = false;
  std::atomic<bool> overlapped = false;
  std::atomic<bool> on_our_thread = false;
  std::atomic<int> inside = 0;
  SessionOptions options;
  options.on_status = [&, ours = std::this_thread::get_id()](auto& status) {
    overlapped = overlapped || inside.fetch_add(1) != 0;
    on_our_thread = on_our_thread || std::this_thread::get_id() == ours;
    if (status.end == SessionEnd::kLeft) connected = true;
    ++calls;
    inside.fetch_sub(1);
  };
  const auto session = Open(std::move(options));
  ASSERT_TRUE(session->Await(Connected, kPatience));
  session->Leave();
  ASSERT_TRUE(
      session->Await([&](auto&) { return connected.load(); }, kPatience));
  EXPECT_GE(calls, 1);
  EXPECT_FALSE(overlapped);
  EXPECT_FALSE(on_our_thread);
}

TEST_F(ClientTest, ObjectMayBeDestroyedByItsOwnCallback) {
  for (int round = 0; round < 20; ++round) {
    Mutex mutex;
    CondVar gone;
    bool destroyed = false;
    std::unique_ptr<Session> session;
    SessionOptions options;
    options.on_status = [&](const SessionStatus& status) {
      if (status.link != Link::kConnected) return;
      MutexLock lock(mutex);
      session.reset();
      destroyed = true;
      gone.NotifyAll();
    };
    MutexLock lock(mutex);
    session = Open(std::move(options));
    while (!destroyed) gone.Wait(mutex);
  }
}

TEST_F(ClientTest, NoCallbackRunsAfterTheObjectIsGone) {
  for (int round = 0; round < 100; ++round) {
    std::atomic<bool> gone = false;
    std::atomic<bool> late = false;
    SessionOptions options;
    options.on_status = [&](auto&) { late = late || gone; };
    auto session = Open(std::move(options));
    if (round % 2 == 0) session->Await(Connected, kPatience);
    session->SetLifecycle(Lifecycle::kIdle);
    session.reset();
    gone = true;
    ASSERT_FALSE(late);
  }
}

// --- GatewayStream

TEST_F(ClientTest, GatewayCarriesThousandsOfSessionsInFewMessages) {
  std::atomic<int> told = 0;
  GatewayOptions options;
  options.on_session = [&told](Handle, const SessionStatus&) { ++told; };
  const auto gateway = GatewayStream::Make(Channel(), std::move(options));
  std::vector<Handle> handles;
  for (int i = 0; i < 5'000; ++i) {
    const auto handle = gateway->Open(
        {.user_id = "user" + std::to_string(i), .session_id = "tab"});
    ASSERT_TRUE(handle.ok());
    handles.push_back(*handle);
  }
  ASSERT_TRUE(gateway->AwaitSettled(kPatience));
  EXPECT_THAT(server_.seen().opens, SizeIs(5'000));
  EXPECT_LT(server_.seen().messages, 2'500);
  for (const Handle handle : handles) {
    gateway->Signal(handle, Lifecycle::kBackground);
  }
  ASSERT_TRUE(gateway->AwaitSettled(kPatience));
  EXPECT_THAT(server_.seen().signals, SizeIs(5'000));

  server_.BreakStreams();
  ASSERT_TRUE(
      server_.Await([](auto& seen) { return seen.ended_streams == 1; }));
  while (gateway->link() != Link::kConnected) gateway->OnNetworkChange();
  ASSERT_TRUE(gateway->AwaitSettled(kPatience));
  EXPECT_THAT(server_.seen().opens, SizeIs(10'000));

  for (const Handle handle : handles) gateway->Leave(handle);
  ASSERT_TRUE(gateway->AwaitSettled(kPatience));
  EXPECT_EQ(gateway->size(), 0u);
  EXPECT_GE(told, 5'000);
}

TEST_F(ClientTest, GatewayForgetsASessionWhoseEndWasTold) {
  Mutex mutex;
  CondVar changed;
  absl::optional<SessionEnd> end;
  GatewayOptions options;
  options.on_session = [&](Handle, const SessionStatus& status) {
    MutexLock lock(mutex);
    if (status.end == SessionEnd::kNotEnded) return;
    end = status.end;
    changed.NotifyAll();
  };
  const auto gateway = GatewayStream::Make(Channel(), std::move(options));
  const Handle handle = *gateway->Open({.user_id = "ann", .session_id = "tab"});
  ASSERT_TRUE(gateway->AwaitSettled(kPatience));
  gateway->Detach(handle);
  {
    MutexLock lock(mutex);
    while (!end.has_value()) changed.Wait(mutex);
    EXPECT_EQ(end, SessionEnd::kDetached);
  }
  EXPECT_FALSE(gateway->status(handle).has_value());
  EXPECT_EQ(*gateway->Open({.user_id = "bob", .session_id = "tab"}), handle);
}

TEST_F(ClientTest, GatewayOfTheSecondKindBeatsByItself) {
  server_.Promise(milliseconds(50));
  GatewayOptions options;
  options.beats = Beats::kByStream;
  const auto gateway = GatewayStream::Make(Channel(), std::move(options));
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(
        gateway->Open({.user_id = std::to_string(i), .session_id = "tab"})
            .ok());
  }
  EXPECT_TRUE(
      server_.Await([](auto& seen) { return seen.signals.size() > 100; }));
}

// --- Watcher

v1::WatchPresenceResponse Record(const std::string& user,
                                 v1::PresenceState state, uint64_t revision) {
  v1::WatchPresenceResponse response;
  v1::PresenceRecord& record = *response.add_changes();
  record.set_user_id(user);
  record.set_state(state);
  record.set_revision(revision);
  return response;
}

v1::WatchPresenceResponse Synced(const std::string& token) {
  v1::WatchPresenceResponse response;
  response.mutable_created()->set_epoch(1);
  response.mutable_synced()->mutable_read_time()->set_seconds(1'000);
  response.set_resume_token(token);
  return response;
}

TEST_F(ClientTest, WatcherTellsSnapshotAndChangesByPulling) {
  WatchOptions options;
  options.user_ids = {"ann"};
  const auto watcher = *Watcher::Start(Channel(), std::move(options));
  server_.Tell(Record("ann", v1::PRESENCE_STATE_ACTIVE, 10));
  server_.Tell(Synced("t1"));
  auto event = watcher->Next(kPatience);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->kind, WatchEvent::Kind::kChange);
  EXPECT_FALSE(event->change.before.has_value());
  event = watcher->Next(kPatience);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->kind, WatchEvent::Kind::kSynced);
  EXPECT_EQ(watcher->Find("ann")->state(), v1::PRESENCE_STATE_ACTIVE);
  EXPECT_THAT(watcher->View(), SizeIs(1));
  EXPECT_FALSE(watcher->Next(Duration::zero()).has_value());

  server_.BreakStreams();
  ASSERT_TRUE(
      server_.Await([](auto& seen) { return seen.ended_watches == 1; }));
  while (watcher->status().streams < 2) watcher->OnNetworkChange();
  server_.Tell(Record("ann", v1::PRESENCE_STATE_IDLE, 11));
  event = watcher->Next(kPatience);
  while (event.has_value() && event->kind != WatchEvent::Kind::kChange) {
    event = watcher->Next(kPatience);
  }
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->change.before->state(), v1::PRESENCE_STATE_ACTIVE);
  EXPECT_EQ(event->change.after.state(), v1::PRESENCE_STATE_IDLE);
  EXPECT_THAT(server_.seen().tokens, ElementsAre("", "t1"));
}

TEST_F(ClientTest, WatcherHandsEventsToItsCallback) {
  Mutex mutex;
  CondVar changed;
  std::vector<v1::PresenceState> states;
  std::atomic<int> responses = 0;
  WatchOptions options;
  options.user_ids = {"ann"};
  options.on_response = [&responses](auto&) { ++responses; };
  options.on_event = [&](const WatchEvent& event) {
    if (event.kind != WatchEvent::Kind::kChange) return;
    MutexLock lock(mutex);
    states.push_back(event.change.after.state());
    changed.NotifyAll();
  };
  const auto watcher = *Watcher::Start(Channel(), std::move(options));
  server_.Tell(Record("ann", v1::PRESENCE_STATE_ACTIVE, 10));
  {
    MutexLock lock(mutex);
    while (states.empty()) changed.Wait(mutex);
  }
  server_.Tell(Record("ann", v1::PRESENCE_STATE_IDLE, 11));
  MutexLock lock(mutex);
  while (states.size() < 2) changed.Wait(mutex);
  EXPECT_THAT(states,
              ElementsAre(v1::PRESENCE_STATE_ACTIVE, v1::PRESENCE_STATE_IDLE));
  EXPECT_EQ(responses, 2);
}

TEST_F(ClientTest, WatcherEndsWhenItIsRefused) {
  WatchOptions options;
  options.user_ids = {"ann"};
  const auto watcher = *Watcher::Start(Channel(), std::move(options));
  ASSERT_TRUE(server_.Await([](auto& seen) { return seen.watches == 1; }));
  server_.EndWatches(
      grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "not yours"));
  const auto event = watcher->Next(kPatience);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->kind, WatchEvent::Kind::kEnded);
  EXPECT_EQ(event->error.message, "not yours");
  EXPECT_FALSE(watcher->Next(kPatience).has_value()) << "nothing follows";
}

TEST_F(ClientTest, WatcherMayBeDestroyedByItsOwnCallback) {
  for (int round = 0; round < 20; ++round) {
    Mutex mutex;
    CondVar gone;
    bool destroyed = false;
    std::unique_ptr<Watcher> watcher;
    WatchOptions options;
    options.user_ids = {"ann"};
    options.on_event = [&](const WatchEvent&) {
      MutexLock lock(mutex);
      watcher.reset();
      destroyed = true;
      gone.NotifyAll();
    };
    server_.Tell(Record("ann", v1::PRESENCE_STATE_ACTIVE, 10));
    MutexLock lock(mutex);
    watcher = *Watcher::Start(Channel(), std::move(options));
    while (!destroyed) gone.Wait(mutex);
  }
}

TEST_F(ClientTest, WatchOptionsThatCannotBeRightAreRefused) {
  WatchOptions too_many;
  too_many.user_ids.assign(10'001, "u");
  EXPECT_FALSE(Watcher::Start(Channel(), too_many).ok());
  WatchOptions bad_id;
  bad_id.user_ids = {"\xC0\xAF"};
  EXPECT_FALSE(Watcher::Start(Channel(), bad_id).ok());
  WatchOptions never;
  never.progress_interval = Duration::zero();
  EXPECT_FALSE(Watcher::Start(Channel(), never).ok());
}

// --- Many at once

int ThreadsOfThisProcess() {
  std::ifstream status("/proc/self/status");
  std::string word;
  int threads = 0;
  while (status >> word) {
    if (word == "Threads:") status >> threads;
  }
  return threads;
}

TEST_F(ClientTest, SessionsCostNoThreadOfTheirOwn) {
  const auto channel = Channel();
  std::vector<std::unique_ptr<Session>> sessions;
  const auto open_until = [&](size_t count) {
    while (sessions.size() < count) {
      sessions.push_back(*Session::Open(
          channel, {.user_id = "user" + std::to_string(sessions.size()),
                    .session_id = "tab"}));
    }
    for (const auto& session : sessions) {
      ASSERT_TRUE(session->Await(Connected, kPatience));
    }
  };
  // The scripted server takes a thread a stream; the client must not.
  open_until(20);
  const int few = ThreadsOfThisProcess();
  open_until(120);
  EXPECT_LE(ThreadsOfThisProcess(), few + 100 + 10);
}

// Everything at once, for ThreadSanitizer and for what it cannot see.
TEST_F(ClientTest, ObjectsStandCallsFromManyThreadsWhileTheirStreamsBreak) {
  server_.Promise(milliseconds(50));
  const auto channel = Channel();
  std::atomic<bool> done = false;
  std::vector<std::thread> threads;
  for (int worker = 0; worker < 3; ++worker) {
    threads.emplace_back([&, worker] {
      int round = 0;
      while (!done) {
        const std::string name =
            std::to_string(worker) + "." + std::to_string(++round);
        SessionOptions options;
        options.on_status = [](auto&) {};
        auto session = *Session::Open(
            channel, {.user_id = name, .session_id = "s"}, std::move(options));
        GatewayOptions gateway_options;
        gateway_options.beats = Beats::kByStream;
        gateway_options.on_session = [](Handle, auto&) {};
        auto gateway = GatewayStream::Make(channel, std::move(gateway_options));
        WatchOptions watch;
        watch.user_ids = {"ann"};
        if (round % 2 == 0) watch.on_event = [](auto&) {};
        auto watcher = *Watcher::Start(channel, std::move(watch));
        // No more streams than the server, with its thread for each, can end.
        session->Await(Connected, seconds(5));
        for (int i = 0; i < 50; ++i) {
          const auto handle =
              gateway->Open({.user_id = name, .session_id = std::to_string(i)});
          session->Interacted();
          session->SetLifecycle(i % 2 == 0 ? Lifecycle::kIdle
                                           : Lifecycle::kActive);
          if (handle.ok()) {
            gateway->Signal(*handle, Lifecycle::kBackground);
            if (i % 3 == 0) gateway->Leave(*handle, milliseconds(i));
            if (i % 3 == 1) gateway->Detach(*handle);
            gateway->status(*handle);
          }
          if (i % 10 == 0) {
            session->OnNetworkChange();
            gateway->OnNetworkChange();
            watcher->OnNetworkChange();
          }
          watcher->status();
        }
        if (round % 2 == 0) session->Leave();
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    int streams = -1;
    EXPECT_TRUE(server_.Await([&streams](auto& seen) {
      if (streams < 0) streams = seen.streams;
      return seen.streams > streams + 5;
    }));
    server_.BreakStreams();
    if (i % 10 == 9) server_.Restart();
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace lifesign::client
