// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// 1,000 clients that lose the network together and come back together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "lifesign/client/channel.h"
#include "lifesign/client/session.h"
#include "lifesign/client/watcher.h"
#include "server/base/mutex.h"
#include "tests/integration/testing/unary_client.h"
#include "tests/integration/testing/watch_client.h"
#include "tests/realtime/testing/lifesignd_process.h"
#include "tests/realtime/testing/tcp_proxy.h"
#include "tests/realtime/testing/told.h"
#include "tests/testing/eventually.h"

namespace lifesign::testing {
namespace {

using client::Link;
using client::MakeChannel;
using client::Session;
using client::SessionStatus;
using client::Watcher;
using client::WatchEvent;

constexpr int kUsers = 1'000;
constexpr int kUsersAConnection = 20;

// Everything that came over the wire to a Watcher, and what it made of it.
struct Heard {
  Mutex mutex;
  CondVar changed;
  std::vector<v1::WatchPresenceResponse> messages ABSL_GUARDED_BY(mutex);
  int synced ABSL_GUARDED_BY(mutex) = 0;
  std::vector<v1::PresenceRecord> reported ABSL_GUARDED_BY(mutex);

  void OnEvent(const WatchEvent& event) {
    MutexLock lock(mutex);
    if (event.kind == WatchEvent::Kind::kSynced) ++synced;
    if (event.kind == WatchEvent::Kind::kChange) {
      reported.push_back(event.change.after);
    }
    changed.NotifyAll();
  }
  bool AwaitSynced(int times) {
    MutexLock lock(mutex);
    return AwaitLocked(mutex, changed, [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      return synced >= times;
    });
  }
  bool AwaitReported(std::size_t times) {
    MutexLock lock(mutex);
    return AwaitLocked(mutex, changed, [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      return reported.size() >= times;
    });
  }
  std::vector<v1::PresenceRecord> Reported() {
    MutexLock lock(mutex);
    return reported;
  }
};

// C61: thundering herd. concepts.md §§ 5, 12.
TEST(ThunderingHerdTest, C61_ClientsCutTogetherComeBackWithoutAnyEvent) {
  LifesigndProcess server({"--policy.active_window=2m",
                           "--policy.idle_window=3m", "--policy.away_window=4m",
                           "--policy.ttl=5m", "--policy.active_interval=2s",
                           "--policy.idle_interval=5s",
                           "--policy.background_interval=10s"});
  TcpProxy network(server.address());
  const std::vector<std::string> users = Users(kUsers);

  // One watcher whose connection holds, and one that is cut with the others.
  WatchClient onlooker(server.NewChannel(), WatchOf(users));
  ASSERT_TRUE(onlooker.AwaitSynced());
  Heard heard;
  client::WatchOptions options;
  options.user_ids = users;
  options.on_event = [&](const WatchEvent& event) { heard.OnEvent(event); };
  const auto watcher =
      Watcher::Start(MakeChannel(network.address()), options).value();
  ASSERT_TRUE(heard.AwaitSynced(1));

  std::vector<std::unique_ptr<Session>> sessions;
  std::shared_ptr<grpc::Channel> channel;
  for (int i = 0; i < kUsers; ++i) {
    if (i % kUsersAConnection == 0) channel = MakeChannel(network.address());
    sessions.push_back(
        Session::Open(channel, {.user_id = users[i], .session_id = "s"})
            .value());
  }
  for (const auto& session : sessions) {
    ASSERT_TRUE(session->Await(
        [](const SessionStatus& status) { return status.attachment != 0; },
        kPatience));
  }
  // Offline and active, of each.
  ASSERT_TRUE(heard.AwaitReported(2 * kUsers));
  const std::uint64_t connections = network.accepted();

  network.CutAll();

  for (const auto& session : sessions) {
    ASSERT_TRUE(session->Await(
        [](const SessionStatus& status) {
          return status.link == Link::kConnected && status.resumed;
        },
        kPatience));
    EXPECT_EQ(session->status().end, client::SessionEnd::kNotEnded);
    EXPECT_GE(session->counters().streams, 2u);
  }
  ASSERT_TRUE(heard.AwaitSynced(2));
  EXPECT_GE(network.accepted(), 2 * connections);

  // No phantoms.
  UnaryClient calls(server.NewChannel());
  v1::BatchGetPresencesResponse now;
  ASSERT_TRUE(calls.Batch(users, now).ok());
  for (const auto& presence : now.presences()) {
    EXPECT_EQ(presence.state(), v1::PRESENCE_STATE_ACTIVE);
    ASSERT_EQ(presence.session_counts_size(), 1);
    EXPECT_EQ(presence.session_counts(0).sessions(), 1);
  }
  const auto told = AllTold(onlooker.messages());
  EXPECT_EQ(told.size(), 2u * kUsers);
  EXPECT_TRUE(NothingTwice(told));
  EXPECT_EQ(heard.Reported().size(), 2u * kUsers);
  EXPECT_TRUE(NothingTwice(heard.Reported()));
}

}  // namespace
}  // namespace lifesign::testing
