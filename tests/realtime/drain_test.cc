// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// SIGTERM, and what clients make of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "google/rpc/error_details.pb.h"
#include "server/base/limits.h"
#include "server/ops/exit_codes.h"
#include "tests/integration/testing/heartbeat_client.h"
#include "tests/integration/testing/rich_status.h"
#include "tests/integration/testing/unary_client.h"
#include "tests/integration/testing/watch_client.h"
#include "tests/realtime/testing/lifesignd_process.h"
#include "tests/realtime/testing/told.h"
#include "tests/testing/eventually.h"

namespace lifesign::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::Gt;
using ::testing::Le;

constexpr int kUsers = 50;
constexpr int kWatches = 20;

Duration ToDuration(const google::protobuf::Duration& duration) {
  return seconds(duration.seconds()) +
         std::chrono::duration_cast<Duration>(
             std::chrono::nanoseconds(duration.nanos()));
}

// A watch whose reader has gone deaf: it takes `messages` messages and then no
// more, though its library goes on serving the connection.
class DeafWatch : public grpc::ClientReadReactor<v1::WatchPresenceResponse> {
 public:
  DeafWatch(const std::shared_ptr<grpc::Channel>& channel,
            const v1::WatchPresenceRequest& request, int messages)
      : stub_(v1::PresenceService::NewStub(channel)),
        request_(request),
        left_(messages) {
    stub_->async()->WatchPresence(&context_, &request_, this);
    // Reads may begin at any time until the call is let go of.
    AddHold();
    StartRead(&message_);
    StartCall();
    MutexLock lock(mutex_);
    EXPECT_TRUE(AwaitLocked(
        mutex_, changed_,
        [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return left_ == 0; }));
  }
  ~DeafWatch() override {
    context_.TryCancel();
    RemoveHold();
    MutexLock lock(mutex_);
    EXPECT_TRUE(
        AwaitLocked(mutex_, changed_,
                    [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return done_; }));
  }

  void OnReadDone(bool ok) override {
    MutexLock lock(mutex_);
    left_ = ok ? left_ - 1 : 0;
    if (left_ > 0) StartRead(&message_);
    changed_.NotifyAll();
  }
  void OnDone(const grpc::Status& /*status*/) override {
    MutexLock lock(mutex_);
    done_ = true;
    changed_.NotifyAll();
  }

 private:
  std::unique_ptr<v1::PresenceService::Stub> stub_;
  grpc::ClientContext context_;
  const v1::WatchPresenceRequest request_;
  v1::WatchPresenceResponse message_;
  Mutex mutex_;
  CondVar changed_;
  int left_ ABSL_GUARDED_BY(mutex_);
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
};

// 50 users on as many streams, watched by 20 of whom one does not read.
class DrainTest : public ::testing::Test {
 protected:
  void Start(const std::string& budget) {
    server_ = std::make_unique<LifesigndProcess>(
        std::vector<std::string>{"--server.drain_budget=" + budget});
    const std::vector<std::string> users = Users(kUsers);
    const auto watching = server_->NewChannel();
    for (int i = 1; i < kWatches; ++i) {
      watches_.push_back(
          std::make_unique<WatchClient>(watching, WatchOf(users)));
      ASSERT_TRUE(watches_.back()->AwaitSynced());
    }
    deaf_ =
        std::make_unique<DeafWatch>(server_->NewChannel(), WatchOf(users), 1);
    std::shared_ptr<grpc::Channel> beating;
    for (int i = 0; i < kUsers; ++i) {
      if (i % 10 == 0) beating = server_->NewChannel();
      clients_.push_back(std::make_unique<HeartbeatClient>(beating));
      clients_.back()->Open(OpenOf(1, users[static_cast<std::size_t>(i)], "s",
                                   v1::SIGNAL_KIND_ACTIVE));
    }
    for (const auto& watch : watches_) {
      for (const auto& user : users) {
        ASSERT_TRUE(watch->AwaitChange(user, v1::PRESENCE_STATE_ACTIVE));
      }
    }
  }

  // Every client is told to move on, and not all at one time.
  void EachIsToldToMoveOn() {
    std::set<Duration> delays;
    for (const auto& client : clients_) {
      v1::Drain drain;
      ASSERT_TRUE(client->AwaitDrain(drain));
      const Duration delay = ToDuration(drain.reconnect_delay());
      EXPECT_THAT(delay, AllOf(Ge(limits::kMinReconnectDelay),
                               Le(limits::kMaxReconnectDelay)));
      delays.insert(delay);
    }
    EXPECT_THAT(delays.size(), Gt(kUsers / 2));
  }
  void EndedForDrain(const grpc::Status& status, std::set<Duration>& delays) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE)
        << status.error_message();
    EXPECT_EQ(ReasonOf(status), "DRAINING");
    const auto retry = DetailOf<google::rpc::RetryInfo>(status);
    ASSERT_TRUE(retry.has_value());
    delays.insert(ToDuration(retry->retry_delay()));
  }
  // With a token to go on from, and having seen nothing but the logins.
  void WatchesEndWell() {
    std::set<Duration> delays;
    for (const auto& watch : watches_) {
      EndedForDrain(watch->AwaitEnd(), delays);
      EXPECT_FALSE(watch->token().empty());
      EXPECT_TRUE(watch->messages().back().has_progress());
      for (const auto& user : Users(kUsers)) {
        EXPECT_THAT(
            StatesOf(Told(watch->messages(), user)),
            ElementsAre(v1::PRESENCE_STATE_OFFLINE, v1::PRESENCE_STATE_ACTIVE));
      }
    }
    EXPECT_THAT(delays.size(), Gt(kWatches / 2));
  }
  int WatchesEnded() const {
    int ended = 0;
    for (const auto& watch : watches_) ended += watch->ended() ? 1 : 0;
    return ended;
  }

  std::unique_ptr<LifesigndProcess> server_;
  std::vector<std::unique_ptr<HeartbeatClient>> clients_;
  std::vector<std::unique_ptr<WatchClient>> watches_;
  std::unique_ptr<DeafWatch> deaf_;
};

// C52: end of long streams. concepts.md §§ 9, 12.
TEST_F(DrainTest, C52_WatchesOutlastTheHeartbeatStreamsThatMoveOn) {
  // A third of it is for heartbeat clients: none of them is cut here.
  Start("60s");
  server_->AskToEnd();
  EachIsToldToMoveOn();
  for (std::size_t i = 1; i < clients_.size(); ++i) {
    const grpc::Status status = clients_[i]->Finish();
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
  EXPECT_EQ(WatchesEnded(), 0) << "one heartbeat stream is still there";
  EXPECT_TRUE(clients_[0]->Finish().ok());
  WatchesEndWell();
  EXPECT_EQ(server_->AwaitExit(), kExitOk);
}

// C52, for clients that do not listen.
TEST_F(DrainTest, C52_StreamsThatStayAreEndedWithinTheBudget) {
  Start("15s");
  server_->AskToEnd();
  EachIsToldToMoveOn();
  std::set<Duration> delays;
  for (const auto& client : clients_) {
    EndedForDrain(client->AwaitEnd(), delays);
  }
  EXPECT_THAT(delays.size(), Gt(kUsers / 2));
  WatchesEndWell();
  EXPECT_EQ(server_->AwaitExit(), kExitOk);
}

// C52, for a watch that cannot even be told: its window is full.
TEST_F(DrainTest, C52_AWatchThatTakesNothingIsCutWhenTheBudgetHasRunOut) {
  Start("3s");
  // One slice of the snapshot is more than its window takes.
  std::vector<std::string> strangers = Users(5'000);
  for (auto& user : strangers) user.append(100, 'x');
  const DeafWatch stuck(server_->NewChannel(), WatchOf(strangers), 1);
  server_->AskToEnd();
  for (const auto& client : clients_) client->Finish();
  WatchesEndWell();
  EXPECT_EQ(server_->AwaitExit(), kExitDrainCutShort);
}

TEST_F(DrainTest, ASecondSignalEndsTheServerAtOnce) {
  // Longer than this test waits for anything.
  Start("1h");
  server_->AskToEnd();
  EachIsToldToMoveOn();
  EXPECT_TRUE(server_->IsRunning());
  server_->AskToEnd();
  EXPECT_EQ(server_->AwaitExit(), kExitSignalBase + SIGTERM);
}

}  // namespace
}  // namespace lifesign::testing
