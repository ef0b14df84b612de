// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Questions about many users: concepts.md § 10.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/testing/rich_status.h"
#include "tests/integration/testing/test_server.h"
#include "tests/integration/testing/unary_client.h"

namespace lifesign::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr auto kActive = v1::SIGNAL_KIND_ACTIVE;
constexpr auto kIdle = v1::SIGNAL_KIND_IDLE;
constexpr auto kLeave = v1::SIGNAL_KIND_LEAVE;

class QueryTest : public ::testing::Test {
 protected:
  static std::vector<std::string> NamesOf(
      const v1::ListPresencesResponse& page) {
    std::vector<std::string> names;
    for (const auto& presence : page.presences()) {
      names.push_back(presence.user_id());
    }
    return names;
  }
  v1::ListPresencesResponse List(const v1::ListPresencesRequest& request) {
    v1::ListPresencesResponse page;
    const grpc::Status status = unary_.List(request, page);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return page;
  }
  grpc::Status ListFails(const v1::ListPresencesRequest& request) {
    v1::ListPresencesResponse page;
    grpc::Status status = unary_.List(request, page);
    EXPECT_FALSE(status.ok());
    return status;
  }
  // A request for the second page of two.
  v1::ListPresencesRequest SecondPage() {
    unary_.Open("u1", "s", kActive, 1);
    unary_.Open("u2", "s", kActive, 1);
    v1::ListPresencesRequest request;
    request.set_page_size(1);
    request.set_page_token(List(request).next_page_token());
    EXPECT_THAT(request.page_token(), Not(IsEmpty()));
    return request;
  }

  SimulatedClock clock_;
  TestServer server_{clock_, {}};
  UnaryClient unary_{server_.NewChannel()};
};

TEST_F(QueryTest, WhoIsOnlineIsListedAsReadTogetherWithWhen) {
  unary_.Open("u1", "s", kActive, 1);
  unary_.Open("u2", "s", kIdle, 1);
  const auto gone = unary_.Open("u3", "s", kActive, 1);
  unary_.Signal("u3", "s", gone.attachment(), kLeave);
  server_.Advance(seconds(3));
  const auto page = List({});
  EXPECT_THAT(NamesOf(page), UnorderedElementsAre("u1", "u2"));
  EXPECT_THAT(page.next_page_token(), IsEmpty());
  const auto read = unary_.Get("u1");
  EXPECT_EQ(page.read_time().seconds(), read.read_time().seconds());
  EXPECT_EQ(page.reconverging_until().seconds(),
            read.reconverging_until().seconds());
  for (const auto& presence : page.presences()) {
    EXPECT_EQ(presence.SerializeAsString(),
              unary_.Get(presence.user_id()).presence().SerializeAsString());
  }
}

TEST_F(QueryTest, StatesAndSeenWithinSelect) {
  unary_.Open("u1", "s", kActive, 1);
  server_.Advance(seconds(20));
  const auto gone = unary_.Open("u2", "s", kActive, 1);
  unary_.Signal("u2", "s", gone.attachment(), kLeave);
  v1::ListPresencesRequest request;
  request.mutable_seen_within()->set_seconds(10);
  EXPECT_THAT(NamesOf(List(request)), IsEmpty());
  request.add_states(v1::PRESENCE_STATE_OFFLINE);
  EXPECT_THAT(NamesOf(List(request)), ElementsAre("u2"));
  request.add_states(v1::PRESENCE_STATE_IDLE);
  request.mutable_seen_within()->set_seconds(20);
  EXPECT_THAT(NamesOf(List(request)), UnorderedElementsAre("u1", "u2"));
}

// C65.
TEST_F(QueryTest, PagesTogetherTellEachOnceWhateverComesAndGoes) {
  std::map<std::string, std::uint64_t> others;
  for (int i = 0; i < 100; ++i) {
    const std::string user = absl::StrCat("u", i);
    const bool stays = i % 12 == 0;
    const auto opened = unary_.Open(user, "s", stays ? kActive : kIdle, 1);
    if (!stays) others[user] = opened.attachment();
  }
  v1::ListPresencesRequest request;
  request.add_states(v1::PRESENCE_STATE_ACTIVE);
  for (const int page_size : {9, 2}) {
    request.set_page_size(page_size);
    request.clear_page_token();
    std::multiset<std::string> told;
    do {
      const auto page = List(request);
      EXPECT_LE(page.presences_size(), page_size);
      EXPECT_TRUE(page.has_read_time());
      for (const std::string& name : NamesOf(page)) told.insert(name);
      request.set_page_token(page.next_page_token());
      for (auto& [user, attachment] : others) {
        unary_.Signal(user, "s", attachment, kLeave);
        attachment = unary_.Open(user, "s", kIdle, 1).attachment();
      }
    } while (!request.page_token().empty());
    EXPECT_EQ(told.size(), 9u);
    EXPECT_EQ(std::set<std::string>(told.begin(), told.end()).size(), 9u);
  }
}

TEST_F(QueryTest, PageSizeHasALimitAndADefault) {
  for (int i = 0; i < 101; ++i) {
    unary_.Open(absl::StrCat("u", i), "s", kActive, 1);
  }
  EXPECT_EQ(List({}).presences_size(), 100);
  v1::ListPresencesRequest request;
  request.set_page_size(1'000);
  EXPECT_EQ(List(request).presences_size(), 101);
  for (const int wrong : {1'001, -1}) {
    request.set_page_size(wrong);
    EXPECT_THAT(FieldsOf(ListFails(request)), ElementsAre("page_size"));
  }
}

TEST_F(QueryTest, FieldsThatAreNotFitAreNamed) {
  v1::ListPresencesRequest request;
  request.add_states(v1::PRESENCE_STATE_ACTIVE);
  request.add_states(v1::PRESENCE_STATE_UNSPECIFIED);
  request.mutable_seen_within()->set_seconds(-1);
  request.set_page_token(std::string(129, 'x'));
  EXPECT_THAT(FieldsOf(ListFails(request)),
              ElementsAre("states[1]", "seen_within", "page_token"));
  v1::ListPresencesRequest of_nobody;
  of_nobody.set_tenant("nobody");
  EXPECT_EQ(ReasonOf(ListFails(of_nobody)), "TENANT_DENIED");
}

TEST_F(QueryTest, APageTokenIsGoodForTenMinutes) {
  const auto request = SecondPage();
  server_.Advance(seconds(600));
  List(request);
  server_.Advance(milliseconds(1));
  const grpc::Status status = ListFails(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonOf(status), "INVALID_PAGE_TOKEN");
  EXPECT_THAT(FieldsOf(status), ElementsAre("page_token"));
}

TEST_F(QueryTest, APageTokenIsForItsFilterAndForAnyPageSize) {
  auto request = SecondPage();
  request.set_page_size(50);
  EXPECT_EQ(List(request).presences_size(), 1);
  request.add_states(v1::PRESENCE_STATE_ACTIVE);
  EXPECT_EQ(ReasonOf(ListFails(request)), "INVALID_PAGE_TOKEN");
}

TEST_F(QueryTest, APageTokenOfAnotherRunOrOfNobodyIsRefused) {
  auto request = SecondPage();
  clock_.Advance(seconds(1));
  TestServer other(clock_, {});
  UnaryClient unary(other.NewChannel());
  v1::ListPresencesResponse page;
  EXPECT_EQ(ReasonOf(unary.List(request, page)), "INVALID_PAGE_TOKEN");
  request.set_page_token("made up");
  EXPECT_EQ(ReasonOf(ListFails(request)), "INVALID_PAGE_TOKEN");
}

TEST_F(QueryTest, CountsTellUsersSessionsAndDevicesAsOfTheLastTick) {
  const auto open = [&](const std::string& user, const std::string& session,
                        v1::SignalKind kind, v1::DeviceClass device) {
    v1::SendSignalRequest request;
    request.set_user_id(user);
    request.set_session_id(session);
    request.mutable_open()->set_device_class(device);
    request.set_kind(kind);
    v1::SendSignalResponse answer;
    EXPECT_TRUE(unary_.Send(request, answer).ok());
    return answer.attachment();
  };
  open("u1", "tab", kActive, v1::DEVICE_CLASS_WEB);
  open("u1", "phone", kIdle, v1::DEVICE_CLASS_MOBILE);
  open("u2", "phone", kIdle, v1::DEVICE_CLASS_MOBILE);
  unary_.Signal("u3", "tab", open("u3", "tab", kActive, v1::DEVICE_CLASS_WEB),
                kLeave);
  EXPECT_EQ(unary_.Count().users(), 0);
  server_.Advance(milliseconds(150));

  const v1::CountPresencesResponse counts = unary_.Count();
  EXPECT_EQ(counts.users(), 2);
  EXPECT_EQ(counts.sessions(), 3);
  EXPECT_EQ(counts.remembered_users(), 3);
  ASSERT_EQ(counts.states_size(), 2);
  EXPECT_EQ(counts.states(0).state(), v1::PRESENCE_STATE_ACTIVE);
  EXPECT_EQ(counts.states(0).users(), 1);
  EXPECT_EQ(counts.states(0).sessions(), 1);
  EXPECT_EQ(counts.states(1).users(), 1);
  EXPECT_EQ(counts.states(1).sessions(), 2);
  ASSERT_EQ(counts.devices_size(), 2);
  EXPECT_EQ(counts.devices(0).device_class(), v1::DEVICE_CLASS_WEB);
  EXPECT_EQ(counts.devices(0).users(), 1);
  EXPECT_EQ(counts.devices(1).device_class(), v1::DEVICE_CLASS_MOBILE);
  EXPECT_EQ(counts.devices(1).users(), 2);
  EXPECT_EQ(counts.devices(1).sessions(), 2);
  EXPECT_EQ(counts.devices(1).states_size(), 1);
  EXPECT_EQ(counts.read_time().nanos() - counts.as_of().nanos(), 50'000'000);
  EXPECT_TRUE(counts.has_reconverging_until());
}

// C63.
TEST_F(QueryTest, CountsDriftByNoLeaveHoweverOften) {
  const auto count_after_a_tick = [&] {
    server_.Advance(milliseconds(100));
    return unary_.Count().users();
  };
  const auto opened = unary_.Open("u1", "s1", kActive, 1);
  EXPECT_EQ(count_after_a_tick(), 1);
  EXPECT_TRUE(unary_.Signal("u1", "s1", opened.attachment(), kLeave).ok());
  EXPECT_EQ(count_after_a_tick(), 0);
  EXPECT_TRUE(unary_.Signal("u1", "s1", 0, kLeave).ok());
  EXPECT_EQ(count_after_a_tick(), 0);
  EXPECT_TRUE(unary_.Signal("u1", "s9", 0, kLeave).ok());
  EXPECT_EQ(count_after_a_tick(), 0);
  server_.Advance(seconds(240));
  EXPECT_EQ(count_after_a_tick(), 0);
  EXPECT_EQ(unary_.Count().sessions(), 0);
}

}  // namespace
}  // namespace lifesign::testing
