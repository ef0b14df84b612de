// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// concepts.md § 12, by the logic of a stream alone: no gRPC, no thread.

#include "server/transport/heartbeat/heartbeat_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/transport/streams/fake_call.h"
#include "tests/transport/streams/stream_world.h"

namespace lifesign::testing {
namespace {

using ::testing::SizeIs;

constexpr auto kActive = v1::SIGNAL_KIND_ACTIVE;
constexpr auto kIdle = v1::SIGNAL_KIND_IDLE;
constexpr auto kBackground = v1::SIGNAL_KIND_BACKGROUND;
constexpr auto kDetach = v1::SIGNAL_KIND_DETACH;
constexpr auto kLeave = v1::SIGNAL_KIND_LEAVE;
constexpr auto kNoSignal = v1::SIGNAL_KIND_UNSPECIFIED;

void AddOpen(v1::HeartbeatRequest& to, std::uint32_t handle,
             const std::string& user, const std::string& session,
             v1::SignalKind kind = kNoSignal, std::uint64_t instance = 0) {
  v1::Open& open = *to.add_opens();
  open.set_handle(handle);
  open.set_user_id(user);
  open.set_session_id(session);
  open.set_kind(kind);
  if (instance != 0) open.mutable_options()->set_instance(instance);
}

void AddSignal(v1::HeartbeatRequest& to, std::uint32_t handle,
               v1::SignalKind kind) {
  v1::Signal& signal = *to.add_signals();
  signal.set_handle(handle);
  signal.set_kind(kind);
}

// One client and its stream.
class Client {
 public:
  explicit Client(StreamWorld& world) {
    auto stream = std::make_shared<HeartbeatStream>(world.parts());
    stream_ = stream;
    call_.Attach(stream);
    stream->Start(call_);
  }
  ~Client() {
    if (!call_.finished()) call_.Break();
    call_.Done();
  }

  FakeCall<v1::HeartbeatResponse>& call() { return call_; }
  std::shared_ptr<HeartbeatStream> stream() { return stream_.lock(); }

  // Sends; whatever is answered is taken at once, and returned.
  std::vector<v1::HeartbeatResponse> Send(const v1::HeartbeatRequest& request) {
    call_.Clear();
    EXPECT_TRUE(call_.Send(request)) << "the stream does not read";
    call_.TakeWrites();
    return call_.responses();
  }
  std::vector<v1::HeartbeatResponse> Open(std::uint32_t handle,
                                          const std::string& user,
                                          const std::string& session,
                                          v1::SignalKind kind = kNoSignal,
                                          std::uint64_t instance = 0) {
    v1::HeartbeatRequest request;
    AddOpen(request, handle, user, session, kind, instance);
    return Send(request);
  }
  std::vector<v1::HeartbeatResponse> Signal(std::uint32_t handle,
                                            v1::SignalKind kind) {
    v1::HeartbeatRequest request;
    AddSignal(request, handle, kind);
    return Send(request);
  }

 private:
  FakeCall<v1::HeartbeatResponse> call_;
  std::weak_ptr<HeartbeatStream> stream_;
};

// The reason of the only error in the only response.
std::string OnlyError(const std::vector<v1::HeartbeatResponse>& responses) {
  if (responses.size() != 1 || responses[0].errors_size() != 1) {
    return absl::StrCat(responses.size(), " responses");
  }
  return ReasonOf(responses[0].errors(0).status());
}

class HeartbeatStreamTest : public ::testing::Test {
 protected:
  StreamWorld world_;
};

TEST_F(HeartbeatStreamTest, OpenBindsAndAnswersWithStateIntervalAndAttachment) {
  Client phone(world_);
  const auto answers = phone.Open(7, "u1", "phone", kActive);
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(answers[0].acked(), 1u);
  ASSERT_EQ(answers[0].updates_size(), 1);
  const v1::SessionUpdate& update = answers[0].updates(0);
  EXPECT_EQ(update.handle(), 7u);
  EXPECT_EQ(update.state(), v1::PRESENCE_STATE_ACTIVE);
  EXPECT_EQ(update.next_interval().seconds(), 10);
  EXPECT_FALSE(update.opened().resumed());
  EXPECT_GT(update.opened().attachment(), 0u);
  EXPECT_EQ(update.opened().report_after().seconds(), 5);
  EXPECT_EQ(world_.StateOf("u1"), State::kActive);
}

TEST_F(HeartbeatStreamTest, OpensAreAppliedBeforeSignals) {
  Client phone(world_);
  v1::HeartbeatRequest request;
  AddSignal(request, 1, kActive);
  AddOpen(request, 1, "u1", "phone");
  const auto answers = phone.Send(request);
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(answers[0].errors_size(), 0);
  // One entry a handle; the newest wins, what the open came to is kept.
  ASSERT_EQ(answers[0].updates_size(), 1);
  EXPECT_EQ(answers[0].updates(0).state(), v1::PRESENCE_STATE_ACTIVE);
  EXPECT_TRUE(answers[0].updates(0).has_opened());
}

TEST_F(HeartbeatStreamTest, UneventfulHeartbeatsAreAnsweredAtAThirdOfTheTtl) {
  Client phone(world_);
  phone.Open(1, "u1", "phone", kActive);
  phone.call().Clear();
  for (int i = 0; i < 8; ++i) {
    world_.Advance(seconds(10));
    EXPECT_THAT(phone.Signal(1, kActive), SizeIs(0)) << i;
  }
  // The first unanswered one came at 10 s: 80 s later it is time.
  world_.Advance(milliseconds(9'900));
  EXPECT_THAT(phone.call().responses(), SizeIs(0));
  world_.Advance(milliseconds(100));
  ASSERT_THAT(phone.call().responses(), SizeIs(1));
  EXPECT_EQ(phone.call().last().acked(), 9u);
  EXPECT_EQ(phone.call().last().updates_size(), 0);
}

TEST_F(HeartbeatStreamTest, AnswersAtOnceWhenAsked) {
  Client phone(world_);
  phone.Open(1, "u1", "phone", kActive);
  v1::HeartbeatRequest request;
  AddSignal(request, 1, kActive);
  request.set_answer_now(true);
  const auto answers = phone.Send(request);
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(answers[0].acked(), 2u);
}

TEST_F(HeartbeatStreamTest, TheFirstMessageMayAskForEveryMessageToBeAnswered) {
  Client phone(world_);
  v1::HeartbeatRequest request;
  AddOpen(request, 1, "u1", "phone", kActive);
  request.set_answer_always(true);
  phone.Send(request);
  EXPECT_THAT(phone.Signal(1, kActive), SizeIs(1));
  EXPECT_THAT(phone.Signal(1, kActive), SizeIs(1));
}

TEST_F(HeartbeatStreamTest, OnlyTheFirstMessageMayAskForEveryAnswer) {
  Client phone(world_);
  phone.Open(1, "u1", "phone", kActive);
  v1::HeartbeatRequest request;
  request.set_answer_always(true);
  EXPECT_THAT(phone.Send(request), SizeIs(0));
  EXPECT_THAT(phone.Signal(1, kActive), SizeIs(0));
}

TEST_F(HeartbeatStreamTest, AChangeThatTheClientMustKnowIsToldAtOnce) {
  Client phone(world_);
  phone.Open(1, "u1", "phone", kActive);
  const auto answers = phone.Signal(1, kBackground);
  // The interval changed.
  ASSERT_THAT(answers, SizeIs(1));
  ASSERT_EQ(answers[0].updates_size(), 1);
  EXPECT_EQ(answers[0].updates(0).next_interval().seconds(), 60);
}

TEST_F(HeartbeatStreamTest, DecayIsNotPushed) {
  Client phone(world_);
  phone.Open(1, "u1", "phone", kActive);
  phone.call().Clear();
  world_.Advance(seconds(70));
  EXPECT_THAT(phone.call().responses(), SizeIs(0));
}

// C74.
TEST_F(HeartbeatStreamTest, AMessageThatDoesNotParseIsAnAnswerAndEndsNothing) {
  Client gateway(world_);
  gateway.Open(1, "u1", "s", kActive);
  const std::string bad_ids[] = {"\xFF\xFE", "\xED\xA0\x80", "\xC0\xAF"};
  std::uint64_t number = 1;
  for (const std::string& id : bad_ids) {
    v1::HeartbeatRequest request;
    AddOpen(request, 2, "u2", "x", kActive);
    std::string bytes = request.SerializeAsString();
    // The session id, one byte long, becomes the bad one.
    const std::size_t at = bytes.find(std::string("\x1A\x01x", 3));
    ASSERT_NE(at, std::string::npos);
    const auto more = static_cast<char>(id.size() - 1);
    bytes.replace(at, 3, absl::StrCat("\x1A", std::string(1, more + 1), id));
    bytes[1] = static_cast<char>(bytes[1] + more);
    const grpc::Slice slice(bytes);
    gateway.call().Clear();
    ASSERT_TRUE(gateway.call().SendBytes(grpc::ByteBuffer(&slice, 1)));
    gateway.call().TakeWrites();
    ++number;
    ASSERT_EQ(OnlyError(gateway.call().responses()), "MALFORMED_MESSAGE");
    const auto& error = gateway.call().last().errors(0);
    EXPECT_EQ(error.message(), number);
    EXPECT_EQ(error.handle(), 0u);
    EXPECT_EQ(gateway.call().last().acked(), number);
  }
  EXPECT_EQ(world_.StateOf("u2"), State::kOffline);
  EXPECT_THAT(gateway.Signal(1, kActive), SizeIs(0));
  EXPECT_FALSE(gateway.call().finished());
}

TEST_F(HeartbeatStreamTest, AnotherTenantEndsTheStream) {
  Client phone(world_);
  v1::HeartbeatRequest request;
  request.set_tenant("default");
  AddOpen(request, 1, "u1", "phone", kActive);
  phone.Send(request);
  EXPECT_FALSE(phone.call().finished());
  request.set_tenant("other");
  phone.Send(request);
  ASSERT_TRUE(phone.call().finished());
  EXPECT_EQ(phone.call().status().error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(ReasonOf(phone.call().status()), "TENANT_DENIED");
  EXPECT_EQ(world_.StateOf("u1"), State::kActive);
}

TEST_F(HeartbeatStreamTest, AnErrorNamesTheFieldAndConcernsItsSessionOnly) {
  Client gateway(world_);
  v1::HeartbeatRequest request;
  AddOpen(request, 1, "u1", "a", kActive);
  AddOpen(request, 2, "", "b", kActive);
  AddOpen(request, 3, "u3", "c", kActive);
  AddSignal(request, 1, kNoSignal);
  const auto answers = gateway.Send(request);
  ASSERT_THAT(answers, SizeIs(1));
  ASSERT_EQ(answers[0].errors_size(), 2);
  const auto& open_error = answers[0].errors(0);
  EXPECT_EQ(open_error.handle(), 2u);
  EXPECT_EQ(open_error.status().code(), grpc::StatusCode::INVALID_ARGUMENT);
  const auto bad = DetailOf<google::rpc::BadRequest>(open_error.status());
  ASSERT_TRUE(bad.has_value());
  EXPECT_EQ(bad->field_violations(0).field(), "opens[1].user_id");
  const auto kind =
      DetailOf<google::rpc::BadRequest>(answers[0].errors(1).status());
  ASSERT_TRUE(kind.has_value());
  EXPECT_EQ(kind->field_violations(0).field(), "signals[0].kind");
  EXPECT_EQ(world_.StateOf("u1"), State::kActive);
  EXPECT_EQ(world_.StateOf("u3"), State::kActive);
}

TEST_F(HeartbeatStreamTest, ASignalOnAFreeHandleIsUnknownHandle) {
  Client phone(world_);
  EXPECT_EQ(OnlyError(phone.Signal(5, kActive)), "UNKNOWN_HANDLE");
  EXPECT_EQ(OnlyError(phone.Signal(5, kDetach)), "UNKNOWN_HANDLE");
}

// Found by the simulation: the time since the last interaction, or the linger,
// of a signal that was refused counted for the next one of the message.
TEST_F(HeartbeatStreamTest, NothingOfARefusedSignalCountsForTheNext) {
  Client phone(world_);
  phone.Open(1, "u1", "phone", kActive);
  v1::HeartbeatRequest request;
  AddSignal(request, 2, kActive);
  request.mutable_signals(0)->mutable_idle_for()->set_seconds(1000);
  AddSignal(request, 1, kActive);
  world_.Advance(seconds(16));
  phone.Send(request);
  EXPECT_EQ(world_.StateOf("u1"), State::kActive);

  request.Clear();
  AddSignal(request, 2, kLeave);
  request.mutable_signals(0)->mutable_linger()->set_seconds(10);
  AddSignal(request, 1, kLeave);
  phone.Send(request);
  EXPECT_EQ(world_.StateOf("u1"), State::kOffline);
}

TEST_F(HeartbeatStreamTest, LeaveOnAFreeHandleIsOk) {
  Client phone(world_);
  EXPECT_THAT(phone.Signal(5, kLeave), SizeIs(0));
  phone.Open(1, "u1", "phone", kActive);
  phone.Signal(1, kLeave);
  EXPECT_THAT(phone.Signal(1, kLeave), SizeIs(0));
}

TEST_F(HeartbeatStreamTest, ABoundHandleTakesNoOtherSession) {
  Client gateway(world_);
  gateway.Open(1, "u1", "a", kActive);
  EXPECT_EQ(OnlyError(gateway.Open(1, "u2", "a", kActive)), "HANDLE_IN_USE");
  EXPECT_EQ(world_.StateOf("u2"), State::kOffline);
}

TEST_F(HeartbeatStreamTest, ASessionTakesNoSecondHandle) {
  Client gateway(world_);
  gateway.Open(1, "u1", "a", kActive);
  EXPECT_EQ(OnlyError(gateway.Open(2, "u1", "a", kActive)),
            "SESSION_ALREADY_BOUND");
  EXPECT_THAT(gateway.Signal(1, kActive), SizeIs(0));
}

TEST_F(HeartbeatStreamTest, OpeningAgainOnTheSameHandleResumes) {
  Client gateway(world_);
  gateway.Open(1, "u1", "a", kActive, 42);
  const auto answers = gateway.Open(1, "u1", "a", kActive, 42);
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(answers[0].errors_size(), 0);
  EXPECT_TRUE(answers[0].updates(0).opened().resumed());
  EXPECT_EQ(OnlyError(gateway.Signal(2, kActive)), "UNKNOWN_HANDLE");
}

TEST_F(HeartbeatStreamTest, AHandleIsFreeFromTheInstantItsSessionEnds) {
  Client gateway(world_);
  gateway.Open(1, "u1", "a", kActive);
  gateway.Open(2, "u2", "b", kActive);
  gateway.Signal(1, kLeave);
  gateway.Signal(2, kDetach);
  EXPECT_EQ(OnlyError(gateway.Signal(1, kActive)), "UNKNOWN_HANDLE");
  EXPECT_EQ(OnlyError(gateway.Signal(2, kActive)), "UNKNOWN_HANDLE");
  EXPECT_EQ(gateway.Open(1, "u3", "c", kActive)[0].errors_size(), 0);
}

TEST_F(HeartbeatStreamTest, AHandleIsFreeAtTheTtlNotAtTheTick) {
  Client gateway(world_);
  world_.Advance(milliseconds(50));
  gateway.Open(1, "u1", "a", kActive);
  gateway.Open(2, "u9", "keeps the stream", kActive);
  world_.Advance(seconds(120));
  gateway.Signal(2, kActive);
  world_.Advance(seconds(120) - milliseconds(1));
  EXPECT_EQ(OnlyError(gateway.Open(1, "u2", "b")), "HANDLE_IN_USE");
  world_.Advance(milliseconds(1));
  EXPECT_EQ(gateway.Open(1, "u2", "b")[0].errors_size(), 0);
}

TEST_F(HeartbeatStreamTest, AStreamHoldsAtMostItsLimitOfSessions) {
  StreamLimits limits;
  limits.max_sessions_per_stream = 3;
  StreamWorld world(limits);
  Client gateway(world);
  v1::HeartbeatRequest request;
  for (std::uint32_t i = 1; i <= 4; ++i) {
    AddOpen(request, i, absl::StrCat("u", i), "s", kActive);
  }
  const auto answers = gateway.Send(request);
  ASSERT_EQ(OnlyError(answers), "TOO_MANY_SESSIONS_ON_STREAM");
  EXPECT_EQ(answers[0].errors(0).handle(), 4u);
  EXPECT_EQ(answers[0].errors(0).status().code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(DetailOf<google::rpc::QuotaFailure>(answers[0].errors(0).status())
                  .has_value());
  EXPECT_EQ(answers[0].updates_size(), 3);
  gateway.Signal(2, kLeave);
  EXPECT_EQ(gateway.Open(4, "u4", "s", kActive)[0].errors_size(), 0);
}

TEST_F(HeartbeatStreamTest, SessionsThatExpiredMakeRoom) {
  StreamLimits limits;
  limits.max_sessions_per_stream = 2;
  StreamWorld world(limits);
  Client gateway(world);
  gateway.Open(1, "u1", "s", kActive);
  gateway.Open(2, "u2", "s", kActive);
  world.Advance(seconds(120));
  gateway.Signal(1, kActive);
  world.Advance(seconds(120));
  EXPECT_EQ(gateway.Open(3, "u3", "s", kActive)[0].errors_size(), 0);
}

// C11.
TEST_F(HeartbeatStreamTest, AnotherInstanceTakesOverAndTheOlderStreamIsTold) {
  Client tab1(world_);
  Client tab2(world_);
  tab1.Open(1, "u1", "tab", kActive, 11);
  tab1.Open(2, "u1", "other", kActive, 11);
  tab1.call().Clear();
  const auto answers = tab2.Open(9, "u1", "tab", kActive, 22);
  EXPECT_TRUE(answers[0].updates(0).opened().resumed());
  ASSERT_THAT(tab1.call().responses(), SizeIs(1));
  const auto& error = tab1.call().last().errors(0);
  EXPECT_EQ(error.message(), 0u);
  EXPECT_EQ(error.handle(), 1u);
  EXPECT_EQ(error.status().code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(ReasonOf(error.status()), "SESSION_TAKEN_OVER");
  tab1.call().TakeWrites();
  // Its late heartbeat changes nothing; its other session lives on.
  EXPECT_EQ(OnlyError(tab1.Signal(1, kActive)), "UNKNOWN_HANDLE");
  EXPECT_THAT(tab1.Signal(2, kActive), SizeIs(0));
}

// C3 (a).
TEST_F(HeartbeatStreamTest, TheSameInstanceReconnectsSilently) {
  Client before(world_);
  Client after(world_);
  before.Open(1, "u1", "tab", kActive, 11);
  before.call().Clear();
  EXPECT_TRUE(
      after.Open(1, "u1", "tab", kActive, 11)[0].updates(0).opened().resumed());
  EXPECT_THAT(before.call().responses(), SizeIs(0));
  before.call().Break();
  const auto sessions = world_.engine().ListSessions("u1", world_.now());
  ASSERT_THAT(sessions, SizeIs(1));
  EXPECT_TRUE(sessions[0].connected);
}

TEST_F(HeartbeatStreamTest, AClosedStreamChangesNoStateAndDisconnects) {
  Client phone(world_);
  phone.Open(1, "u1", "phone", kActive);
  phone.Signal(1, kActive);
  phone.call().Clear();
  phone.call().HalfClose();
  // What was not acknowledged is, then the stream ends.
  ASSERT_THAT(phone.call().responses(), SizeIs(1));
  EXPECT_EQ(phone.call().last().acked(), 2u);
  EXPECT_FALSE(phone.call().finished());
  phone.call().TakeWrites();
  ASSERT_TRUE(phone.call().finished());
  EXPECT_TRUE(phone.call().status().ok());
  EXPECT_EQ(world_.StateOf("u1"), State::kActive);
  EXPECT_FALSE(world_.engine().ListSessions("u1", world_.now())[0].connected);
}

TEST_F(HeartbeatStreamTest, ABrokenStreamChangesNoStateAndDisconnects) {
  Client phone(world_);
  phone.Open(1, "u1", "phone", kActive);
  phone.call().Break();
  EXPECT_TRUE(phone.call().finished());
  EXPECT_EQ(world_.StateOf("u1"), State::kActive);
  EXPECT_FALSE(world_.engine().ListSessions("u1", world_.now())[0].connected);
}

TEST_F(HeartbeatStreamTest, AGatewaysManySessionsAreDisconnectedOnOurThread) {
  Client gateway(world_);
  std::uint32_t handle = 0;
  for (int i = 0; i < 3; ++i) {
    v1::HeartbeatRequest request;
    for (int j = 0; j < 500; ++j) {
      ++handle;
      AddOpen(request, handle, absl::StrCat("u", handle), "s", kActive);
    }
    gateway.Send(request);
  }
  gateway.call().Break();
  world_.AwaitChores();
  EXPECT_FALSE(world_.engine().ListSessions("u1", world_.now())[0].connected);
  EXPECT_FALSE(
      world_.engine().ListSessions("u1500", world_.now())[0].connected);
}

TEST_F(HeartbeatStreamTest, AStreamWithoutASessionForAMinuteIsEnded) {
  Client idle(world_);
  Client left(world_);
  left.Open(1, "u1", "phone", kActive);
  world_.Advance(seconds(30));
  left.Signal(1, kLeave);
  world_.Advance(milliseconds(29'900));
  EXPECT_FALSE(idle.call().finished());
  world_.Advance(milliseconds(100));
  ASSERT_TRUE(idle.call().finished());
  EXPECT_EQ(idle.call().status().error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(ReasonOf(idle.call().status()), "NO_SESSION");
  world_.Advance(milliseconds(29'900));
  EXPECT_FALSE(left.call().finished());
  world_.Advance(milliseconds(100));
  EXPECT_TRUE(left.call().finished());
}

TEST_F(HeartbeatStreamTest, AStreamWhoseSessionsExpiredIsEndedAMinuteLater) {
  Client phone(world_);
  phone.Open(1, "u1", "phone", kActive);
  world_.Advance(milliseconds(299'900));
  EXPECT_FALSE(phone.call().finished());
  world_.Advance(milliseconds(300));
  EXPECT_TRUE(phone.call().finished());
}

TEST_F(HeartbeatStreamTest, AStreamWhoseSessionMovedAwayEnds) {
  Client older(world_);
  older.Open(1, "u1", "phone", kActive, 5);
  Client newer(world_);
  newer.Open(1, "u1", "phone", kActive, 5);
  // The newer one beats on, so the session never expires.
  for (int i = 0; i < 11; ++i) {
    world_.Advance(seconds(10));
    newer.Signal(1, kIdle);
  }
  EXPECT_FALSE(older.call().finished());
  world_.Advance(seconds(10));
  ASSERT_TRUE(older.call().finished());
  EXPECT_EQ(ReasonOf(older.call().status()), "NO_SESSION");
  EXPECT_FALSE(newer.call().finished());
}

TEST_F(HeartbeatStreamTest, LeaveWithLingerKeepsTheHandleUntilItEnds) {
  Client phone(world_);
  phone.Open(1, "u1", "phone", kActive);
  v1::HeartbeatRequest request;
  AddSignal(request, 1, kLeave);
  request.mutable_signals(0)->mutable_linger()->set_seconds(5);
  phone.Send(request);
  EXPECT_EQ(world_.StateOf("u1"), State::kActive);
  world_.Advance(seconds(5));
  EXPECT_EQ(world_.StateOf("u1"), State::kOffline);
  EXPECT_EQ(OnlyError(phone.Signal(1, kActive)), "UNKNOWN_HANDLE");
  world_.Advance(milliseconds(59'900));
  EXPECT_FALSE(phone.call().finished());
  world_.Advance(milliseconds(200));
  EXPECT_TRUE(phone.call().finished());
}

TEST_F(HeartbeatStreamTest, DrainIsToldOnceWithADelayThenTheStreamIsEnded) {
  Client phone(world_);
  phone.Open(1, "u1", "phone", kActive);
  phone.call().Clear();
  phone.stream()->TellDrain(seconds(3));
  ASSERT_THAT(phone.call().responses(), SizeIs(1));
  EXPECT_EQ(phone.call().last().drain().reconnect_delay().seconds(), 3);
  phone.call().TakeWrites();
  phone.stream()->EndForDrain();
  ASSERT_TRUE(phone.call().finished());
  EXPECT_EQ(phone.call().status().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(phone.call().status()), "DRAINING");
  const auto retry =
      DetailOf<google::rpc::RetryInfo>(RpcStatusOf(phone.call().status()));
  ASSERT_TRUE(retry.has_value());
  EXPECT_EQ(retry->retry_delay().seconds(), 3);
  EXPECT_EQ(world_.StateOf("u1"), State::kActive);
}

TEST_F(HeartbeatStreamTest, AtMostOneUpdateASessionWaitsTheNewestWins) {
  Client phone(world_);
  phone.Open(1, "u1", "phone", kActive);
  phone.call().Clear();
  v1::HeartbeatRequest background;
  AddSignal(background, 1, kBackground);
  v1::HeartbeatRequest active;
  AddSignal(active, 1, kActive);
  v1::HeartbeatRequest idle;
  AddSignal(idle, 1, kIdle);
  // The client does not take the first answer.
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(phone.call().Send(background));
    ASSERT_TRUE(phone.call().Send(active));
  }
  ASSERT_TRUE(phone.call().Send(idle));
  ASSERT_THAT(phone.call().responses(), SizeIs(1));
  phone.call().TakeWrite();
  ASSERT_THAT(phone.call().responses(), SizeIs(2));
  EXPECT_EQ(phone.call().last().updates_size(), 1);
  EXPECT_EQ(phone.call().last().updates(0).next_interval().seconds(), 30);
  EXPECT_EQ(phone.call().last().acked(), 12u);
}

TEST_F(HeartbeatStreamTest, ErrorsForAClientThatDoesNotReadAreBounded) {
  Client phone(world_);
  v1::HeartbeatRequest bad;
  AddSignal(bad, 9, kActive);
  for (int i = 0; i < limits::kMaxQueuedErrors + 6; ++i) {
    ASSERT_TRUE(phone.call().Send(bad));
  }
  phone.call().TakeWrites();
  int told = 0;
  for (const auto& response : phone.call().responses()) {
    told += response.errors_size();
  }
  // One was on its way before the others queued.
  EXPECT_EQ(told, limits::kMaxQueuedErrors + 1);
  EXPECT_EQ(phone.call().last().errors_dropped(), 5u);
}

TEST_F(HeartbeatStreamTest, AMessageOfErrorsIsToldWholeToAClientThatReads) {
  Client phone(world_);
  v1::HeartbeatRequest bad;
  for (int i = 0; i < limits::kMaxSignalsPerMessage; ++i) {
    AddSignal(bad, 9, kActive);
  }
  int told = 0;
  for (const auto& response : phone.Send(bad)) {
    told += response.errors_size();
    EXPECT_LT(response.ByteSizeLong(), limits::kMaxMessageBytes);
  }
  EXPECT_EQ(told, limits::kMaxSignalsPerMessage);
}

TEST_F(HeartbeatStreamTest, AMessageIsAcknowledgedOnceItsErrorsAreTold) {
  Client phone(world_);
  v1::HeartbeatRequest bad;
  // Each of them costs some hundred bytes.
  for (int i = 0; i < limits::kMaxOpensPerMessage; ++i) {
    AddOpen(bad, 0, std::string(200, 'x'), "", kLeave);
  }
  ASSERT_TRUE(phone.call().Send(bad));
  ASSERT_TRUE(phone.call().Send(bad));
  phone.call().TakeWrites();
  std::uint64_t acked = 0;
  bool seen[3] = {};
  for (const auto& response : phone.call().responses()) {
    EXPECT_GE(response.acked(), acked);
    acked = response.acked();
    for (const auto& error : response.errors()) seen[error.message()] = true;
    for (std::uint64_t m = 1; m <= acked; ++m) EXPECT_TRUE(seen[m]);
  }
  EXPECT_EQ(acked, 2u);
}

TEST_F(HeartbeatStreamTest, AClientThatTakesNoAnswersIsNotReadForEver) {
  StreamLimits limits;
  limits.max_sessions_per_stream = 10;
  StreamWorld world(limits);
  Client gateway(world);
  int sent = 0;
  for (std::uint32_t handle = 1; handle < 1'000; ++handle) {
    v1::HeartbeatRequest request;
    AddOpen(request, handle, "u1", absl::StrCat("s", handle), kActive);
    AddSignal(request, handle, kLeave);
    if (!gateway.call().Send(request)) break;
    ++sent;
  }
  EXPECT_LE(sent, 12);
  EXPECT_FALSE(gateway.call().reading());
  gateway.call().TakeWrites();
  EXPECT_TRUE(gateway.call().reading());
}

TEST_F(HeartbeatStreamTest, TooManyOpensOrSignalsRefuseTheWholeMessage) {
  Client gateway(world_);
  v1::HeartbeatRequest opens;
  for (int i = 1; i <= limits::kMaxOpensPerMessage + 1; ++i) {
    AddOpen(opens, static_cast<std::uint32_t>(i), absl::StrCat("u", i), "s");
  }
  const auto answers = gateway.Send(opens);
  ASSERT_EQ(OnlyError(answers), "INVALID_FIELD");
  EXPECT_EQ(answers[0].errors(0).handle(), 0u);
  EXPECT_EQ(DetailOf<google::rpc::BadRequest>(answers[0].errors(0).status())
                ->field_violations(0)
                .field(),
            "opens");
  EXPECT_EQ(world_.engine().sessions(), 0);
  opens.mutable_opens()->RemoveLast();
  EXPECT_EQ(gateway.Send(opens)[0].updates_size(), limits::kMaxOpensPerMessage);
  v1::HeartbeatRequest signals;
  for (int i = 0; i <= limits::kMaxSignalsPerMessage; ++i) {
    AddSignal(signals, 1, kLeave);
  }
  EXPECT_EQ(OnlyError(gateway.Send(signals)), "INVALID_FIELD");
  EXPECT_EQ(world_.engine().sessions(), limits::kMaxOpensPerMessage);
}

TEST_F(HeartbeatStreamTest, ATakenOverSessionIsToldOnlyWhereItIsStillThatOne) {
  Client old(world_);
  old.Open(1, "u1", "a", kActive, 1);
  // The handle was freed and bound again before the news came.
  old.Signal(1, kLeave);
  old.Open(1, "u2", "b", kActive, 1);
  old.call().Clear();
  old.stream()->OnTakenOver(1);
  EXPECT_THAT(old.call().responses(), SizeIs(0));
}

TEST_F(HeartbeatStreamTest, AnEndThatTheClientDoesNotTakeIsCutAMinuteLater) {
  Client stuck(world_);
  Client slow(world_);
  Client half_closed(world_);
  v1::HeartbeatRequest request;
  AddSignal(request, 1, kActive);
  for (Client* client : {&stuck, &slow, &half_closed}) {
    ASSERT_TRUE(client->call().Send(request));
    ASSERT_TRUE(client->call().writing());
  }
  half_closed.call().HalfClose();
  world_.Advance(seconds(60));
  for (Client* client : {&stuck, &slow, &half_closed}) {
    EXPECT_TRUE(client->call().finished());
  }
  world_.Advance(milliseconds(59'900));
  EXPECT_FALSE(stuck.call().cancelled());
  slow.call().TakeWrite();
  world_.Advance(milliseconds(100));
  EXPECT_TRUE(stuck.call().cancelled());
  EXPECT_TRUE(half_closed.call().cancelled());
  EXPECT_FALSE(slow.call().cancelled());
}

TEST_F(HeartbeatStreamTest, NothingIsAskedOfACallThatIsOver) {
  Client phone(world_);
  phone.Open(1, "u1", "phone", kActive);
  const auto stream = phone.stream();
  phone.call().Break();
  stream->TellDrain(seconds(1));
  stream->EndForDrain();
  stream->OnTakenOver(1);
  stream->OnCancelled();
  world_.Advance(seconds(400));
}

}  // namespace
}  // namespace lifesign::testing
