// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Who publishes what was changed.
#include "server/transport/publisher.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/types/optional.h"
#include "server/base/clock.h"
#include "server/base/mutex.h"
#include "server/core/watch/watch.h"

namespace lifesign {
namespace {

// Counts how often its watch was woken, and holds the wakers up if asked to.
class Listener final : public WatchListener {
 public:
  void OnMail() override {
    MutexLock lock(mutex_);
    ++woken_;
    changed_.NotifyAll();
    while (held_) changed_.Wait(mutex_);
  }
  void Hold(bool held) {
    MutexLock lock(mutex_);
    held_ = held;
    changed_.NotifyAll();
  }
  void AwaitWoken(int times) {
    MutexLock lock(mutex_);
    while (woken_ < times) changed_.Wait(mutex_);
  }
  int woken() {
    MutexLock lock(mutex_);
    return woken_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  int woken_ ABSL_GUARDED_BY(mutex_) = 0;
  bool held_ ABSL_GUARDED_BY(mutex_) = false;
};

class PublisherTest : public ::testing::Test {
 protected:
  PublisherTest()
      : time_(clock_),
        engine_(Options([this] { publisher_->Poke(); }), time_.Read()),
        listener_(std::make_shared<Listener>()),
        watch_(std::make_shared<Watch>(listener_)) {
    publisher_.emplace(engine_, time_);
    const std::vector<std::string> users = {"u"};
    engine_.CopyAndRegister(watch_, users, time_.Read());
  }

  // The user comes, or leaves again.
  void Change() {
    Signal signal;
    if (attachment_ == kNoAttachment) {
      OpenRequest request;
      request.name = {"u", "s"};
      request.signal = signal;
      attachment_ = engine_.Open(request, time_.Read()).ref.attachment;
      return;
    }
    signal.kind = SignalKind::kLeave;
    engine_.ApplyUnary({"u", "s"}, std::exchange(attachment_, kNoAttachment),
                       signal, time_.Read());
  }

  SystemClock clock_;
  TimeSource time_;
  absl::optional<Publisher> publisher_;
  PresenceEngine engine_;
  std::shared_ptr<Listener> listener_;
  std::shared_ptr<Watch> watch_;

 private:
  static PresenceEngine::Options Options(std::function<void()> on_changes) {
    PresenceEngine::Options options;
    options.on_changes = std::move(on_changes);
    return options;
  }

  Attachment attachment_ = kNoAttachment;
};

TEST_F(PublisherTest, ItsThreadPublishesWhatItIsPokedFor) {
  publisher_->Start();
  Change();
  listener_->AwaitWoken(1);
  EXPECT_TRUE(watch_->HasMail());
}

// The publisher's own thread is not there to do it.
TEST_F(PublisherTest, AReactionPublishesWhenItEnds) {
  {
    const PublishAfter after;
    Change();
    EXPECT_EQ(listener_->woken(), 0);
  }
  EXPECT_EQ(listener_->woken(), 1);
  EXPECT_TRUE(watch_->HasMail());
}

TEST_F(PublisherTest, AReactionThatChangedNothingPublishesNothing) {
  Change();
  { const PublishAfter after; }
  EXPECT_EQ(listener_->woken(), 0);
}

// A second reaction ends while the first one's round is held up, and its change
// is published all the same.
TEST_F(PublisherTest, AReactionDoesNotWaitForTheRoundOfAnother) {
  listener_->Hold(true);
  std::thread first([&] {
    const PublishAfter after;
    Change();
  });
  listener_->AwaitWoken(1);
  EXPECT_EQ(watch_->Take(1).mail.size(), 1u);
  {
    const PublishAfter after;
    Change();
  }
  EXPECT_FALSE(watch_->HasMail());
  publisher_->Start();
  listener_->Hold(false);
  listener_->AwaitWoken(2);
  first.join();
  EXPECT_TRUE(watch_->HasMail());
}

}  // namespace
}  // namespace lifesign
