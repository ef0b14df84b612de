// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Session over real gRPC.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "tests/client/client_fixture.h"
#include "tests/client/heartbeat_world.h"

namespace lifesign::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class SessionTest : public ClientTest {};

TEST_F(SessionTest, SessionOpensBeatsAndLeaves) {
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

TEST_F(SessionTest, LifecycleIsToldAtOnce) {
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

TEST_F(SessionTest, TenantGoesWithTheFirstMessage) {
  SessionOptions options;
  options.tenant = "acme";
  const auto session = Open(std::move(options));
  ASSERT_TRUE(session->Await(Connected, kPatience));
  EXPECT_THAT(server_.seen().tenants, ElementsAre("acme"));
}

TEST_F(SessionTest, BadIdsAreRefusedAtOnce) {
  EXPECT_EQ(Session::Open(Channel(), {.user_id = "", .session_id = "s"})
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Session::Open(Channel(), {.user_id = "u", .session_id = "\xFF\xFE"})
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(SessionTest, SessionSurvivesABrokenStream) {
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

TEST_F(SessionTest, SessionSurvivesARestartOfTheServer) {
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

TEST_F(SessionTest, RefusalThatCannotHealEndsTheSession) {
  server_.RefuseOpens(internal::MakeStatus(grpc::StatusCode::INVALID_ARGUMENT,
                                           v1::ERROR_REASON_INVALID_FIELD));
  const auto session = Open();
  ASSERT_TRUE(session->Await(Ended, kPatience));
  EXPECT_EQ(session->status().end, SessionEnd::kRefused);
  EXPECT_EQ(session->status().last_error.reason,
            v1::ERROR_REASON_INVALID_FIELD);
}

TEST_F(SessionTest, TakenOverSessionEndsAndSaysSo) {
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

TEST_F(SessionTest, LeaveWithoutALinkIsACallOfItsOwn) {
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

TEST_F(SessionTest, LeaveIsToldAlsoWhenTheObjectGoesAtOnce) {
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

TEST_F(SessionTest, SessionThatIsDestroyedEndsItsStreamAndSaysNothing) {
  auto session = Open();
  ASSERT_TRUE(session->Await(Connected, kPatience));
  session.reset();
  ASSERT_TRUE(
      server_.Await([](auto& seen) { return seen.ended_streams == 1; }));
  EXPECT_THAT(server_.seen().signals, IsEmpty());
}

// --- Callbacks

TEST_F(SessionTest, StatusIsToldOnOneThreadThatIsNotTheCallers) {
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

TEST_F(SessionTest, ObjectMayBeDestroyedByItsOwnCallback) {
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

TEST_F(SessionTest, NoCallbackRunsAfterTheObjectIsGone) {
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

}  // namespace
}  // namespace lifesign::client
