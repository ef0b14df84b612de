// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Questions about a room over real gRPC: concepts.md §§ 10, 11.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/testing/rich_status.h"
#include "tests/integration/testing/test_server.h"
#include "tests/integration/testing/unary_client.h"
#include "tests/testing/eventually.h"

namespace lifesign::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

void AddRoom(v1::AwaitPresenceRequest& request, const std::string& room,
             int needed = 0) {
  v1::PresencePredicate& predicate = *request.add_predicates();
  predicate.set_room_id(room);
  predicate.set_at_least(v1::PRESENCE_STATE_ACTIVE);
  predicate.set_needed(needed);
}

void AddIntents(v1::AwaitPresenceRequest& request, const std::string& room,
                const std::string& target, int needed = 0) {
  v1::PresencePredicate& predicate = *request.add_predicates();
  predicate.mutable_intents()->set_room_id(room);
  predicate.mutable_intents()->set_user_id(target);
  predicate.set_needed(needed);
}

class RoomQueryTest : public ::testing::Test {
 protected:
  explicit RoomQueryTest(const PresenceRuntime::Options& options = {})
      : server_(clock_, options), unary_(server_.NewChannel()) {}

  // A session in `room`; its attachment.
  std::uint64_t Enter(const std::string& user, const std::string& room,
                      v1::SignalKind kind = v1::SIGNAL_KIND_ACTIVE) {
    v1::SendSignalRequest request;
    request.set_user_id(user);
    request.set_session_id("s");
    request.mutable_open()->mutable_rooms()->add_room_ids(room);
    request.set_kind(kind);
    v1::SendSignalResponse answer;
    EXPECT_TRUE(unary_.Send(request, answer).ok());
    return answer.attachment();
  }
  // So many are in `room`.
  bool AwaitUsers(const std::string& room, int users) {
    return Eventually([&] { return Count(room).users() == users; });
  }
  v1::CountPresencesResponse Count(const std::string& room) {
    v1::CountPresencesRequest request;
    request.set_room_id(room);
    v1::CountPresencesResponse answer;
    EXPECT_TRUE(unary_.Count(request, answer).ok());
    return answer;
  }

  SimulatedClock clock_;
  TestServer server_;
  UnaryClient unary_;
};

TEST_F(RoomQueryTest, AnAwaitIsAnsweredByTheMemberWhoCompletesThem) {
  v1::AwaitPresenceRequest request;
  AddRoom(request, "standup", 2);
  AddIntents(request, "standup", "ann");
  v1::AwaitPresenceResponse answer;
  grpc::Status status;
  std::thread caller([&] { status = unary_.Await(request, answer); });
  ASSERT_TRUE(server_.ReachesAwaits(1));
  UnaryClient elsewhere(server_.NewChannel());
  Enter("ann", "standup");
  Enter("bob", "standup", v1::SIGNAL_KIND_BACKGROUND);
  ASSERT_TRUE(AwaitUsers("standup", 2));
  EXPECT_TRUE(server_.ReachesAwaits(1));
  Enter("bob", "standup");
  caller.join();
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_TRUE(answer.satisfied());
  EXPECT_EQ(answer.results(0).matching(), 2);
  EXPECT_THAT(answer.results(0).user_ids(), IsEmpty());
  EXPECT_FALSE(answer.results(1).satisfied());
  EXPECT_TRUE(server_.ReachesAwaits(0));
}

TEST_F(RoomQueryTest, TheEndOfTheWaitAndTheDeadlineAnswerIt) {
  v1::AwaitPresenceRequest request;
  AddRoom(request, "r1", 2);
  request.mutable_wait()->set_seconds(300);
  for (const Duration patience : {seconds(600), seconds(60)}) {
    Enter("u1", "r1");
    ASSERT_TRUE(AwaitUsers("r1", 1));
    v1::AwaitPresenceResponse answer;
    grpc::Status status;
    std::thread caller(
        [&] { status = unary_.Await(request, answer, patience); });
    const bool waits = server_.ReachesAwaits(1);
    server_.Advance(patience == seconds(60) ? seconds(60) : seconds(300));
    caller.join();
    EXPECT_TRUE(waits);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_FALSE(answer.satisfied());
    EXPECT_FALSE(answer.results(0).satisfied());
  }
}

TEST_F(RoomQueryTest, ADrainEndsIt) {
  v1::AwaitPresenceRequest request;
  AddRoom(request, "r1");
  v1::AwaitPresenceResponse answer;
  grpc::Status status;
  std::thread caller([&] { status = unary_.Await(request, answer); });
  const bool waits = server_.ReachesAwaits(1);
  server_.runtime().drain().Begin(seconds(9));
  server_.Advance(milliseconds(100));
  caller.join();
  EXPECT_TRUE(waits);
  EXPECT_EQ(ReasonOf(status), "DRAINING");
}

TEST_F(RoomQueryTest, AwaitsThatAreNotFitAreRefusedNamingTheirFields) {
  v1::AwaitPresenceRequest request;
  AddRoom(request, "", 0);
  AddRoom(request, "r1", -1);
  request.mutable_predicates(1)->set_at_least(v1::PRESENCE_STATE_OFFLINE);
  AddIntents(request, "", "");
  AddIntents(request, "r1", "v1", 101);
  request.mutable_predicates(3)->set_at_least(v1::PRESENCE_STATE_ACTIVE);
  EXPECT_THAT(
      FieldsOf(unary_.AwaitFails(request)),
      ElementsAre("predicates[0].room_id", "predicates[1].at_least",
                  "predicates[1].needed", "predicates[2].intents.room_id",
                  "predicates[2].intents.user_id", "predicates[3].at_least",
                  "predicates[3].needed"));
  v1::AwaitPresenceRequest at_the_limit;
  AddIntents(at_the_limit, "r1", "v1", 100);
  AddRoom(at_the_limit, "r1", 1'000'000);
  at_the_limit.mutable_wait();
  v1::AwaitPresenceResponse answer;
  EXPECT_TRUE(unary_.Await(at_the_limit, answer).ok());
  EXPECT_FALSE(answer.satisfied());
}

TEST_F(RoomQueryTest, MembersAreListedPageByPage) {
  for (int i = 0; i < 5; ++i) Enter(absl::StrCat("u", i), "r1");
  Enter("elsewhere", "r2");
  ASSERT_TRUE(AwaitUsers("r1", 5));
  v1::ListPresencesRequest request;
  request.set_room_id("r1");
  request.set_page_size(2);
  std::vector<std::string> all;
  do {
    v1::ListPresencesResponse page;
    ASSERT_TRUE(unary_.List(request, page).ok());
    for (const auto& one : page.presences()) {
      all.push_back(one.user_id());
      EXPECT_EQ(one.state(), v1::PRESENCE_STATE_ACTIVE);
      EXPECT_GT(one.confidence(), 0);
      EXPECT_EQ(one.session_counts_size(), 1);
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(all, ElementsAre("u0", "u1", "u2", "u3", "u4"));
}

TEST_F(RoomQueryTest, APageTokenIsOfItsRoom) {
  for (int i = 0; i < 3; ++i) Enter(absl::StrCat("u", i), "r1");
  ASSERT_TRUE(AwaitUsers("r1", 3));
  v1::ListPresencesRequest request;
  request.set_room_id("r1");
  request.set_page_size(1);
  v1::ListPresencesResponse page;
  ASSERT_TRUE(unary_.List(request, page).ok());
  request.set_page_token(page.next_page_token());
  for (const char* room : {"r2", ""}) {
    request.set_room_id(room);
    EXPECT_EQ(ReasonOf(unary_.List(request, page)), "INVALID_PAGE_TOKEN");
  }
  request.set_room_id("r1");
  EXPECT_TRUE(unary_.List(request, page).ok());
  request.set_room_id(" ");
  EXPECT_THAT(FieldsOf(unary_.List(request, page)), ElementsAre("room_id"));
}

TEST_F(RoomQueryTest, CountsOfARoomAreWhatItKeeps) {
  Enter("u1", "r1");
  const std::uint64_t attachment = Enter("u2", "r1", v1::SIGNAL_KIND_IDLE);
  Enter("u3", "r2");
  ASSERT_TRUE(AwaitUsers("r1", 2));
  const v1::CountPresencesResponse counts = Count("r1");
  EXPECT_EQ(counts.sessions(), 2);
  EXPECT_EQ(counts.remembered_users(), 2);
  ASSERT_EQ(counts.states_size(), 2);
  EXPECT_EQ(counts.states(0).state(), v1::PRESENCE_STATE_ACTIVE);
  EXPECT_EQ(counts.states(0).users(), 1);
  EXPECT_EQ(counts.states(1).state(), v1::PRESENCE_STATE_IDLE);
  EXPECT_EQ(counts.devices_size(), 0);
  EXPECT_TRUE(counts.has_as_of());
  unary_.Signal("u2", "s", attachment, v1::SIGNAL_KIND_LEAVE);
  EXPECT_TRUE(AwaitUsers("r1", 1));
  v1::CountPresencesRequest request;
  request.set_room_id("\x01");
  v1::CountPresencesResponse answer;
  EXPECT_THAT(FieldsOf(unary_.Count(request, answer)), ElementsAre("room_id"));
}

void ExpectNoRight(const grpc::Status& status, const std::string& question) {
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED)
      << question;
  EXPECT_EQ(ReasonOf(status), "SEE_THROUGH_DENIED") << question;
}

TEST_F(RoomQueryTest, WhoLacksTheRightToSeeThroughIsDeniedIt) {
  Enter("ann", "r1");
  ASSERT_TRUE(AwaitUsers("r1", 1));
  // A room that is there, and one that is not.
  for (const std::string room : {"r1", "r2"}) {
    v1::ListPresencesRequest list;
    list.set_room_id(room);
    list.set_see_through(true);
    v1::ListPresencesResponse page;
    ExpectNoRight(unary_.List(list, page), "list");
    v1::CountPresencesRequest count;
    count.set_room_id(room);
    count.set_see_through(true);
    v1::CountPresencesResponse counts;
    ExpectNoRight(unary_.Count(count, counts), "count");
    v1::ExplainPresenceRequest explain;
    explain.set_user_id("ann");
    explain.set_room_id(room);
    explain.set_see_through(true);
    ExpectNoRight(
        unary_.CallWithBytes("ExplainPresence", explain.SerializeAsString()),
        "explain");
    v1::AwaitPresenceRequest members;
    AddRoom(members, room);
    members.set_see_through(true);
    ExpectNoRight(unary_.AwaitFails(members), "await of members");
    v1::AwaitPresenceRequest intents;
    AddIntents(intents, room, "ann");
    intents.set_see_through(true);
    intents.mutable_wait();
    ExpectNoRight(unary_.AwaitFails(intents), "await of intents");
  }
  EXPECT_TRUE(server_.ReachesAwaits(0));
}

class FewAwaitsOfRoomsTest : public RoomQueryTest {
 protected:
  FewAwaitsOfRoomsTest() : RoomQueryTest(Few()) {}

  static PresenceRuntime::Options Few() {
    PresenceRuntime::Options options;
    options.limits.max_awaited_users = 3;
    return options;
  }
};

TEST_F(FewAwaitsOfRoomsTest, APredicateOverARoomCountsAsAUser) {
  v1::AwaitPresenceRequest request;
  AddRoom(request, "r1");
  AddRoom(request, "r1");
  AddIntents(request, "r1", "v1");
  request.mutable_wait();
  v1::AwaitPresenceResponse answer;
  EXPECT_TRUE(unary_.Await(request, answer).ok());
  AddRoom(request, "r2");
  const grpc::Status status = unary_.AwaitFails(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonOf(status), "TOO_MANY_AWAITED_USERS");
}

}  // namespace
}  // namespace lifesign::testing
