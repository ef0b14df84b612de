// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// AwaitPresence over real gRPC: concepts.md § 10.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
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

constexpr auto kActive = v1::SIGNAL_KIND_ACTIVE;

v1::AwaitPresenceRequest AwaitOf(const std::vector<std::string>& users) {
  v1::AwaitPresenceRequest request;
  v1::PresencePredicate& predicate = *request.add_predicates();
  for (const auto& user : users) {
    predicate.mutable_users()->add_user_ids(user);
  }
  predicate.set_at_least(v1::PRESENCE_STATE_ACTIVE);
  return request;
}

// A call on a thread of its own.
class Waiting {
 public:
  Waiting(UnaryClient& client, v1::AwaitPresenceRequest request,
          Duration patience = seconds(600))
      : thread_([this, &client, patience, request = std::move(request)] {
          status_ = client.Await(request, answer_, patience);
        }) {}
  ~Waiting() {
    if (thread_.joinable()) thread_.join();
  }
  // Returns when the call has ended.
  const grpc::Status& End() {
    if (thread_.joinable()) thread_.join();
    return status_;
  }
  const v1::AwaitPresenceResponse& answer() {
    EXPECT_TRUE(End().ok()) << status_.error_message();
    return answer_;
  }

 private:
  grpc::Status status_;
  v1::AwaitPresenceResponse answer_;
  std::thread thread_;
};

class AwaitTest : public ::testing::Test {
 protected:
  explicit AwaitTest(const PresenceRuntime::Options& options = {})
      : server_(clock_, options), unary_(server_.NewChannel()) {}

  SimulatedClock clock_;
  TestServer server_;
  UnaryClient unary_;
};

TEST_F(AwaitTest, ASignalAnswersIt) {
  Waiting waiting(unary_, AwaitOf({"u1", "u2"}));
  ASSERT_TRUE(server_.ReachesAwaits(1));
  server_.Advance(seconds(3));
  unary_.Open("u2", "s", kActive, 1);
  EXPECT_TRUE(waiting.answer().satisfied());
  EXPECT_THAT(waiting.answer().results(0).user_ids(), ElementsAre("u2"));
  EXPECT_TRUE(server_.ReachesAwaits(0));
}

TEST_F(AwaitTest, TheEndOfTheWaitAnswersIt) {
  auto request = AwaitOf({"u1"});
  request.mutable_wait()->set_seconds(300);
  Waiting waiting(unary_, request);
  ASSERT_TRUE(server_.ReachesAwaits(1));
  const auto began = unary_.Get("u1").read_time().seconds();
  server_.Advance(seconds(301));
  EXPECT_FALSE(waiting.answer().satisfied());
  EXPECT_EQ(waiting.answer().read_time().seconds() - began, 300);
}

TEST_F(AwaitTest, TheDeadlineOfTheCallAnswersItInTime) {
  Waiting waiting(unary_, AwaitOf({"u1"}), seconds(60));
  ASSERT_TRUE(server_.ReachesAwaits(1));
  const auto began = unary_.Get("u1").read_time().seconds();
  server_.Advance(seconds(60));
  // Real time goes by, too, on its way there.
  EXPECT_FALSE(waiting.answer().satisfied());
  EXPECT_LT(waiting.answer().read_time().seconds() - began, 60);
}

TEST_F(AwaitTest, LimitsAtAndPast) {
  auto request = AwaitOf({});
  request.mutable_wait();
  for (int i = 0; i < 1'000; ++i) {
    request.mutable_predicates(0)->mutable_users()->add_user_ids(
        absl::StrCat("u", i));
  }
  v1::AwaitPresenceResponse answer;
  EXPECT_TRUE(unary_.Await(request, answer).ok());
  *request.add_predicates() = AwaitOf({"one more"}).predicates(0);
  EXPECT_THAT(FieldsOf(unary_.AwaitFails(request)), ElementsAre("predicates"));

  request = AwaitOf({"u1"});
  request.mutable_wait();
  while (request.predicates_size() < 16) {
    *request.add_predicates() = request.predicates(0);
  }
  EXPECT_TRUE(unary_.Await(request, answer).ok());
  EXPECT_EQ(answer.results_size(), 16);
  *request.add_predicates() = request.predicates(0);
  EXPECT_THAT(FieldsOf(unary_.AwaitFails(request)), ElementsAre("predicates"));

  request = AwaitOf({"u1"});
  request.mutable_wait()->set_seconds(300);
  request.mutable_wait()->set_nanos(1'000);
  EXPECT_THAT(FieldsOf(unary_.AwaitFails(request)), ElementsAre("wait"));
}

TEST_F(AwaitTest, FieldsThatAreNotFitAreNamed) {
  EXPECT_THAT(FieldsOf(unary_.AwaitFails({})), ElementsAre("predicates"));
  auto request = AwaitOf({"u1", "u2", "u1"});
  request.mutable_predicates(0)->set_needed(3);
  *request.add_predicates() = AwaitOf({}).predicates(0);
  *request.add_predicates() = AwaitOf({""}).predicates(0);
  *request.add_predicates() = AwaitOf({"u1"}).predicates(0);
  request.mutable_predicates(3)->set_at_least(v1::PRESENCE_STATE_OFFLINE);
  request.mutable_predicates(3)->set_needed(-1);
  request.mutable_wait()->set_seconds(-1);
  EXPECT_THAT(
      FieldsOf(unary_.AwaitFails(request)),
      ElementsAre("predicates[0].needed", "predicates[1].over",
                  "predicates[2].users.user_ids[0]", "predicates[3].at_least",
                  "predicates[3].needed", "wait"));
  auto of_nobody = AwaitOf({"u1"});
  of_nobody.set_tenant("nobody");
  EXPECT_EQ(ReasonOf(unary_.AwaitFails(of_nobody)), "TENANT_DENIED");
  EXPECT_EQ(ReasonOf(unary_.CallWithBytes("AwaitPresence", "\xff")),
            "MALFORMED_MESSAGE");
}

TEST_F(AwaitTest, ACallerWhoGoesLeavesNothingBehind) {
  const auto stub = v1::PresenceService::NewStub(server_.NewChannel());
  grpc::ClientContext context;
  std::thread caller([&] {
    v1::AwaitPresenceResponse answer;
    EXPECT_EQ(
        stub->AwaitPresence(&context, AwaitOf({"u1"}), &answer).error_code(),
        grpc::StatusCode::CANCELLED);
  });
  ASSERT_TRUE(server_.ReachesAwaits(1));
  context.TryCancel();
  caller.join();
  EXPECT_TRUE(server_.ReachesAwaits(0));
  unary_.Open("u1", "s", kActive, 1);
}

TEST_F(AwaitTest, ADrainEndsThoseThatWaitAndRefusesNewOnes) {
  Waiting waiting(unary_, AwaitOf({"u1"}));
  ASSERT_TRUE(server_.ReachesAwaits(1));
  server_.runtime().drain().Begin(seconds(9));
  EXPECT_EQ(ReasonOf(unary_.AwaitFails(AwaitOf({"u1"}))), "DRAINING");
  server_.Advance(milliseconds(100));
  EXPECT_EQ(ReasonOf(waiting.End()), "DRAINING");
  EXPECT_TRUE(DetailOf<google::rpc::RetryInfo>(waiting.End()).has_value());
  EXPECT_TRUE(server_.runtime().service().AwaitNoStreams(seconds(10)));
}

class FewAwaitsTest : public AwaitTest {
 protected:
  FewAwaitsTest() : AwaitTest(Few()) {}

  static PresenceRuntime::Options Few() {
    PresenceRuntime::Options options;
    options.limits.max_streams_per_connection = 2;
    options.limits.max_awaited_users = 5;
    return options;
  }
};

TEST_F(FewAwaitsTest, AwaitsCountAsStreamsOfTheirConnection) {
  Waiting first(unary_, AwaitOf({"u1"}));
  Waiting second(unary_, AwaitOf({"u1"}));
  ASSERT_TRUE(server_.ReachesAwaits(2));
  const grpc::Status status = unary_.AwaitFails(AwaitOf({"u1"}));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonOf(status), "TOO_MANY_STREAMS");
  // Others have calls of their own, and other calls go on.
  UnaryClient elsewhere(server_.NewChannel());
  elsewhere.Open("u1", "s", kActive, 1);
  EXPECT_TRUE(first.answer().satisfied());
  EXPECT_TRUE(second.answer().satisfied());
}

TEST_F(FewAwaitsTest, AwaitsOfTheWholeServerAwaitSoManyUsers) {
  Waiting waiting(unary_, AwaitOf({"u1", "u2", "u3"}));
  ASSERT_TRUE(server_.ReachesAwaits(1));
  UnaryClient elsewhere(server_.NewChannel());
  v1::AwaitPresenceResponse answer;
  auto request = AwaitOf({"u1", "u2", "u3"});
  request.mutable_wait();
  const grpc::Status status = elsewhere.Await(request, answer);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonOf(status), "TOO_MANY_AWAITED_USERS");
  EXPECT_TRUE(DetailOf<google::rpc::QuotaFailure>(status).has_value());
  request = AwaitOf({"u1", "u2"});
  request.mutable_wait();
  EXPECT_TRUE(elsewhere.Await(request, answer).ok());
  unary_.Open("u1", "s", kActive, 1);
  waiting.End();
  ASSERT_TRUE(server_.ReachesAwaits(0));
  request = AwaitOf({"u1", "u2", "u3"});
  EXPECT_TRUE(
      Eventually([&] { return elsewhere.Await(request, answer).ok(); }));
}

}  // namespace
}  // namespace lifesign::testing
