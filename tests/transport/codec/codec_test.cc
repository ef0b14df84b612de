// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What crosses the wire: concepts.md §§ 2, 9, 14.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "server/base/limits.h"
#include "server/transport/codec/api_error.h"
#include "server/transport/codec/bytes.h"
#include "server/transport/codec/decode.h"
#include "server/transport/codec/encode.h"
#include "server/transport/codec/page_token.h"
#include "server/transport/codec/resume_token.h"
#include "server/transport/codec/times.h"

namespace lifesign {
namespace {

google::protobuf::Duration Wire(std::int64_t whole, std::int32_t nanos) {
  google::protobuf::Duration duration;
  duration.set_seconds(whole);
  duration.set_nanos(nanos);
  return duration;
}

std::string FieldOf(const absl::optional<ApiError>& error) {
  if (!error.has_value() || error->fields.empty()) return "";
  return error->fields[0].field;
}

// C56.
TEST(Durations, MalformedNegativeAndOutOfRangeAreRefused) {
  EXPECT_FALSE(DecodeDuration(Wire(-1, 0)).has_value());
  EXPECT_FALSE(DecodeDuration(Wire(0, -1)).has_value());
  EXPECT_FALSE(DecodeDuration(Wire(0, 1'000'000'000)).has_value());
  EXPECT_FALSE(DecodeDuration(Wire(5, -1)).has_value());
  EXPECT_FALSE(DecodeDuration(Wire(315'576'000'001, 0)).has_value());
  EXPECT_FALSE(DecodeDuration(Wire(315'576'000'000, 1)).has_value());
  EXPECT_EQ(DecodeDuration(Wire(315'576'000'000, 0)), seconds(315'576'000'000));
  EXPECT_EQ(DecodeDuration(Wire(0, 999'999'999)), microseconds(999'999));
  EXPECT_EQ(DecodeDuration(Wire(0, 0)), Duration(0));
}

TEST(Timestamps, AreHeldBetweenTheYears1And9999) {
  google::protobuf::Timestamp time;
  EncodeTime(WallTime::min(), time);
  EXPECT_EQ(time.seconds(), -62'135'596'800);
  EXPECT_EQ(time.nanos(), 0);
  EncodeTime(WallTime::max(), time);
  EXPECT_EQ(time.seconds(), 253'402'300'799);
  EXPECT_EQ(time.nanos(), 999'999'000);
  EncodeTime(WallTime(microseconds(-1)), time);
  EXPECT_EQ(time.seconds(), -1);
  EXPECT_EQ(time.nanos(), 999'999'000);
}

TEST(ResumeTokens, AreReadBackAndFitTheirLimit) {
  const ResumeToken token{123, 456, 789, ~Revision{0}};
  const std::string bytes = EncodeResumeToken(token);
  EXPECT_LE(bytes.size(), limits::kMaxResumeTokenBytes);
  EXPECT_EQ(DecodeResumeToken(bytes), token);
}

TEST(PageTokens, AreReadBackAndFitTheirLimit) {
  PageToken token;
  token.epoch = ~Revision{0};
  token.made_at = PresenceTime(microseconds(-1));
  token.tenant = 1;
  token.filter = 2;
  token.place = {3, 4, 5};
  const std::string bytes = EncodePageToken(token);
  EXPECT_LE(bytes.size(), limits::kMaxPageTokenBytes);
  EXPECT_EQ(DecodePageToken(bytes), token);
}

TEST(PageTokens, OtherBytesAndOtherTokensAreNone) {
  const std::string good = EncodePageToken(PageToken());
  EXPECT_FALSE(DecodePageToken("").has_value());
  EXPECT_FALSE(DecodePageToken(good + "x").has_value());
  EXPECT_FALSE(DecodePageToken(good.substr(1)).has_value());
  EXPECT_FALSE(DecodePageToken(EncodeResumeToken({1, 2, 3, 4})).has_value());
  EXPECT_FALSE(DecodeResumeToken(good).has_value());
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_FALSE(DecodePageToken(bad).has_value()) << i;
  }
}

TEST(PageTokens, AreOfOneFilter) {
  const ListFilter all{StateSet::All(), {}};
  const ListFilter some{{State::kActive}, {}};
  const ListFilter seen{StateSet::All(), Duration(0)};
  const ListFilter seen_through{StateSet::All(), {}, View::kTrue};
  const ListFilter room{StateSet::All(), {}, View::kPublic, "r1"};
  EXPECT_NE(HashFilter(all), HashFilter(room));
  EXPECT_NE(HashFilter(all), HashFilter(seen_through));
  EXPECT_EQ(HashFilter(all), HashFilter(all));
  EXPECT_NE(HashFilter(all), HashFilter(some));
  EXPECT_NE(HashFilter(all), HashFilter(seen));
}

TEST(ResumeTokens, OtherBytesAreNone) {
  const std::string good = EncodeResumeToken({1, 2, 3, 4});
  EXPECT_FALSE(DecodeResumeToken("").has_value());
  EXPECT_FALSE(DecodeResumeToken(good + "x").has_value());
  EXPECT_FALSE(DecodeResumeToken(good.substr(1)).has_value());
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_FALSE(DecodeResumeToken(bad).has_value()) << i;
  }
}

TEST(ResumeTokens, TheSelectorHashTellsSetsApartAndIsTheSameInEveryRun) {
  const std::vector<std::string> a = {"ab", "c"};
  const std::vector<std::string> b = {"a", "bc"};
  EXPECT_NE(HashUsers(a), HashUsers(b));
  EXPECT_NE(HashUsers(a), HashUsers({}));
  EXPECT_EQ(HashUsers(a), HashUsers(std::vector<std::string>{"c", "ab"}));
  EXPECT_EQ(HashTenant("default"), 0x9473ac1au);
}

TEST(ResumeTokens, StatesAndDetailBelongToTheSelector) {
  const std::uint64_t usual = HashSelector(1, {});
  EXPECT_EQ(usual, HashSelector(1, WatchTerms()));
  EXPECT_NE(usual, HashSelector(2, {}));
  EXPECT_NE(usual, HashSelector(1, {.detail = Detail::kDevices}));
  EXPECT_NE(usual, HashSelector(1, {.states = {State::kActive}}));
}

TEST(Watches, StatesAndDetailThatThisServerDoesNotKnowAreRefused) {
  v1::WatchPresenceRequest request;
  request.mutable_all();
  WatchOptions options;
  EXPECT_FALSE(
      DecodeWatch(request, limits::kMaxWatchedUsers, options).has_value());
  EXPECT_EQ(options.whom, WatchOptions::Whom::kEveryone);
  EXPECT_EQ(options.terms.states, StateSet::All());
  request.add_states(v1::PRESENCE_STATE_IDLE);
  request.add_states(v1::PRESENCE_STATE_OFFLINE);
  request.set_detail(v1::WATCH_DETAIL_DEVICES);
  EXPECT_FALSE(
      DecodeWatch(request, limits::kMaxWatchedUsers, options).has_value());
  EXPECT_EQ(options.terms.states, (StateSet{State::kIdle, State::kOffline}));
  EXPECT_EQ(options.terms.detail, Detail::kDevices);
  request.add_states(v1::PRESENCE_STATE_UNSPECIFIED);
  EXPECT_TRUE(
      DecodeWatch(request, limits::kMaxWatchedUsers, options).has_value());
  request.set_states(2, static_cast<v1::PresenceState>(9));
  EXPECT_TRUE(
      DecodeWatch(request, limits::kMaxWatchedUsers, options).has_value());
  request.mutable_states()->RemoveLast();
  request.set_detail(static_cast<v1::WatchDetail>(9));
  EXPECT_TRUE(
      DecodeWatch(request, limits::kMaxWatchedUsers, options).has_value());
}

TEST(Errors, CarryExactlyOneErrorInfoOfOurDomain) {
  for (const ApiError& error :
       {MalformedMessage(), TenantDenied(), SessionNotOpen(), StaleAttachment(),
        UnknownHandle(), HandleInUse(), SessionAlreadyBound(7),
        SessionTakenOver(), TooManySessions(64), TooManyTakeOvers(seconds(57)),
        TooManySessionsOnStream(20'000), TooManyStreams(1'000),
        TooManyAvailabilities(), InvalidResumeToken(), Draining(seconds(3)),
        Starting(seconds(1)), NoSession(), SlowConsumer()}) {
    const google::rpc::Status status = ToRpcStatus(error);
    int infos = 0;
    google::rpc::ErrorInfo info;
    for (const auto& detail : status.details()) infos += detail.UnpackTo(&info);
    EXPECT_EQ(infos, 1);
    EXPECT_EQ(info.domain(), "presence.lifesign.dev");
    EXPECT_THAT(info.reason(), ::testing::MatchesRegex("[A-Z_]+"));
    EXPECT_NE(status.code(), grpc::StatusCode::OK);
    EXPECT_FALSE(status.message().empty());
  }
}

TEST(Errors, TellAtMost16ViolationsAnd4KiB) {
  FieldFaults faults;
  for (int i = 0; i < 1'000; ++i) {
    faults.Add(absl::StrCat("users.user_ids[", i, "]"), std::string(500, 'x'));
  }
  const google::rpc::Status status = ToRpcStatus(std::move(faults).ToError());
  EXPECT_LE(status.ByteSizeLong(), limits::kMaxErrorDetailBytes);
  google::rpc::BadRequest bad;
  for (const auto& detail : status.details()) detail.UnpackTo(&bad);
  EXPECT_GT(bad.field_violations_size(), 0);
  EXPECT_LE(bad.field_violations_size(), limits::kMaxErrorViolations);
  EXPECT_EQ(bad.field_violations(0).field(), "users.user_ids[0]");
}

TEST(Errors, TakeOverNamesTheDelay) {
  google::rpc::RetryInfo retry;
  const auto status = ToRpcStatus(TooManyTakeOvers(milliseconds(57'500)));
  for (const auto& detail : status.details()) detail.UnpackTo(&retry);
  EXPECT_EQ(retry.retry_delay().seconds(), 57);
  EXPECT_EQ(retry.retry_delay().nanos(), 500'000'000);
}

class DecodeOpenTest : public ::testing::Test {
 protected:
  DecodeOpenTest() {
    open_.set_handle(1);
    open_.set_user_id("u1");
    open_.set_session_id("s1");
  }
  absl::optional<ApiError> Decode() {
    request_ = OpenRequest();
    return DecodeOpen(open_, {"opens", 3}, parts_, request_);
  }

  v1::Open open_;
  OpenParts parts_;
  OpenRequest request_;
};

TEST_F(DecodeOpenTest, DefaultsAreNone) {
  EXPECT_FALSE(Decode().has_value());
  EXPECT_EQ(request_.name.user, "u1");
  EXPECT_EQ(request_.name.session, "s1");
  EXPECT_EQ(request_.binding.handle, 1u);
  EXPECT_EQ(request_.instance, kNoInstance);
  EXPECT_FALSE(request_.device.has_value());
  EXPECT_EQ(request_.metadata, nullptr);
  EXPECT_FALSE(request_.signal.has_value());
}

TEST_F(DecodeOpenTest, EmptyMetadataDiffersFromNone) {
  open_.mutable_options()->mutable_metadata();
  EXPECT_FALSE(Decode().has_value());
  ASSERT_NE(request_.metadata, nullptr);
  EXPECT_TRUE(request_.metadata->empty());
}

TEST_F(DecodeOpenTest, NoRoomsDifferFromNone) {
  EXPECT_FALSE(Decode().has_value());
  EXPECT_EQ(request_.rooms, nullptr);
  open_.mutable_options()->mutable_rooms();
  EXPECT_FALSE(Decode().has_value());
  ASSERT_NE(request_.rooms, nullptr);
  EXPECT_TRUE(request_.rooms->empty());
}

TEST_F(DecodeOpenTest, RoomsCountOnceAndAtMostTheirLimit) {
  v1::RoomSet& rooms = *open_.mutable_options()->mutable_rooms();
  rooms.add_room_ids("r1");
  rooms.add_room_ids("r2");
  rooms.add_room_ids("r1");
  EXPECT_FALSE(Decode().has_value());
  EXPECT_THAT(*request_.rooms, testing::ElementsAre("r1", "r2"));
  rooms.set_room_ids(1, std::string(limits::kMaxIdBytes + 1, 'r'));
  EXPECT_EQ(FieldOf(Decode()), "opens[3].options.rooms.room_ids[1]");
  rooms.Clear();
  for (int i = 0; i < limits::kMaxRoomsPerSession; ++i) {
    rooms.add_room_ids(absl::StrCat("r", i));
  }
  EXPECT_FALSE(Decode().has_value());
  rooms.add_room_ids("one too many");
  EXPECT_EQ(FieldOf(Decode()), "opens[3].options.rooms.room_ids");
}

TEST_F(DecodeOpenTest, EveryFieldIsChecked) {
  const auto refused = [&](auto change) {
    const v1::Open good = open_;
    change(open_);
    const auto error = Decode();
    open_ = good;
    return FieldOf(error);
  };
  EXPECT_EQ(refused([](auto& o) { o.set_handle(0); }), "opens[3].handle");
  EXPECT_EQ(refused([](auto& o) { o.set_handle(limits::kMaxHandle + 1); }),
            "opens[3].handle");
  EXPECT_EQ(refused([](auto& o) { o.set_handle(limits::kMaxHandle); }), "");
  EXPECT_EQ(refused([](auto& o) { o.set_user_id(""); }), "opens[3].user_id");
  EXPECT_EQ(refused([](auto& o) { o.set_user_id(" "); }), "opens[3].user_id");
  EXPECT_EQ(refused([](auto& o) { o.set_session_id("a\nb"); }),
            "opens[3].session_id");
  EXPECT_EQ(refused([](auto& o) { o.set_session_id(std::string(129, 'x')); }),
            "opens[3].session_id");
  EXPECT_EQ(refused([](auto& o) { o.set_session_id(std::string(128, 'x')); }),
            "");
  EXPECT_EQ(
      refused([](auto& o) {
        o.mutable_options()->set_device_class(static_cast<v1::DeviceClass>(77));
      }),
      "opens[3].options.device_class");
  EXPECT_EQ(refused([](auto& o) { o.set_kind(v1::SIGNAL_KIND_LEAVE); }),
            "opens[3].kind");
  EXPECT_EQ(refused([](auto& o) { o.set_kind(v1::SIGNAL_KIND_DETACH); }),
            "opens[3].kind");
  EXPECT_EQ(
      refused([](auto& o) { o.set_kind(static_cast<v1::SignalKind>(99)); }),
      "opens[3].kind");
  EXPECT_EQ(refused([](auto& o) { o.mutable_idle_for()->set_seconds(1); }),
            "opens[3].idle_for");
  EXPECT_EQ(refused([](auto& o) {
              o.set_kind(v1::SIGNAL_KIND_ACTIVE);
              o.mutable_idle_for()->set_seconds(-1);
            }),
            "opens[3].idle_for");
}

// C76.
TEST_F(DecodeOpenTest, MetadataIsAcceptedAtItsLimitsAndNamedOnePast) {
  auto& entries =
      *open_.mutable_options()->mutable_metadata()->mutable_entries();
  const auto limit_passed = [&]() -> std::string {
    const auto error = Decode();
    entries.clear();
    if (!error.has_value()) return "";
    EXPECT_EQ(FieldOf(error), "opens[3].options.metadata.entries");
    EXPECT_EQ(error->metadata[0].first, "limit");
    return error->metadata[0].second;
  };
  for (int i = 0; i < 32; ++i) entries[absl::StrCat("k", i)] = "v";
  EXPECT_EQ(limit_passed(), "");
  for (int i = 0; i < 33; ++i) entries[absl::StrCat("k", i)] = "v";
  EXPECT_NE(limit_passed(), "");
  entries[std::string(64, 'k')] = "v";
  EXPECT_EQ(limit_passed(), "");
  entries[std::string(65, 'k')] = "v";
  EXPECT_NE(limit_passed(), "");
  entries["k"] = std::string(512, 'v');
  EXPECT_EQ(limit_passed(), "");
  entries["k"] = std::string(513, 'v');
  EXPECT_NE(limit_passed(), "");
  for (int i = 0; i < 8; ++i) {
    entries[absl::StrCat("k", i)] = std::string(510, 'v');
  }
  EXPECT_EQ(limit_passed(), "");
  for (int i = 0; i < 8; ++i) {
    entries[absl::StrCat("k", i)] = std::string(i == 0 ? 511 : 510, 'v');
  }
  EXPECT_NE(limit_passed(), "");
}

TEST(DecodeSignals, KindIsRequiredAndFieldsGoWithTheirKinds) {
  const auto refused = [](auto change) {
    v1::Signal message;
    message.set_handle(1);
    message.set_kind(v1::SIGNAL_KIND_ACTIVE);
    change(message);
    Signal signal;
    return FieldOf(DecodeSignal(message, {"signals", 0}, signal));
  };
  EXPECT_EQ(refused([](auto&) {}), "");
  EXPECT_EQ(refused([](auto& s) { s.set_kind(v1::SIGNAL_KIND_UNSPECIFIED); }),
            "signals[0].kind");
  EXPECT_EQ(refused([](auto& s) { s.set_handle(0); }), "signals[0].handle");
  EXPECT_EQ(refused([](auto& s) { s.mutable_linger()->set_seconds(1); }),
            "signals[0].linger");
  EXPECT_EQ(refused([](auto& s) {
              s.set_kind(v1::SIGNAL_KIND_LEAVE);
              s.mutable_linger()->set_seconds(10);
            }),
            "");
  EXPECT_EQ(refused([](auto& s) {
              s.set_kind(v1::SIGNAL_KIND_LEAVE);
              s.mutable_linger()->set_seconds(10);
              s.mutable_linger()->set_nanos(1'000);
            }),
            "signals[0].linger");
  EXPECT_EQ(refused([](auto& s) {
              s.set_kind(v1::SIGNAL_KIND_LEAVE);
              s.mutable_idle_for()->set_seconds(1);
            }),
            "signals[0].idle_for");
  EXPECT_EQ(refused([](auto& s) {
              s.set_kind(v1::SIGNAL_KIND_DETACH);
              s.mutable_idle_for()->set_seconds(1);
            }),
            "signals[0].idle_for");
}

TEST(DecodeSignals, RoomsGoWithLivenessOnlyAndEachIsChecked) {
  v1::Signal message;
  message.set_handle(1);
  message.set_kind(v1::SIGNAL_KIND_IDLE);
  DeclarationParts parts;
  Declaration declaration;
  const auto refused = [&] {
    return FieldOf(
        DecodeDeclaration(message, {"signals", 0}, parts, declaration));
  };
  EXPECT_FALSE(Declares(message));
  message.mutable_rooms()->add_join("r1");
  message.mutable_rooms()->add_leave("r2");
  EXPECT_TRUE(Declares(message));
  EXPECT_EQ(refused(), "");
  EXPECT_THAT(declaration.rooms->join, testing::ElementsAre("r1"));
  EXPECT_THAT(declaration.rooms->leave, testing::ElementsAre("r2"));
  message.set_kind(v1::SIGNAL_KIND_LEAVE);
  EXPECT_EQ(refused(), "signals[0].rooms");
  message.set_kind(v1::SIGNAL_KIND_DETACH);
  EXPECT_EQ(refused(), "signals[0].rooms");
  message.set_kind(v1::SIGNAL_KIND_ACTIVE);
  message.mutable_rooms()->set_join(0, " ");
  EXPECT_EQ(refused(), "signals[0].rooms.join[0]");
  message.mutable_rooms()->set_join(0, "r1");
  message.mutable_rooms()->add_leave("\x01");
  EXPECT_EQ(refused(), "signals[0].rooms.leave[1]");
}

TEST(DecodeUnary, AttachmentAndOpenExcludeEachOther) {
  v1::SendSignalRequest message;
  message.set_user_id("u1");
  message.set_session_id("s1");
  message.set_attachment(4);
  message.mutable_open();
  UnarySignal signal;
  EXPECT_EQ(FieldOf(DecodeSendSignal(message, signal)), "attachment");
}

TEST(DecodeSignals, IntentsAreCheckedOneByOne) {
  v1::Signal message;
  message.set_handle(1);
  message.set_kind(v1::SIGNAL_KIND_ACTIVE);
  v1::IntentDeclaration& intent = *message.add_intents();
  intent.set_room_id("r1");
  intent.set_target_user_id("v1");
  DeclarationParts parts;
  Declaration declaration;
  const auto refused = [&] {
    return FieldOf(
        DecodeDeclaration(message, {"signals", 0}, parts, declaration));
  };
  EXPECT_TRUE(Declares(message));
  EXPECT_EQ(refused(), "");
  ASSERT_EQ(declaration.intents.size(), 1u);
  EXPECT_EQ(declaration.intents[0].expires_in, limits::kDefaultIntentExpiry);
  intent.mutable_expires_in()->set_seconds(600);
  EXPECT_EQ(refused(), "");
  intent.mutable_expires_in()->set_nanos(1'000);
  EXPECT_EQ(refused(), "signals[0].intents[0].expires_in");
  intent.clear_expires_in();
  intent.set_target_user_id("");
  EXPECT_EQ(refused(), "signals[0].intents[0].target_user_id");
  intent.set_target_user_id("v1");
  for (int i = 1; i < limits::kMaxIntentsPerSignal; ++i) {
    *message.add_intents() = message.intents(0);
  }
  EXPECT_EQ(refused(), "");
  *message.add_intents() = message.intents(0);
  EXPECT_EQ(refused(), "signals[0].intents");
}

TEST(DecodeUnary, RoomsOfAnOpenStandWithTheOpen) {
  v1::SendSignalRequest message;
  message.set_user_id("u1");
  message.set_session_id("s1");
  message.mutable_open();
  message.mutable_rooms()->add_join("r1");
  UnarySignal signal;
  EXPECT_EQ(FieldOf(DecodeSendSignal(message, signal)), "rooms");
}

// concepts.md § 13.
TEST(DecodeUnary, AvailabilityAloneIsTheWordOfAUserForWhomNoSessionSpeaks) {
  v1::SendSignalRequest message;
  message.set_user_id("u1");
  message.mutable_availability()->set_kind(v1::AVAILABILITY_KIND_BUSY);
  {
    UnarySignal signal;
    EXPECT_EQ(FieldOf(DecodeSendSignal(message, signal)), "");
    EXPECT_TRUE(signal.of_user);
  }
  // As soon as it names anything of a session, it needs all of it.
  message.set_kind(v1::SIGNAL_KIND_ACTIVE);
  {
    UnarySignal signal;
    EXPECT_EQ(FieldOf(DecodeSendSignal(message, signal)), "session_id");
  }
  message.clear_kind();
  message.set_session_id("s1");
  {
    UnarySignal signal;
    EXPECT_EQ(FieldOf(DecodeSendSignal(message, signal)), "kind");
  }
  message.mutable_open();
  {
    UnarySignal signal;
    EXPECT_EQ(FieldOf(DecodeSendSignal(message, signal)), "availability");
  }
}

class DecodeAvailabilityTest : public ::testing::Test {
 protected:
  DecodeAvailabilityTest() {
    message_.set_handle(1);
    message_.set_kind(v1::SIGNAL_KIND_ACTIVE);
    said().set_kind(v1::AVAILABILITY_KIND_BUSY);
  }
  v1::AvailabilityDeclaration& said() {
    return *message_.mutable_availability();
  }
  // The field that is refused, if any.
  std::string Refused() {
    return FieldOf(
        DecodeDeclaration(message_, {"signals", 2}, parts_, declaration_));
  }

  v1::Signal message_;
  DeclarationParts parts_;
  Declaration declaration_;
};

TEST_F(DecodeAvailabilityTest, NeedsAKindThatIsKnown) {
  EXPECT_EQ(Refused(), "");
  ASSERT_NE(declaration_.availability, nullptr);
  EXPECT_EQ(declaration_.availability->kind, AvailabilityKind::kBusy);
  EXPECT_FALSE(declaration_.availability->expires_in.has_value());
  said().clear_kind();
  EXPECT_EQ(Refused(), "signals[2].availability.kind");
  said().set_kind(static_cast<v1::AvailabilityKind>(99));
  EXPECT_EQ(Refused(), "signals[2].availability.kind");
}

TEST_F(DecodeAvailabilityTest, IsNotSaidByWhoDetachesOrLeaves) {
  for (const auto kind : {v1::SIGNAL_KIND_DETACH, v1::SIGNAL_KIND_LEAVE}) {
    message_.set_kind(kind);
    EXPECT_EQ(Refused(), "signals[2].availability");
  }
}

TEST_F(DecodeAvailabilityTest, TextIsAcceptedAtItsLimitAndRefusedOnePast) {
  said().set_text(std::string(256, 'x'));
  EXPECT_EQ(Refused(), "");
  EXPECT_EQ(declaration_.availability->text.size(), 256u);
  said().set_text(std::string(257, 'x'));
  EXPECT_EQ(Refused(), "signals[2].availability.text");
  for (const char* text : {"a\nb", "\xE2\x80\xAE", "   "}) {
    said().set_text(text);
    EXPECT_EQ(Refused(), "signals[2].availability.text") << text;
  }
}

// C56.
TEST_F(DecodeAvailabilityTest, ExpiryIsMoreThanNothingAndInRange) {
  *said().mutable_expires_in() = Wire(0, 1'000);
  EXPECT_EQ(Refused(), "");
  EXPECT_EQ(declaration_.availability->expires_in, microseconds(1));
  *said().mutable_expires_in() = Wire(315'576'000'000, 0);
  EXPECT_EQ(Refused(), "");
  for (const auto& expires_in :
       {Wire(0, 0), Wire(-1, 0), Wire(1'000'000'000'000, 0)}) {
    *said().mutable_expires_in() = expires_in;
    EXPECT_EQ(Refused(), "signals[2].availability.expires_in");
  }
}

TEST_F(DecodeOpenTest, AvailabilityIsReplacedOnlyWhereThereIsOne) {
  open_.mutable_options()->set_replace_availability(true);
  EXPECT_EQ(FieldOf(Decode()), "opens[3].options.replace_availability");
  auto& said = *open_.mutable_options()->mutable_availability();
  EXPECT_EQ(FieldOf(Decode()), "opens[3].options.availability.kind");
  said.set_kind(v1::AVAILABILITY_KIND_DO_NOT_DISTURB);
  said.set_text("asleep");
  EXPECT_EQ(FieldOf(Decode()), "");
  ASSERT_NE(request_.availability, nullptr);
  EXPECT_EQ(request_.availability->text, "asleep");
  EXPECT_TRUE(request_.replaces_availability);
}

TEST(DecodeWatches, SelectorTimesAndTokenAreChecked) {
  const auto refused = [](auto change) {
    v1::WatchPresenceRequest message;
    message.mutable_users()->add_user_ids("u1");
    change(message);
    WatchOptions options;
    return FieldOf(DecodeWatch(message, limits::kMaxWatchedUsers, options));
  };
  EXPECT_EQ(refused([](auto&) {}), "");
  EXPECT_EQ(refused([](auto& m) { m.clear_users(); }), "selector");
  EXPECT_EQ(refused([](auto& m) { m.mutable_users()->add_user_ids(""); }),
            "users.user_ids[1]");
  EXPECT_EQ(refused([](auto& m) {
              for (int i = 0; i < 9'999; ++i) {
                m.mutable_users()->add_user_ids(absl::StrCat("x", i));
              }
            }),
            "");
  EXPECT_EQ(refused([](auto& m) {
              for (int i = 0; i < 10'000; ++i) {
                m.mutable_users()->add_user_ids(absl::StrCat("x", i));
              }
            }),
            "users.user_ids");
  EXPECT_EQ(
      refused([](auto& m) { m.mutable_batching_delay()->set_seconds(1); }), "");
  EXPECT_EQ(refused([](auto& m) {
              m.mutable_batching_delay()->set_seconds(1);
              m.mutable_batching_delay()->set_nanos(1'000);
            }),
            "batching_delay");
  EXPECT_EQ(
      refused([](auto& m) { m.mutable_progress_interval()->set_seconds(9); }),
      "progress_interval");
  EXPECT_EQ(
      refused([](auto& m) { m.mutable_progress_interval()->set_seconds(601); }),
      "progress_interval");
  EXPECT_EQ(
      refused([](auto& m) { m.mutable_progress_interval()->set_seconds(600); }),
      "");
  EXPECT_EQ(refused([](auto& m) { m.set_resume_token("nonsense"); }),
            "resume_token");
  EXPECT_EQ(refused([](auto& m) { m.set_resume_token(std::string(129, 'x')); }),
            "resume_token");
}

TEST(DecodeWatches, OfManyBadIdsTheFirstAreTold) {
  v1::WatchPresenceRequest message;
  for (int i = 0; i < 100; ++i) message.mutable_users()->add_user_ids("");
  WatchOptions options;
  const auto error = DecodeWatch(message, limits::kMaxWatchedUsers, options);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->fields.size(), limits::kMaxErrorViolations + 1u);
  EXPECT_EQ(error->fields.back().field, "users.user_ids[16]");
}

TEST(DecodeWatches, ATokenOfAnotherTenantIsInvalid) {
  v1::WatchPresenceRequest message;
  message.mutable_users();
  message.set_resume_token(
      EncodeResumeToken({1, HashTenant("another"), HashUsers({}), 1}));
  WatchOptions options;
  const auto error = DecodeWatch(message, limits::kMaxWatchedUsers, options);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(ReasonText(error->reason), "INVALID_RESUME_TOKEN");
}

// § 12: with a handle below 128 and no idle_for at most 6 bytes of protobuf,
// with any handle at most 8.
TEST(WireSize, OneHeartbeatIsAtMostSixOrEightBytes) {
  v1::HeartbeatRequest message;
  v1::Signal& signal = *message.add_signals();
  signal.set_kind(v1::SIGNAL_KIND_LEAVE);
  signal.set_handle(127);
  EXPECT_LE(message.ByteSizeLong(), 6u);
  signal.set_handle(limits::kMaxHandle);
  EXPECT_LE(message.ByteSizeLong(), 8u);
}

TEST(Bytes, NoBytesAreTheEmptyMessage) {
  v1::HeartbeatRequest message;
  message.set_answer_now(true);
  EXPECT_TRUE(ParseMessage(grpc::ByteBuffer(), message));
  EXPECT_FALSE(message.answer_now());
}

TEST(Bytes, SeveralSlicesParseAsOneMessage) {
  v1::GetPresenceRequest message;
  message.set_user_id("somebody with a long name");
  const std::string all = message.SerializeAsString();
  const grpc::Slice slices[] = {grpc::Slice(all.substr(0, 5)),
                                grpc::Slice(all.substr(5))};
  v1::GetPresenceRequest parsed;
  ASSERT_TRUE(ParseMessage(grpc::ByteBuffer(slices, 2), parsed));
  EXPECT_EQ(parsed.user_id(), message.user_id());
}

}  // namespace
}  // namespace lifesign
