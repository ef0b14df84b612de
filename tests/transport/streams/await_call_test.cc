// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// concepts.md § 10, AwaitPresence, by the logic of a call alone: no gRPC, no
// thread but that for chores.

#include "server/transport/await/await_call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/base/limits.h"
#include "tests/transport/streams/fake_call.h"
#include "tests/transport/streams/stream_world.h"

namespace lifesign::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::AwaitPresenceRequest AwaitOf(const std::vector<std::string>& users,
                                 v1::PresenceState at_least, int needed = 0) {
  v1::AwaitPresenceRequest request;
  v1::PresencePredicate& predicate = *request.add_predicates();
  for (const auto& user : users) {
    predicate.mutable_users()->add_user_ids(user);
  }
  predicate.set_at_least(at_least);
  predicate.set_needed(needed);
  return request;
}

class Waiter {
 public:
  Waiter(StreamWorld& world, const v1::AwaitPresenceRequest& request,
         Duration time_left = hours(1))
      : quota_(limits::kMaxAwaitedUsers) {
    AwaitOptions options;
    EXPECT_FALSE(DecodeAwait(request, time_left, options).has_value());
    const std::int64_t weight = options.weight;
    auto call = std::make_shared<AwaitCall>(world.parts(), std::move(options),
                                            *quota_.Take(weight));
    logic_ = call;
    call_.Attach(call);
    call->Start(call_);
  }
  ~Waiter() {
    if (!call_.finished()) call_.Break();
    call_.Done();
  }

  FakeCall<v1::AwaitPresenceResponse>& call() { return call_; }
  std::shared_ptr<AwaitCall> logic() { return logic_.lock(); }
  bool answered() const { return call_.finished(); }
  const v1::AwaitPresenceResponse& answer() { return call_.last(); }
  std::vector<std::string> matching() {
    const auto& ids = answer().results(0).user_ids();
    return {ids.begin(), ids.end()};
  }

 private:
  Quota quota_;
  FakeCall<v1::AwaitPresenceResponse> call_;
  std::weak_ptr<AwaitCall> logic_;
};

class AwaitCallTest : public ::testing::Test {
 protected:
  void Advance(Duration by) {
    world_.Advance(by);
    world_.AwaitChores();
  }

  // As if its deadline came now.
  void GiveUp(Waiter& waiter) {
    Now later = world_.now();
    later.presence += limits::kMaxAwait;
    waiter.logic()->OnDeadline(later);
    world_.AwaitChores();
  }

  StreamWorld world_;
};

TEST_F(AwaitCallTest, WhatHoldsIsAnsweredAtOnce) {
  world_.Login("u1", "s");
  Waiter waiter(world_, AwaitOf({"u1", "u2"}, v1::PRESENCE_STATE_ACTIVE));
  ASSERT_TRUE(waiter.answered());
  EXPECT_TRUE(waiter.call().status().ok());
  EXPECT_TRUE(waiter.answer().satisfied());
  EXPECT_THAT(waiter.matching(), ElementsAre("u1"));
  EXPECT_TRUE(waiter.answer().has_read_time());
  EXPECT_TRUE(waiter.answer().has_reconverging_until());
}

TEST_F(AwaitCallTest, TheChangeThatDecidesItAnswersIt) {
  Waiter waiter(world_, AwaitOf({"u1"}, v1::PRESENCE_STATE_ACTIVE));
  Advance(seconds(7));
  EXPECT_FALSE(waiter.answered());
  world_.Login("u1", "s");
  EXPECT_FALSE(waiter.answered());
  world_.Publish();
  ASSERT_TRUE(waiter.answered());
  EXPECT_TRUE(waiter.answer().satisfied());
  // Its deadline finds it answered.
  Advance(seconds(400));
}

TEST_F(AwaitCallTest, TheEndOfTheWaitAnswersWhatHoldsThen) {
  auto request = AwaitOf({"u1", "u2"}, v1::PRESENCE_STATE_ACTIVE, 2);
  request.mutable_wait()->set_seconds(10);
  Waiter waiter(world_, request);
  world_.Login("u2", "s");
  Advance(milliseconds(9'900));
  EXPECT_FALSE(waiter.answered());
  Advance(milliseconds(100));
  ASSERT_TRUE(waiter.answered());
  EXPECT_TRUE(waiter.call().status().ok());
  EXPECT_FALSE(waiter.answer().satisfied());
  EXPECT_FALSE(waiter.answer().results(0).satisfied());
  EXPECT_THAT(waiter.matching(), ElementsAre("u2"));
}

TEST_F(AwaitCallTest, ABlinkThatIsNotPublishedYetAtTheEndOfTheWaitSatisfies) {
  Waiter waiter(world_, AwaitOf({"u1"}, v1::PRESENCE_STATE_ACTIVE));
  Waiter other(world_, AwaitOf({"u2"}, v1::PRESENCE_STATE_ACTIVE));
  Advance(milliseconds(299'900));
  world_.Leave("u1", "s", world_.Login("u1", "s").ref.attachment);
  GiveUp(waiter);
  GiveUp(other);
  ASSERT_TRUE(waiter.answered());
  EXPECT_TRUE(waiter.answer().satisfied());
  EXPECT_THAT(waiter.matching(), ElementsAre("u1"));
  EXPECT_EQ(world_.StateOf("u1"), State::kOffline);
  ASSERT_TRUE(other.answered());
  EXPECT_FALSE(other.answer().satisfied());
}

TEST_F(AwaitCallTest, WithoutAWaitItIsThreeHundredSeconds) {
  Waiter waiter(world_, AwaitOf({"u1"}, v1::PRESENCE_STATE_ACTIVE));
  Advance(milliseconds(299'900));
  EXPECT_FALSE(waiter.answered());
  Advance(milliseconds(100));
  EXPECT_TRUE(waiter.answered());
}

TEST_F(AwaitCallTest, TheAnswerComesHalfASecondBeforeTheDeadlineOfTheCall) {
  auto request = AwaitOf({"u1"}, v1::PRESENCE_STATE_ACTIVE);
  request.mutable_wait()->set_seconds(10);
  Waiter waiter(world_, request, seconds(5));
  Advance(milliseconds(4'400));
  EXPECT_FALSE(waiter.answered());
  Advance(milliseconds(100));
  EXPECT_TRUE(waiter.answered());
  // One that is nearer than that looks once.
  EXPECT_TRUE(Waiter(world_, request, milliseconds(500)).answered());
  EXPECT_TRUE(Waiter(world_, request, milliseconds(-1)).answered());
  EXPECT_FALSE(Waiter(world_, request, milliseconds(501)).answered());
}

TEST_F(AwaitCallTest, ARoomIsLookedAtOnceMoreAtTheEndOfTheWait) {
  v1::AwaitPresenceRequest request;
  v1::PresencePredicate& predicate = *request.add_predicates();
  predicate.set_room_id("r1");
  predicate.set_at_least(v1::PRESENCE_STATE_STALE);
  Waiter waiter(world_, request);
  Waiter other(world_, AwaitOf({"u2"}, v1::PRESENCE_STATE_ACTIVE));
  Advance(milliseconds(299'900));
  // Comes and goes, and is not published yet.
  const std::vector<absl::string_view> rooms = {"r1"};
  OpenRequest open;
  open.name = {"u1", "s"};
  open.signal = Signal{};
  open.rooms = &rooms;
  world_.Leave("u1", "s",
               world_.engine().Open(open, world_.now()).ref.attachment);
  EXPECT_FALSE(waiter.answered());
  GiveUp(waiter);
  ASSERT_TRUE(waiter.answered());
  EXPECT_TRUE(waiter.answer().satisfied());
  EXPECT_EQ(waiter.answer().results(0).matching(), 1);
  EXPECT_FALSE(other.answered());
}

TEST_F(AwaitCallTest, AWaitOfNothingLooksOnce) {
  auto request = AwaitOf({"u1"}, v1::PRESENCE_STATE_ACTIVE);
  request.mutable_wait();
  Waiter waiter(world_, request);
  ASSERT_TRUE(waiter.answered());
  EXPECT_FALSE(waiter.answer().satisfied());
  EXPECT_THAT(waiter.matching(), IsEmpty());
}

TEST_F(AwaitCallTest, OneThatIsBrokenOffLeavesNothingBehind) {
  {
    Waiter waiter(world_, AwaitOf({"u1"}, v1::PRESENCE_STATE_ACTIVE));
    EXPECT_EQ(world_.parts().awaits.count(), 1);
    waiter.call().Break();
    EXPECT_EQ(waiter.call().status().error_code(), grpc::StatusCode::CANCELLED);
    EXPECT_THAT(waiter.call().responses(), IsEmpty());
  }
  EXPECT_EQ(world_.parts().awaits.count(), 0);
  world_.Login("u1", "s");
  world_.Publish();
  Advance(seconds(400));
}

TEST_F(AwaitCallTest, BrokenOffWhileItGivesUpItEndsOnce) {
  Waiter waiter(world_, AwaitOf({"u1"}, v1::PRESENCE_STATE_ACTIVE));
  GiveUp(waiter);
  waiter.call().Break();
  EXPECT_TRUE(waiter.call().status().ok());
}

TEST_F(AwaitCallTest, ADrainEndsIt) {
  Waiter waiter(world_, AwaitOf({"u1"}, v1::PRESENCE_STATE_ACTIVE));
  waiter.logic()->EndForDrain();
  ASSERT_TRUE(waiter.answered());
  EXPECT_EQ(waiter.call().status().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(waiter.call().status()), "DRAINING");
  waiter.logic()->EndForDrain();
}

TEST(QuotaTest, IsGivenUpToItsBoundAndComesBack) {
  Quota quota(10);
  auto some = quota.Take(7);
  ASSERT_TRUE(some.has_value());
  EXPECT_FALSE(quota.Take(4).has_value());
  EXPECT_TRUE(quota.Take(3).has_value());
  EXPECT_EQ(quota.held(), 7);
  some.reset();
  EXPECT_TRUE(quota.Take(10).has_value());
  EXPECT_EQ(quota.held(), 0);
}

}  // namespace
}  // namespace lifesign::testing
