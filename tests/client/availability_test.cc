// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 13: what a client says of its user's availability, when,
// and when again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "lifesign/client/internal/presence_view.h"
#include "tests/client/heartbeat_fixture.h"

namespace lifesign::client::internal {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr auto kBusy = v1::AVAILABILITY_KIND_BUSY;
constexpr auto kDoNotDisturb = v1::AVAILABILITY_KIND_DO_NOT_DISTURB;
constexpr auto kAvailable = v1::AVAILABILITY_KIND_AVAILABLE;

class AvailabilityTest : public HeartbeatTest {
 protected:
  absl::Status Set(const Availability& availability) {
    return world_.Do([&](auto& logic, RealTime now) {
      return logic.SetAvailability(1, availability, now);
    });
  }
  const v1::AvailabilityDeclaration& InLastSignal() {
    return LastSignal().availability();
  }
  // Breaks the stream and waits for the next open.
  const v1::OpenOptions& OptionsAfterReconnect() {
    world_.EndStream(grpc::StatusCode::UNAVAILABLE);
    do {
      UntilSaid();
    } while (world_.last().opens_size() == 0);
    return world_.last().opens(0).options();
  }
};

TEST_F(AvailabilityTest, IsSaidAtOnceWithASignalAndAnAnswerIsAskedFor) {
  world_.Open();
  const size_t before = world_.said.size();
  EXPECT_TRUE(Set({kBusy, "at lunch", minutes(30)}).ok());
  ASSERT_EQ(world_.said.size(), before + 1);
  EXPECT_EQ(LastSignal().kind(), v1::SIGNAL_KIND_ACTIVE);
  EXPECT_EQ(InLastSignal().kind(), kBusy);
  EXPECT_EQ(InLastSignal().text(), "at lunch");
  EXPECT_EQ(FromProto(InLastSignal().expires_in()), minutes(30));
  EXPECT_TRUE(world_.last().answer_now());
  EXPECT_FALSE(world_.Status().unconfirmed);
}

TEST_F(AvailabilityTest, IsSaidOnceAndBeatsStaySmall) {
  world_.Open();
  EXPECT_TRUE(Set({kBusy}).ok());
  UntilSaid();
  EXPECT_FALSE(LastSignal().has_availability());
}

TEST_F(AvailabilityTest, GivenWithTheSessionItIsOneStepWithTheLogin) {
  SessionSpec spec;
  spec.user_id = "u1";
  spec.session_id = "s1";
  spec.availability = Availability{kDoNotDisturb, "focus"};
  EXPECT_TRUE(
      world_
          .Do([&](auto& logic, RealTime now) { return logic.Open(spec, now); })
          .ok());
  const v1::OpenOptions& options = world_.last().opens(0).options();
  EXPECT_EQ(options.availability().kind(), kDoNotDisturb);
  EXPECT_EQ(options.availability().text(), "focus");
  EXPECT_TRUE(options.replace_availability());
}

TEST_F(AvailabilityTest, WithoutOneOpensSayNothingOfIt) {
  world_.Open();
  EXPECT_FALSE(world_.last().opens(0).options().has_availability());
  EXPECT_FALSE(OptionsAfterReconnect().has_availability());
}

// The server that was started anew holds nothing; one that was not may hold
// something newer, from another device.
TEST_F(AvailabilityTest, OnceAcknowledgedOpensOfferItAndReplaceNothing) {
  world_.Open();
  EXPECT_TRUE(Set({kBusy, "", minutes(30)}).ok());
  world_.Advance(minutes(10));
  const v1::OpenOptions& options = OptionsAfterReconnect();
  EXPECT_EQ(options.availability().kind(), kBusy);
  EXPECT_LE(FromProto(options.availability().expires_in()), minutes(20));
  EXPECT_GT(FromProto(options.availability().expires_in()), minutes(19));
  EXPECT_FALSE(options.replace_availability());
}

TEST_F(AvailabilityTest, WhatRanOutIsNotOfferedAgain) {
  world_.Open();
  EXPECT_TRUE(Set({kBusy, "", seconds(30)}).ok());
  world_.Advance(minutes(1));
  EXPECT_FALSE(OptionsAfterReconnect().has_availability());
}

TEST_F(AvailabilityTest, WhatWasNotAcknowledgedIsSaidAgainWithTheNextOpen) {
  world_.Open();
  world_.answers = false;
  EXPECT_TRUE(Set({kBusy}).ok());
  EXPECT_TRUE(world_.Status().unconfirmed);
  const v1::OpenOptions& options = OptionsAfterReconnect();
  EXPECT_EQ(options.availability().kind(), kBusy);
  EXPECT_TRUE(options.replace_availability());
}

// What the user said is newer than what the server holds, also if it has run
// out before it could be told.
TEST_F(AvailabilityTest, WhatRanOutUnheardIsSaidAsAvailable) {
  world_.Open();
  world_.answers = false;
  EXPECT_TRUE(Set({kDoNotDisturb, "", std::chrono::milliseconds(1)}).ok());
  const v1::OpenOptions& options = OptionsAfterReconnect();
  EXPECT_EQ(options.availability().kind(), kAvailable);
  EXPECT_TRUE(options.replace_availability());
}

TEST_F(AvailabilityTest, SetWhileNotConnectedItComesWithTheOpen) {
  world_.Open();
  world_.EndStream(grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(Set({kBusy}).ok());
  UntilSaid();
  ASSERT_EQ(world_.last().opens_size(), 1);
  EXPECT_TRUE(world_.last().opens(0).options().replace_availability());
}

TEST_F(AvailabilityTest, WhereTheServerHasNoRoomTheSessionGoesOnWithout) {
  world_.Open();
  EXPECT_TRUE(Set({kBusy}).ok());
  world_.SendError(1, grpc::StatusCode::RESOURCE_EXHAUSTED,
                   v1::ERROR_REASON_TOO_MANY_AVAILABILITIES, world_.received);
  EXPECT_EQ(world_.Status().link, Link::kConnected);
  EXPECT_EQ(world_.Status().end, SessionEnd::kNotEnded);
  EXPECT_EQ(world_.Status().last_error.reason,
            v1::ERROR_REASON_TOO_MANY_AVAILABILITIES);
  EXPECT_FALSE(LastSignal().has_availability());
  EXPECT_FALSE(OptionsAfterReconnect().has_availability());
}

TEST_F(AvailabilityTest, AnOpenThatIsRefusedForItIsMadeAtOnceWithout) {
  world_.answers = false;
  SessionSpec spec;
  spec.user_id = "u1";
  spec.session_id = "s1";
  spec.availability = Availability{kBusy};
  EXPECT_TRUE(
      world_
          .Do([&](auto& logic, RealTime now) { return logic.Open(spec, now); })
          .ok());
  world_.answers = true;
  world_.SendError(1, grpc::StatusCode::RESOURCE_EXHAUSTED,
                   v1::ERROR_REASON_TOO_MANY_AVAILABILITIES, world_.received);
  ASSERT_EQ(world_.last().opens_size(), 1);
  EXPECT_FALSE(world_.last().opens(0).options().has_availability());
  EXPECT_FALSE(world_.Status().unconfirmed);
}

TEST_F(AvailabilityTest, WhatNoServerTakesIsRefusedAtOnce) {
  world_.Open();
  const size_t said = world_.said.size();
  for (const Availability& availability :
       {Availability{}, Availability{kBusy, std::string(256, 'x')}}) {
    EXPECT_TRUE(Set(availability).ok());
  }
  EXPECT_EQ(world_.said.size(), said + 2);
  for (const Availability& availability :
       {Availability{v1::AVAILABILITY_KIND_UNSPECIFIED},
        Availability{kBusy, std::string(257, 'x')}, Availability{kBusy, "\xFF"},
        Availability{kBusy, "a\nb"}, Availability{kBusy, "  "},
        Availability{kBusy, "", Duration::zero()},
        Availability{kBusy, "", seconds(-1)}}) {
    EXPECT_EQ(Set(availability).code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(world_.said.size(), said + 2);
}

TEST(PresenceViewAvailability, IsReportedWhenItDiffersAndOnlyThen) {
  PresenceView view{WatchOptions()};
  const auto take = [&](v1::AvailabilityKind kind, const char* text,
                        int64_t expires_at) {
    static uint64_t revision = 0;
    v1::PresenceRecord record;
    record.set_user_id("u");
    record.set_state(v1::PRESENCE_STATE_ACTIVE);
    record.set_revision(++revision);
    if (kind != v1::AVAILABILITY_KIND_UNSPECIFIED) {
      record.mutable_availability()->set_kind(kind);
      record.mutable_availability()->set_text(text);
    }
    if (expires_at != 0) {
      record.mutable_availability()->mutable_expires_at()->set_seconds(
          expires_at);
    }
    view.Take(record);
    return view.Next().has_value();
  };
  EXPECT_TRUE(take(v1::AVAILABILITY_KIND_UNSPECIFIED, "", 0));
  EXPECT_FALSE(take(v1::AVAILABILITY_KIND_UNSPECIFIED, "", 0));
  EXPECT_TRUE(take(kBusy, "", 0));
  EXPECT_FALSE(take(kBusy, "", 0));
  EXPECT_TRUE(take(kBusy, "lunch", 0));
  EXPECT_TRUE(take(kBusy, "lunch", 1'000));
  // The wall time of the same instant, told again.
  EXPECT_FALSE(take(kBusy, "lunch", 1'001));
  EXPECT_TRUE(take(kBusy, "lunch", 1'100));
  EXPECT_TRUE(take(v1::AVAILABILITY_KIND_UNSPECIFIED, "", 0));
}

}  // namespace
}  // namespace lifesign::client::internal
