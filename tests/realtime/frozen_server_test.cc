// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A server that stands still for longer than any session may be silent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "lifesign/client/channel.h"
#include "lifesign/client/session.h"
#include "server/base/clock.h"
#include "server/base/mutex.h"
#include "tests/integration/testing/heartbeat_client.h"
#include "tests/integration/testing/unary_client.h"
#include "tests/integration/testing/watch_client.h"
#include "tests/realtime/testing/lifesignd_process.h"
#include "tests/realtime/testing/told.h"
#include "tests/testing/eventually.h"

namespace lifesign::testing {
namespace {

using client::Session;
using ::testing::ElementsAre;

constexpr Duration kTtl = seconds(12);
const char kSilent[] = "silent";

// Users on streams of their own, half of them held by the client library, who
// never tire: each is active every 100 ms, whatever the server does.
class TirelessUsers {
 public:
  TirelessUsers(const LifesigndProcess& server,
                const std::vector<std::string>& users) {
    for (const std::string& user : users) {
      if (sessions_.size() < streams_.size()) {
        client::SessionOptions options;
        options.report_interaction_after = milliseconds(50);
        sessions_.push_back(Session::Open(client::MakeChannel(server.address()),
                                          {.user_id = user, .session_id = "s"},
                                          options)
                                .value());
      } else {
        streams_.push_back(
            std::make_unique<HeartbeatClient>(server.NewChannel()));
        streams_.back()->Open(OpenOf(1, user, "s", v1::SIGNAL_KIND_ACTIVE));
      }
    }
    thread_ = std::thread([this] { Run(); });
  }
  ~TirelessUsers() {
    {
      MutexLock lock(mutex_);
      end_ = true;
      changed_.NotifyAll();
    }
    thread_.join();
  }

  // Whether all sessions of the client library are connected: they take the
  // link for broken after 10 s without an answer, and come back.
  bool AllGoOn() const {
    for (const auto& session : sessions_) {
      if (!session->Await(
              [](const client::SessionStatus& status) {
                return status.link == client::Link::kConnected;
              },
              kPatience)) {
        return false;
      }
    }
    return true;
  }

 private:
  void Run() {
    MutexLock lock(mutex_);
    while (!end_) {
      changed_.WaitFor(mutex_, milliseconds(100));
      for (const auto& session : sessions_) session->Interacted();
      v1::HeartbeatRequest beat;
      *beat.add_signals() = SignalOf(1, v1::SIGNAL_KIND_ACTIVE);
      for (const auto& stream : streams_) stream->Send(beat);
    }
  }

  std::vector<std::unique_ptr<Session>> sessions_;
  std::vector<std::unique_ptr<HeartbeatClient>> streams_;
  Mutex mutex_;
  CondVar changed_;
  bool end_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

// concepts.md § 2: what a frozen process missed counts into nobody's age, and
// what waited in the sockets is heard first.
TEST(FrozenServerTest, LongerThanTheTtlLosesNobodyWhoKeptBeating) {
  LifesigndProcess server(
      {"--policy.active_window=9s", "--policy.idle_window=10s",
       "--policy.away_window=11s", "--policy.ttl=12s",
       "--policy.active_interval=500ms", "--policy.idle_interval=1s",
       "--policy.background_interval=2s"});
  std::vector<std::string> users = Users(20);
  std::vector<std::string> watched = users;
  watched.push_back(kSilent);
  WatchClient watch(server.NewChannel(), WatchOf(watched));
  ASSERT_TRUE(watch.AwaitSynced());
  const TirelessUsers tireless(server, users);
  UnaryClient calls(server.NewChannel());
  for (const auto& user : users) {
    ASSERT_TRUE(watch.AwaitChange(user, v1::PRESENCE_STATE_ACTIVE));
  }
  HeartbeatClient silent(server.NewChannel());
  silent.Open(OpenOf(1, kSilent, "s", v1::SIGNAL_KIND_ACTIVE));
  ASSERT_TRUE(watch.AwaitChange(kSilent, v1::PRESENCE_STATE_ACTIVE));

  ASSERT_TRUE(server.Freeze());
  const SystemClock clock;
  const RealTime frozen = clock.RealNow();
  ASSERT_TRUE(
      Eventually([&] { return clock.RealNow() - frozen > kTtl + seconds(1); }));
  server.Thaw();

  // The pause is nobody's silence, also not of one who really is silent: that
  // one still goes step by step.
  ASSERT_TRUE(watch.AwaitChange(kSilent, v1::PRESENCE_STATE_IDLE));
  EXPECT_THAT(StatesOf(Told(watch.messages(), kSilent)),
              ElementsAre(v1::PRESENCE_STATE_OFFLINE, v1::PRESENCE_STATE_ACTIVE,
                          v1::PRESENCE_STATE_IDLE));
  EXPECT_TRUE(tireless.AllGoOn());
  for (const auto& user : users) {
    EXPECT_THAT(
        StatesOf(Told(watch.messages(), user)),
        ElementsAre(v1::PRESENCE_STATE_OFFLINE, v1::PRESENCE_STATE_ACTIVE));
    EXPECT_EQ(calls.Get(user).presence().state(), v1::PRESENCE_STATE_ACTIVE);
  }
  EXPECT_TRUE(NothingTwice(AllTold(watch.messages())));
}

}  // namespace
}  // namespace lifesign::testing
