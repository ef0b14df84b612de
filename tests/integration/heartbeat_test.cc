// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Heartbeat streams and SendSignal over real gRPC: concepts.md §§ 5, 12.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/testing/heartbeat_client.h"
#include "tests/integration/testing/rich_status.h"
#include "tests/integration/testing/test_server.h"
#include "tests/integration/testing/unary_client.h"
#include "tests/integration/testing/watch_client.h"
#include "tests/testing/eventually.h"

namespace lifesign::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto kActive = v1::SIGNAL_KIND_ACTIVE;
constexpr auto kBackground = v1::SIGNAL_KIND_BACKGROUND;
constexpr auto kLeave = v1::SIGNAL_KIND_LEAVE;

v1::WatchPresenceRequest WatchOf(const std::string& user) {
  v1::WatchPresenceRequest request;
  request.mutable_users()->add_user_ids(user);
  return request;
}

class HeartbeatTest : public ::testing::Test {
 protected:
  // States that a watcher of one user was told, in order.
  static std::vector<v1::PresenceState> StatesOf(const WatchClient& watch) {
    std::vector<v1::PresenceState> states;
    for (const auto& change : watch.changes()) states.push_back(change.state());
    return states;
  }
  v1::Session OnlySession(const std::string& user) {
    const auto sessions = unary_.ListSessions(user).sessions();
    EXPECT_EQ(sessions.size(), 1);
    return sessions.empty() ? v1::Session() : sessions[0];
  }

  SimulatedClock clock_;
  TestServer server_{clock_, {}};
  UnaryClient unary_{server_.NewChannel()};
};

// C1.
TEST_F(HeartbeatTest, ASilentSessionDecaysThoughItsConnectionStaysUp) {
  WatchClient watch(server_.NewChannel(), WatchOf("u1"));
  ASSERT_TRUE(watch.AwaitSynced());
  HeartbeatClient phone(server_.NewChannel());
  phone.Open(OpenOf(1, "u1", "s1", kActive));
  // Each is seen before the next comes: else they coalesce.
  ASSERT_TRUE(watch.AwaitChange("u1", v1::PRESENCE_STATE_ACTIVE));
  server_.Advance(milliseconds(15'100));
  ASSERT_TRUE(watch.AwaitChange("u1", v1::PRESENCE_STATE_IDLE));
  server_.Advance(seconds(45));
  ASSERT_TRUE(watch.AwaitChange("u1", v1::PRESENCE_STATE_AWAY));
  server_.Advance(seconds(120));
  ASSERT_TRUE(watch.AwaitChange("u1", v1::PRESENCE_STATE_STALE));
  server_.Advance(seconds(60));
  ASSERT_TRUE(watch.AwaitChange("u1", v1::PRESENCE_STATE_OFFLINE));
  EXPECT_THAT(StatesOf(watch),
              ElementsAre(v1::PRESENCE_STATE_ACTIVE, v1::PRESENCE_STATE_IDLE,
                          v1::PRESENCE_STATE_AWAY, v1::PRESENCE_STATE_STALE,
                          v1::PRESENCE_STATE_OFFLINE));
  EXPECT_EQ(watch.changes()[1].cause(), v1::CAUSE_DECAY);
  EXPECT_EQ(watch.changes()[4].cause(), v1::CAUSE_EXPIRY);
}

// C3.
TEST_F(HeartbeatTest, ALateCloseOfTheOlderStreamRemovesNobody) {
  for (const bool same_instance : {true, false}) {
    const std::string user = same_instance ? "same" : "another";
    WatchClient watch(server_.NewChannel(), WatchOf(user));
    ASSERT_TRUE(watch.AwaitSynced());
    HeartbeatClient a(server_.NewChannel());
    HeartbeatClient b(server_.NewChannel());
    a.Open(OpenOf(1, user, "s1", kActive, 7));
    server_.Advance(seconds(10));
    const auto update =
        b.Open(OpenOf(1, user, "s1", kActive, same_instance ? 7 : 8));
    EXPECT_TRUE(update.opened().resumed());
    if (same_instance) {
      EXPECT_THAT(a.errors(), IsEmpty());
    } else {
      const auto notice = a.AwaitNotice(1);
      ASSERT_TRUE(notice.has_value());
      EXPECT_EQ(notice->status().code(), grpc::StatusCode::ABORTED);
      EXPECT_EQ(ReasonOf(notice->status()), "SESSION_TAKEN_OVER");
    }
    server_.Advance(seconds(10));
    b.Signal(1, kActive);
    server_.Advance(seconds(5));
    a.Break();
    server_.Advance(seconds(5));
    EXPECT_TRUE(OnlySession(user).connected());
    EXPECT_THAT(StatesOf(watch), ElementsAre(v1::PRESENCE_STATE_ACTIVE));
  }
}

// C4.
TEST_F(HeartbeatTest, TheGoodbyeOfTheOldPageDoesNotEndTheNewOne) {
  HeartbeatClient a(server_.NewChannel());
  const auto old_attachment =
      a.Open(OpenOf(1, "u1", "s1", kActive, 1)).opened().attachment();
  server_.Advance(seconds(30));
  a.Finish();
  server_.Advance(milliseconds(100));
  HeartbeatClient b(server_.NewChannel());
  EXPECT_TRUE(b.Open(OpenOf(1, "u1", "s1", kActive, 2)).opened().resumed());
  server_.Advance(milliseconds(200));
  EXPECT_EQ(ReasonOf(unary_.Signal("u1", "s1", old_attachment, kLeave)),
            "STALE_ATTACHMENT");
  EXPECT_EQ(ReasonOf(unary_.Signal("u1", "s1", 0, kLeave)), "STALE_ATTACHMENT");
  EXPECT_EQ(unary_.Get("u1").presence().state(), v1::PRESENCE_STATE_ACTIVE);
}

// C10.
TEST_F(HeartbeatTest, TheSixthTakeOverInAMinuteIsRefusedWithItsDelay) {
  HeartbeatClient clients[] = {HeartbeatClient(server_.NewChannel()),
                               HeartbeatClient(server_.NewChannel())};
  clients[0].Open(OpenOf(1, "u1", "s1", kActive, 100));
  server_.Advance(milliseconds(250));
  for (int i = 1; i <= 5; ++i) {
    auto& winner = clients[i % 2];
    auto& loser = clients[(i + 1) % 2];
    const std::size_t notices = loser.errors().size();
    winner.Open(OpenOf(1, "u1", "s1", kActive,
                       100 + static_cast<std::uint64_t>(i % 2)));
    ASSERT_TRUE(Eventually([&] { return loser.errors().size() > notices; }));
    server_.Advance(milliseconds(500));
  }
  // @2.75: client 0 tries once more.
  v1::HeartbeatRequest request;
  *request.add_opens() = OpenOf(1, "u1", "s1", kActive, 100);
  const auto errors = clients[0].Ask(request);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(ReasonOf(errors[0].status()), "TOO_MANY_TAKE_OVERS");
  const auto retry = DetailOf<google::rpc::RetryInfo>(errors[0].status());
  ASSERT_TRUE(retry.has_value());
  EXPECT_EQ(retry->retry_delay().seconds(), 57);
  EXPECT_EQ(retry->retry_delay().nanos(), 500'000'000);
  EXPECT_TRUE(clients[1].Signal(1, kActive).empty());
  server_.Advance(milliseconds(57'500));
  EXPECT_TRUE(clients[0].Ask(request).empty());
}

// C11, by a unary signal.
TEST_F(HeartbeatTest, ALateUnarySignalWithTheOldAttachmentIsStale) {
  const auto first = unary_.Open("u1", "s1", kActive, 1);
  const auto second = unary_.Open("u1", "s1", kActive, 2);
  EXPECT_TRUE(second.resumed());
  const auto status = unary_.Signal("u1", "s1", first.attachment(), kActive);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(ReasonOf(status), "STALE_ATTACHMENT");
  EXPECT_TRUE(unary_.Signal("u1", "s1", second.attachment(), kActive).ok());
}

// C13.
TEST_F(HeartbeatTest, AttachmentsAreNeverReusedAlsoAfterARestart) {
  std::vector<std::uint64_t> attachments;
  for (int i = 0; i < 7; ++i) {
    attachments.push_back(unary_.Open("u1", "s1", kActive, 1).attachment());
  }
  server_.Kill();
  clock_.Advance(seconds(1));
  TestServer next(clock_, {});
  UnaryClient unary(next.NewChannel());
  auto status = unary.Signal("u1", "s1", attachments.back(), kActive);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(ReasonOf(status), "SESSION_NOT_OPEN");
  const auto opened = unary.Open("u1", "s1", kActive, 1);
  EXPECT_FALSE(opened.resumed());
  EXPECT_THAT(attachments,
              ::testing::Not(::testing::Contains(opened.attachment())));
  EXPECT_EQ(ReasonOf(unary.Signal("u1", "s1", attachments.back(), kActive)),
            "STALE_ATTACHMENT");
  EXPECT_TRUE(unary.Signal("u1", "s1", opened.attachment(), kActive).ok());
}

// C16.
TEST_F(HeartbeatTest, GatewaysOfTwentyThousandSessionsLoseNone) {
  constexpr std::uint32_t kSessions = 20'000;
  constexpr std::uint32_t kBatch = 2'000;
  std::vector<std::unique_ptr<HeartbeatClient>> gateways;
  for (int g = 0; g < 3; ++g) {
    gateways.push_back(std::make_unique<HeartbeatClient>(server_.NewChannel()));
    for (std::uint32_t first = 1; first <= kSessions; first += 1'000) {
      v1::HeartbeatRequest request;
      for (std::uint32_t h = first; h < first + 1'000; ++h) {
        *request.add_opens() =
            OpenOf(h, absl::StrCat("g", g, "u", h), "s", kBackground);
      }
      ASSERT_THAT(gateways.back()->Ask(request), IsEmpty());
    }
  }
  WatchClient watch(server_.NewChannel(), WatchOf("g1u4000"));
  ASSERT_TRUE(watch.AwaitSynced());
  for (int beat = 0; beat < 20; ++beat) {
    server_.Advance(seconds(30));
    for (auto& gateway : gateways) {
      for (std::uint32_t first = 1; first <= kSessions; first += kBatch) {
        v1::HeartbeatRequest request;
        for (std::uint32_t h = first; h < first + kBatch; ++h) {
          *request.add_signals() = SignalOf(h, kBackground);
        }
        const bool odd = beat % 10 == 9 && first == 1;
        if (odd) *request.add_signals() = SignalOf(kSessions + 5, kBackground);
        const auto errors = gateway->Ask(request);
        ASSERT_EQ(errors.size(), odd ? 1u : 0u);
        if (odd) {
          EXPECT_EQ(ReasonOf(errors[0].status()), "UNKNOWN_HANDLE");
        }
      }
    }
  }
  EXPECT_THAT(watch.changes(), IsEmpty());
  EXPECT_EQ(server_.runtime().engine().sessions(), 60'000);
  v1::HeartbeatRequest one_more;
  *one_more.add_opens() = OpenOf(kSessions + 1, "more", "s", kBackground);
  const auto errors = gateways[0]->Ask(one_more);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].status().code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonOf(errors[0].status()), "TOO_MANY_SESSIONS_ON_STREAM");
}

// C27.
TEST_F(HeartbeatTest, AFloodOfOneSessionIsMergedAndItsLeaveTakesEffectAtOnce) {
  WatchClient watch(server_.NewChannel(), WatchOf("u1"));
  ASSERT_TRUE(watch.AwaitSynced());
  HeartbeatClient stream(server_.NewChannel());
  stream.Open(OpenOf(1, "u1", "s1", kActive));
  stream.Open(OpenOf(2, "u2", "s1", kActive));
  const std::size_t answers = stream.responses().size();
  for (int i = 0; i < 100; ++i) {
    v1::HeartbeatRequest request;
    for (int j = 0; j < 5; ++j) *request.add_signals() = SignalOf(1, kActive);
    stream.Send(request);
    server_.Advance(milliseconds(100));
  }
  EXPECT_THAT(stream.Signal(2, kActive), IsEmpty());
  EXPECT_THAT(stream.Signal(1, kLeave), IsEmpty());
  ASSERT_TRUE(watch.AwaitChange("u1", v1::PRESENCE_STATE_OFFLINE));
  EXPECT_THAT(StatesOf(watch), ElementsAre(v1::PRESENCE_STATE_ACTIVE,
                                           v1::PRESENCE_STATE_OFFLINE));
  EXPECT_THAT(stream.errors(), IsEmpty());
  // Two that were asked for.
  EXPECT_LE(stream.responses().size(), answers + 2);
}

// C74, unary.
TEST_F(HeartbeatTest, BytesThatDoNotParseAreInvalidArgumentInAUnaryCall) {
  for (const std::string bad : {"\xFF\xFE", "\xED\xA0\x80", "\xC0\xAF"}) {
    for (const char* method :
         {"GetPresence", "SendSignal", "ListSessions", "ExplainPresence"}) {
      // Field 2 of each is user_id.
      const std::string bytes = absl::StrCat(
          "\x12", std::string(1, static_cast<char>(bad.size())), bad);
      const grpc::Status status = unary_.CallWithBytes(method, bytes);
      EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT)
          << method;
      EXPECT_EQ(ReasonOf(status), "MALFORMED_MESSAGE") << method;
    }
  }
}

// C76.
TEST_F(HeartbeatTest, OversizedMetadataConcernsItsSessionOnly) {
  HeartbeatClient stream(server_.NewChannel());
  stream.Open(OpenOf(1, "u1", "live", kActive));
  const auto attachment = OnlySession("u1").attachment();
  v1::HeartbeatRequest request;
  for (const auto& [handle, user, session] :
       {std::make_tuple(1u, "u1", "live"), std::make_tuple(2u, "u2", "new")}) {
    v1::Open& open = *request.add_opens();
    open = OpenOf(handle, user, session, kActive);
    auto& entries =
        *open.mutable_options()->mutable_metadata()->mutable_entries();
    entries["k"] = std::string(513, 'v');
  }
  *request.add_opens() = OpenOf(3, "u3", "good", kActive);
  const auto errors = stream.Ask(request);
  ASSERT_EQ(errors.size(), 2u);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(FieldsOf(errors[static_cast<std::size_t>(i)].status()),
              std::vector<std::string>{
                  absl::StrCat("opens[", i, "].options.metadata.entries")});
  }
  EXPECT_EQ(OnlySession("u1").attachment(), attachment);
  EXPECT_EQ(unary_.Get("u2").presence().state(), v1::PRESENCE_STATE_OFFLINE);
  EXPECT_EQ(unary_.Get("u3").presence().state(), v1::PRESENCE_STATE_ACTIVE);
}

// C76: a message above 4 MiB.
TEST_F(HeartbeatTest, AMessageAboveFourMebibytesEndsTheStreamNotItsSessions) {
  HeartbeatClient stream(server_.NewChannel());
  stream.Open(OpenOf(1, "u1", "s1", kActive));
  v1::HeartbeatRequest huge;
  huge.set_tenant(std::string(limits::kMaxMessageBytes, 'x'));
  stream.Send(huge);
  EXPECT_EQ(stream.AwaitEnd().error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(unary_.Get("u1").presence().state(), v1::PRESENCE_STATE_ACTIVE);
  EXPECT_TRUE(Eventually([&] { return !OnlySession("u1").connected(); }));
}

// The headers of a call, as HTTP/2 counts them: names, values and 32 bytes
// each.
TEST_F(HeartbeatTest, CallMetadataIsTakenAtItsLimitAndRefusedPastIt) {
  const auto stub = v1::PresenceService::NewStub(server_.NewChannel());
  const auto call_with = [&](std::size_t bytes) {
    grpc::ClientContext context;
    context.AddMetadata("x-filler", std::string(bytes, 'x'));
    v1::GetPresenceRequest request;
    request.set_user_id("u1");
    v1::GetPresenceResponse response;
    return stub->GetPresence(&context, request, &response).error_code();
  };
  // gRPC's own headers take some hundred bytes.
  constexpr std::size_t kOwnHeaders = 1'024;
  EXPECT_EQ(call_with(limits::kMaxCallMetadataBytes - kOwnHeaders),
            grpc::StatusCode::OK);
  EXPECT_EQ(call_with(limits::kMaxCallMetadataBytes),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
}

// gRPC would inflate it before it looks at the limit of a message.
TEST_F(HeartbeatTest, CompressedMessagesAreRefused) {
  const auto stub = v1::PresenceService::NewStub(server_.NewChannel());
  for (const auto algorithm : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    grpc::ClientContext context;
    context.set_compression_algorithm(algorithm);
    v1::GetPresenceRequest request;
    request.set_user_id(std::string(1 << 20, '0'));
    v1::GetPresenceResponse response;
    EXPECT_EQ(stub->GetPresence(&context, request, &response).error_code(),
              grpc::StatusCode::UNIMPLEMENTED);
  }
}

// C63, the answers.
TEST_F(HeartbeatTest, LeaveIsIdempotent) {
  const auto opened = unary_.Open("u1", "s1", kActive, 1);
  EXPECT_TRUE(unary_.Signal("u1", "s1", opened.attachment(), kLeave).ok());
  EXPECT_TRUE(unary_.Signal("u1", "s1", opened.attachment(), kLeave).ok());
  EXPECT_TRUE(unary_.Signal("u1", "s9", 0, kLeave).ok());
  EXPECT_EQ(unary_.Get("u1").presence().state(), v1::PRESENCE_STATE_OFFLINE);
}

TEST_F(HeartbeatTest, ABatchIsAnsweredInOrderAndPerPosition) {
  unary_.Open("u1", "s1", kActive, 1);
  v1::BatchGetPresencesResponse answer;
  ASSERT_TRUE(unary_.Batch({"u2", "u1", "u2"}, answer).ok());
  ASSERT_EQ(answer.presences_size(), 3);
  EXPECT_EQ(answer.presences(0).user_id(), "u2");
  EXPECT_EQ(answer.presences(1).state(), v1::PRESENCE_STATE_ACTIVE);
  EXPECT_EQ(answer.presences(2).user_id(), "u2");
  const auto status = unary_.Batch({"u1", ""}, answer);
  EXPECT_EQ(FieldsOf(status), std::vector<std::string>{"user_ids[1]"});
  EXPECT_TRUE(unary_.Batch(std::vector<std::string>(1'000, "u1"), answer).ok());
  EXPECT_EQ(
      FieldsOf(unary_.Batch(std::vector<std::string>(1'001, "u1"), answer)),
      std::vector<std::string>{"user_ids"});
}

TEST_F(HeartbeatTest, ExplainSaysWhyAndWhatComesNext) {
  unary_.Open("u1", "s1", kActive, 1);
  server_.Advance(seconds(5));
  const auto why = unary_.Explain("u1");
  EXPECT_EQ(why.presence().state(), v1::PRESENCE_STATE_ACTIVE);
  EXPECT_EQ(why.last_cause(), v1::CAUSE_SIGNAL);
  ASSERT_EQ(why.sessions_size(), 1);
  EXPECT_EQ(why.sessions(0).rule(), v1::DERIVATION_RULE_ACTIVITY);
  EXPECT_EQ(why.sessions(0).signal_age().seconds(), 5);
  EXPECT_TRUE(why.sessions(0).holds_user_state());
  EXPECT_EQ(why.next_change().state(), v1::PRESENCE_STATE_IDLE);
  EXPECT_EQ(why.next_change().at().seconds() - why.read_time().seconds(), 10);
}

}  // namespace
}  // namespace lifesign::testing
