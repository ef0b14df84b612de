// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Signals applied together do what they do one by one.
#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "server/core/presence_engine.h"

namespace lifesign {
namespace {

constexpr int kUsers = 40;
constexpr int kSessions = 3 * kUsers;
constexpr int kRounds = 400;

Now At(Duration since_start) {
  const Duration at = seconds(1'000) + since_start;
  return {PresenceTime(at), RealTime(at), WallTime(at)};
}

class Twin {
 public:
  explicit Twin(int shards) {
    PresenceEngine::Options options;
    options.shards = shards;
    options.hash_seed = 7;
    engine_ = std::make_unique<PresenceEngine>(options, At(Duration(0)));
    refs_.resize(kSessions);
  }

  void Open(int session, const Now& now) {
    const std::string user = absl::StrCat("u", session % kUsers);
    const std::string id = absl::StrCat("s", session);
    OpenRequest request;
    request.name = {user, id};
    request.binding.stream = 1;
    request.instance = 1;
    refs_[static_cast<std::size_t>(session)] = engine_->Open(request, now).ref;
  }
  PresenceEngine& engine() { return *engine_; }
  const SessionRef& ref(int session) const {
    return refs_[static_cast<std::size_t>(session)];
  }

 private:
  std::unique_ptr<PresenceEngine> engine_;
  std::vector<SessionRef> refs_;
};

void ExpectSame(const SignalOutcome& a, const SignalOutcome& b) {
  EXPECT_EQ(a.refusal, b.refusal);
  EXPECT_EQ(a.state, b.state);
  EXPECT_EQ(a.next_interval, b.next_interval);
  EXPECT_EQ(a.is_news, b.is_news);
  EXPECT_EQ(a.bound, b.bound);
}

class ApplyAllTest : public ::testing::TestWithParam<int> {};

// Also several of one session, of one that left in the same message, and of
// one that is not open.
TEST_P(ApplyAllTest, DoesWhatApplyDoesOneByOne) {
  std::mt19937_64 random(11);
  Twin together(GetParam());
  Twin one_by_one(GetParam());
  const auto any = [&](int below) {
    return static_cast<int>(random() % static_cast<unsigned>(below));
  };
  Duration at(0);
  for (int s = 0; s < kSessions; ++s) {
    together.Open(s, At(at));
    one_by_one.Open(s, At(at));
  }
  constexpr SignalKind kKinds[] = {SignalKind::kActive, SignalKind::kActive,
                                   SignalKind::kIdle,   SignalKind::kBackground,
                                   SignalKind::kDetach, SignalKind::kLeave};
  for (int round = 0; round < kRounds; ++round) {
    at += milliseconds(any(4'000));
    const int reopened = any(kSessions);
    together.Open(reopened, At(at));
    one_by_one.Open(reopened, At(at));
    const int count = any(2) == 0
                          ? any(4)
                          : any(static_cast<int>(limits::kSignalsPerLock) + 1);
    std::vector<BoundSignal> signals(static_cast<std::size_t>(count));
    std::vector<SignalOutcome> expected;
    for (BoundSignal& next : signals) {
      const int session = any(kSessions);
      next.ref = together.ref(session);
      next.signal.kind = kKinds[any(6)];
      if (next.signal.kind == SignalKind::kLeave) {
        next.signal.linger = seconds(any(3));
      }
      expected.push_back(one_by_one.engine().Apply(one_by_one.ref(session),
                                                   next.signal, At(at)));
    }
    together.engine().ApplyAll(absl::MakeSpan(signals), At(at));
    for (std::size_t i = 0; i < signals.size(); ++i) {
      SCOPED_TRACE(absl::StrCat("round ", round, ", signal ", i));
      ExpectSame(signals[i].outcome, expected[i]);
    }
    ASSERT_FALSE(HasFailure());
  }
  for (int u = 0; u < kUsers; ++u) {
    const std::string user = absl::StrCat("u", u);
    const PresenceRecord a = together.engine().GetUser(user, At(at)).record;
    const PresenceRecord b = one_by_one.engine().GetUser(user, At(at)).record;
    EXPECT_EQ(a.state, b.state) << user;
    EXPECT_EQ(a.last_seen, b.last_seen) << user;
    EXPECT_EQ(a.last_active, b.last_active) << user;
  }
}

// One shard, a few, and more than are told apart when signals are sorted.
INSTANTIATE_TEST_SUITE_P(Shards, ApplyAllTest, ::testing::Values(1, 5, 200));

}  // namespace
}  // namespace lifesign
