// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Many threads on one engine: on one shard and across shards. What they do
// together is what ThreadSanitizer looks at; what must hold is below.
#include <atomic>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/core/presence_engine.h"

namespace lifesign {
namespace {

constexpr int kUsers = 24;
constexpr int kRounds = 2'000;

// A clock that every thread may read and one moves.
class SharedClock {
 public:
  Now now() const {
    const Duration at(at_.load(std::memory_order_relaxed));
    return {PresenceTime(at), RealTime(at), WallTime(seconds(1'000) + at)};
  }
  void Advance(Duration by) {
    at_.fetch_add(by.count(), std::memory_order_relaxed);
  }

 private:
  std::atomic<std::int64_t> at_{1'000'000};
};

class ConcurrencyTest : public ::testing::TestWithParam<int> {
 protected:
  ConcurrencyTest() {
    PresenceEngine::Options options;
    options.shards = GetParam();
    options.policy = ScalePolicy(Policy(), 1, 10);
    options.policy.offline_retention = seconds(5);
    engine_ = std::make_unique<PresenceEngine>(options, clock_.now());
    for (int user = 0; user < kUsers; ++user) {
      users_.push_back(absl::StrCat("u", user));
    }
    watch_ = std::make_shared<Watch>(std::weak_ptr<WatchListener>());
    engine_->CopyAndRegister(watch_, users_, clock_.now());
  }

  // Opens, beats, detaches, leaves: each thread its own session of every user.
  void Clients(int thread) {
    std::mt19937_64 random(static_cast<std::uint64_t>(thread));
    std::map<std::string, SessionRef> refs;
    const std::string session = absl::StrCat("s", thread % 3);
    for (int i = 0; i < kRounds; ++i) {
      const std::string& user = users_[random() % kUsers];
      Signal signal;
      signal.kind = static_cast<SignalKind>(random() % 3);
      switch (random() % 8) {
        case 0: {
          OpenRequest request;
          request.name = {user, session};
          request.binding = {static_cast<std::uint64_t>(thread) + 1, 1};
          request.instance = static_cast<Instance>(thread) + 1;
          const OpenOutcome opened = engine_->Open(request, clock_.now());
          if (opened.ok()) refs[user] = opened.ref;
          break;
        }
        case 1:
          signal.kind = SignalKind::kLeave;
          signal.linger =
              Duration(static_cast<std::int64_t>(random() % 50'000));
          [[fallthrough]];
        default:
          if (refs.contains(user)) {
            engine_->Apply(refs[user], signal, clock_.now());
          }
          break;
        case 2:
          if (refs.contains(user)) {
            engine_->Disconnect(refs[user], clock_.now());
            refs.erase(user);
          }
          break;
      }
    }
  }

  // Moves time, ticks and publishes, until told to stop. Notes what is out of
  // order.
  void Publisher() {
    std::map<std::string, State> told;
    std::map<std::string, Revision> newest;
    const auto publish = [&] {
      const Revision before = engine_->published_up_to();
      engine_->Publish(clock_.now(), [&](const Change& change, Detail) {
        const std::string& user = change.after.user;
        if (change.after.revision <= newest[user]) ++out_of_order_;
        if (change.after.revision <= before) ++behind_watermark_;
        if (told.contains(user) && told[user] != change.before) ++gaps_;
        if (change.before == change.after.state) ++equal_;
        newest[user] = change.after.revision;
        told[user] = change.after.state;
        ++changes_;
        return std::shared_ptr<const void>();
      });
    };
    while (!stop_.load(std::memory_order_acquire)) {
      clock_.Advance(milliseconds(20));
      engine_->Tick(clock_.now());
      publish();
      watch_->Take(10);
    }
    publish();
  }

  void Run(const std::vector<std::function<void()>>& others) {
    std::thread publisher([this] { Publisher(); });
    std::vector<std::thread> threads;
    for (const auto& other : others) threads.emplace_back(other);
    for (std::thread& thread : threads) thread.join();
    stop_.store(true, std::memory_order_release);
    publisher.join();
    EXPECT_GT(changes_, 0);
    EXPECT_EQ(out_of_order_, 0);
    EXPECT_EQ(behind_watermark_, 0);
    EXPECT_EQ(gaps_, 0) << "what came before is what was told";
    EXPECT_EQ(equal_, 0);
  }

  SharedClock clock_;
  std::unique_ptr<PresenceEngine> engine_;
  std::vector<std::string> users_;
  std::shared_ptr<Watch> watch_;
  std::atomic<bool> stop_{false};
  // Of the publisher.
  int changes_ = 0;
  int out_of_order_ = 0;
  int behind_watermark_ = 0;
  int gaps_ = 0;
  int equal_ = 0;
};

TEST_P(ConcurrencyTest, ChangesOfAUserComeInOrderWithoutGaps) {
  Run({[this] { Clients(0); }, [this] { Clients(1); }, [this] { Clients(2); },
       [this] { Clients(3); }});
}

TEST_P(ConcurrencyTest, ReadersWatchersAndPoliciesMayComeAtAnyTime) {
  Run({[this] { Clients(0); }, [this] { Clients(1); },
       [this] {
         for (int i = 0; i < kRounds; ++i) {
           const std::string& user =
               users_[static_cast<std::size_t>(i) % kUsers];
           engine_->GetUser(user, clock_.now());
           engine_->ListSessions(user, clock_.now());
           engine_->Explain(user, clock_.now());
           engine_->ReconvergingUntil(clock_.now());
           engine_->sessions();
           engine_->users();
           engine_->Counts();
           engine_->List({StateSet::All(), {}}, {}, 5, clock_.now());
           if (i % 100 == 0) {
             engine_->SetPolicy(i % 200 == 0 ? Policy()
                                             : ScalePolicy(Policy(), 1, 10));
           }
         }
       },
       [this] {
         const auto watch =
             std::make_shared<Watch>(std::weak_ptr<WatchListener>());
         for (int i = 0; i < kRounds / 4; ++i) {
           engine_->CopyAndRegister(watch, users_, clock_.now());
           watch->Take(3);
           engine_->Unregister(*watch, users_);
         }
       },
       [this] {
         for (int i = 0; i < kRounds / 4; ++i) {
           AwaitTerms terms;
           terms.users = users_;
           terms.predicates = {{{0, 1, 2}, State::kIdle, 3}};
           const auto await = std::make_shared<Await>(
               std::move(terms), std::weak_ptr<AwaitListener>());
           engine_->TellAndRegister(await, clock_.now());
           await->Views();
           engine_->Unregister(*await);
         }
       }});
}

// § 9: no gap and no overlap between snapshot and changes. C37 (a): watch a
// user while their only session leaves; the last thing seen is OFFLINE, once.
TEST_P(ConcurrencyTest, BetweenCopyAndChangesNothingIsLostAndNothingToldTwice) {
  std::thread publisher([this] {
    while (!stop_.load(std::memory_order_acquire)) {
      engine_->Publish(clock_.now(), [](const Change&, Detail) {
        return std::shared_ptr<void>();
      });
    }
  });
  for (int i = 0; i < kRounds; ++i) {
    const std::string user = absl::StrCat("c", i);
    OpenRequest request;
    request.name = {user, "s1"};
    request.signal = Signal();
    const OpenOutcome opened = engine_->Open(request, clock_.now());
    std::thread leaver([&] {
      Signal leave;
      leave.kind = SignalKind::kLeave;
      engine_->Apply(opened.ref, leave, clock_.now());
    });
    const auto watch = std::make_shared<Watch>(std::weak_ptr<WatchListener>());
    const PresenceRecord copied = engine_->CopyAndRegister(
        watch, std::vector<std::string>{user}, clock_.now())[0];
    leaver.join();
    // The publisher may still carry it; then it comes.
    while (copied.state != State::kOffline && !watch->HasMail()) {
      std::this_thread::yield();
    }
    const auto mail = watch->Take(10).mail;
    if (copied.state == State::kOffline) {
      ASSERT_TRUE(mail.empty());
    } else {
      ASSERT_EQ(mail.size(), 1u);
      ASSERT_EQ(mail[0]->change.after.state, State::kOffline);
      ASSERT_GT(mail[0]->change.after.revision, copied.revision);
    }
  }
  stop_.store(true, std::memory_order_release);
  publisher.join();
}

// § 10: no change falls between the first look of an await and what it is told
// after that.
TEST_P(ConcurrencyTest, BetweenTheLookOfAnAwaitAndChangesNothingIsLost) {
  std::thread publisher([this] {
    while (!stop_.load(std::memory_order_acquire)) {
      engine_->Publish(clock_.now(), [](const Change&, Detail) {
        return std::shared_ptr<void>();
      });
    }
  });
  for (int i = 0; i < kRounds; ++i) {
    AwaitTerms terms;
    terms.users = {absl::StrCat("c", i), absl::StrCat("d", i)};
    terms.predicates = {{{0, 1}, State::kActive, 2}};
    const auto await =
        std::make_shared<Await>(terms, std::weak_ptr<AwaitListener>());
    std::thread comer([&] {
      for (const std::string& user : terms.users) {
        OpenRequest request;
        request.name = {user, "s1"};
        request.signal = Signal();
        engine_->Open(request, clock_.now());
      }
    });
    engine_->TellAndRegister(await, clock_.now());
    comer.join();
    // The publisher may still carry it; then it comes.
    while (!await->decided()) std::this_thread::yield();
    engine_->Unregister(*await);
  }
  stop_.store(true, std::memory_order_release);
  publisher.join();
}

INSTANTIATE_TEST_SUITE_P(Shards, ConcurrencyTest, ::testing::Values(1, 8),
                         [](const auto& shards) {
                           return absl::StrCat(shards.param);
                         });

}  // namespace
}  // namespace lifesign
