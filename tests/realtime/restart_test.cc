// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A server that dies and comes back, under clients that go on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lifesign/client/channel.h"
#include "lifesign/client/session.h"
#include "lifesign/client/watcher.h"
#include "server/base/mutex.h"
#include "tests/integration/testing/heartbeat_client.h"
#include "tests/integration/testing/unary_client.h"
#include "tests/integration/testing/watch_client.h"
#include "tests/realtime/testing/lifesignd_process.h"
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
using ::testing::ElementsAre;

const char kGone[] = "gone";

// Everything that a Watcher reports, in order.
class Reports {
 public:
  void Add(const WatchEvent& event) {
    MutexLock lock(mutex_);
    events_.push_back(event);
    changed_.NotifyAll();
  }
  bool AwaitSynced(int times) {
    MutexLock lock(mutex_);
    return AwaitLocked(mutex_, changed_, [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      int synced = 0;
      for (const auto& event : events_) {
        synced += event.kind == WatchEvent::Kind::kSynced ? 1 : 0;
      }
      return synced >= times;
    });
  }
  bool AwaitState(const std::string& user, v1::PresenceState state) {
    MutexLock lock(mutex_);
    return AwaitLocked(mutex_, changed_, [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      for (const auto& event : events_) {
        if (event.kind == WatchEvent::Kind::kChange &&
            event.change.after.user_id() == user &&
            event.change.after.state() == state) {
          return true;
        }
      }
      return false;
    });
  }
  std::vector<v1::PresenceState> StatesOf(const std::string& user) {
    MutexLock lock(mutex_);
    std::vector<v1::PresenceState> states;
    for (const auto& event : events_) {
      if (event.kind == WatchEvent::Kind::kChange &&
          event.change.after.user_id() == user) {
        states.push_back(event.change.after.state());
      }
    }
    return states;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<WatchEvent> events_ ABSL_GUARDED_BY(mutex_);
};

// concepts.md § 5: no restart produces a false departure. In the spirit of C58,
// without a store: who comes back while the server reconverges was never gone.
TEST(RestartTest, C58_NobodyWhoComesBackIsReportedOffline) {
  LifesigndProcess server({"--policy.active_window=2m",
                           "--policy.idle_window=3m", "--policy.away_window=4m",
                           "--policy.ttl=5m", "--policy.active_interval=500ms",
                           "--policy.idle_interval=1s",
                           "--policy.background_interval=2s",
                           // Clients wait up to 5 s before they reconnect.
                           "--policy.restart_grace=10s"});
  const std::vector<std::string> users = Users(20);
  std::vector<std::string> watched = users;
  watched.push_back(kGone);

  Reports reports;
  client::WatchOptions options;
  options.user_ids = watched;
  options.on_event = [&](const WatchEvent& event) { reports.Add(event); };
  const auto watcher =
      Watcher::Start(MakeChannel(server.address()), options).value();
  ASSERT_TRUE(reports.AwaitSynced(1));
  std::vector<std::unique_ptr<Session>> sessions;
  std::map<std::string, std::uint64_t> attachments;
  for (const auto& user : users) {
    sessions.push_back(Session::Open(MakeChannel(server.address()),
                                     {.user_id = user, .session_id = "s"})
                           .value());
    ASSERT_TRUE(sessions.back()->Await(
        [](const SessionStatus& status) { return status.attachment != 0; },
        kPatience));
    attachments[user] = sessions.back()->status().attachment;
    ASSERT_TRUE(reports.AwaitState(user, v1::PRESENCE_STATE_ACTIVE));
  }
  UnaryClient(server.NewChannel()).Open(kGone, "s", v1::SIGNAL_KIND_ACTIVE, 1);
  ASSERT_TRUE(reports.AwaitState(kGone, v1::PRESENCE_STATE_ACTIVE));

  server.Kill();
  server.StartAgain();

  UnaryClient calls(server.NewChannel());
  EXPECT_TRUE(calls.Get(kGone).has_reconverging_until());
  for (std::size_t i = 0; i < users.size(); ++i) {
    // The attachment is another, and the session not one that went on.
    EXPECT_TRUE(sessions[i]->Await(
        [&](const SessionStatus& status) {
          return status.link == Link::kConnected &&
                 status.attachment != attachments[users[i]];
        },
        kPatience));
    EXPECT_FALSE(sessions[i]->status().resumed);
    EXPECT_EQ(sessions[i]->status().end, client::SessionEnd::kNotEnded);
  }
  ASSERT_TRUE(reports.AwaitSynced(2));
  EXPECT_EQ(watcher->status().resyncs, 1u);
  EXPECT_FALSE(calls.Get(kGone).has_reconverging_until())
      << "synced before the server knew who is gone";
  for (const auto& user : users) {
    EXPECT_THAT(reports.StatesOf(user), ElementsAre(v1::PRESENCE_STATE_OFFLINE,
                                                    v1::PRESENCE_STATE_ACTIVE));
    EXPECT_EQ(calls.Get(user).presence().state(), v1::PRESENCE_STATE_ACTIVE);
  }
  EXPECT_THAT(reports.StatesOf(kGone),
              ElementsAre(v1::PRESENCE_STATE_OFFLINE, v1::PRESENCE_STATE_ACTIVE,
                          v1::PRESENCE_STATE_OFFLINE));
}

}  // namespace
}  // namespace lifesign::testing
