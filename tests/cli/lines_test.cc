// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What the commands print line by line: watch, beat, simulate.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "client/cli/simulate/cast.h"
#include "client/cli/simulate/table.h"
#include "client/cli/steering.h"
#include "client/cli/text/json_line.h"
#include "client/cli/text/session_lines.h"
#include "client/cli/text/watch_lines.h"
#include "client/cli/text/words.h"

namespace lifesign::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr std::int64_t kNow = 1767348000;  // 10:00:00

v1::PresenceRecord Record(v1::PresenceState state, v1::Cause cause,
                          std::int64_t since) {
  v1::PresenceRecord record;
  record.set_user_id("ann");
  record.set_state(state);
  record.set_cause(cause);
  record.set_revision(7);
  record.mutable_since()->set_seconds(since);
  return record;
}

std::string WatchText(const client::PresenceChange& change) {
  return WatchLines({"ann", "bertram"})
      .Text(change, absl::FromUnixSeconds(kNow), absl::UTCTimeZone(),
            Palette(false));
}

TEST(WatchLinesTest, AChangeSaysWhatWasAndWhy) {
  EXPECT_EQ(
      WatchText({Record(v1::PRESENCE_STATE_ACTIVE, v1::CAUSE_SIGNAL, 0),
                 Record(v1::PRESENCE_STATE_IDLE, v1::CAUSE_DECAY, kNow - 1)}),
      "09:59:59  ann      idle     was active; time ran out\n");
}

TEST(WatchLinesTest, AnotherAvailabilityIsToldByItself) {
  const auto before =
      Record(v1::PRESENCE_STATE_ACTIVE, v1::CAUSE_SIGNAL, kNow - 180);
  auto after = before;
  after.set_cause(v1::CAUSE_AVAILABILITY);
  after.mutable_availability()->set_kind(v1::AVAILABILITY_KIND_BUSY);
  EXPECT_EQ(WatchText({before, after}), "10:00:00  ann      active   busy\n");
  EXPECT_EQ(WatchText({after, before}),
            "10:00:00  ann      active   available again\n");
}

TEST(WatchLinesTest, TheFirstWordSaysSinceWhen) {
  auto record = Record(v1::PRESENCE_STATE_ACTIVE, v1::CAUSE_SIGNAL, kNow - 180);
  record.mutable_last_active()->set_seconds(kNow - 4);
  EXPECT_EQ(WatchText({absl::nullopt, record}),
            "10:00:00  ann      active   for 3 min; active 4 s ago\n");
}

TEST(WatchLinesTest, TheDevicesThatWereAskedForAreNamed) {
  auto record = Record(v1::PRESENCE_STATE_ACTIVE, v1::CAUSE_SIGNAL, kNow - 1);
  auto& web = *record.add_devices();
  web.set_device_class(v1::DEVICE_CLASS_WEB);
  web.set_state(v1::PRESENCE_STATE_ACTIVE);
  auto& mobile = *record.add_devices();
  mobile.set_device_class(v1::DEVICE_CLASS_MOBILE);
  mobile.set_state(v1::PRESENCE_STATE_IDLE);
  EXPECT_EQ(WatchText({Record(v1::PRESENCE_STATE_ACTIVE, v1::CAUSE_SIGNAL, 0),
                       record}),
            "10:00:00  ann      active   as before; web active, mobile idle\n");
}

TEST(WatchLinesTest, AnUnknownUserWasNeverSeen) {
  v1::PresenceRecord record;
  record.set_user_id("ann");
  record.set_state(v1::PRESENCE_STATE_OFFLINE);
  EXPECT_EQ(WatchText({absl::nullopt, record}),
            "10:00:00  ann      offline  never seen\n");
}

TEST(WatchLinesTest, JsonKeepsTheNamesOfTheApi) {
  EXPECT_EQ(WatchLines({}).Json({absl::nullopt, Record(v1::PRESENCE_STATE_IDLE,
                                                       v1::CAUSE_DECAY, kNow)}),
            "{\"event\":\"change\",\"before\":null,\"after\":{\"user_id\":"
            "\"ann\",\"state\":\"PRESENCE_STATE_IDLE\",\"cause\":"
            "\"CAUSE_DECAY\",\"revision\":\"7\",\"devices\":[],"
            "\"merged_into\":\"\",\"since\":\"2026-01-02T10:00:00Z\"}}"
            "\n");
}

TEST(JsonLineTest, EscapesWhatOthersNamed) {
  EXPECT_EQ(JsonLine().Text("name", "a\"b\\\n").Bool("ok", true).Done(),
            "{\"name\":\"a\\\"b\\\\\\n\",\"ok\":true}");
}

TEST(SessionLinesTest, SaysEachThingOnce) {
  SessionLines lines("ann", "laptop");
  client::SessionStatus status;
  status.link = client::Link::kConnecting;
  EXPECT_EQ(lines.Text(status, Palette(false)), "");
  status.link = client::Link::kConnected;
  status.state = v1::PRESENCE_STATE_ACTIVE;
  status.next_interval = std::chrono::seconds(10);
  EXPECT_EQ(lines.Text(status, Palette(false)),
            "ann/laptop is active; a beat every 10 s\n");
  EXPECT_EQ(lines.Text(status, Palette(false)), "");
  status.end = client::SessionEnd::kTakenOver;
  EXPECT_EQ(lines.Text(status, Palette(false)),
            "ann/laptop was taken over by another instance\n");
}

TEST(SessionLinesTest, SaysWhenTheNextAttemptIs) {
  SessionLines lines("ann", "laptop");
  client::SessionStatus status;
  status.link = client::Link::kWaiting;
  status.reconnect_in = std::chrono::milliseconds(2100);
  status.last_error.code = grpc::StatusCode::UNAVAILABLE;
  status.last_error.message = "gone";
  EXPECT_THAT(lines.Text(status, Palette(false)),
              AllOf(HasSubstr("connection lost (UNAVAILABLE"),
                    HasSubstr("again in 2.1 s")));
}

TEST(SteeringTest, LinesMayComeInPieces) {
  Steering steering(Steering::Input::kLines);
  EXPECT_THAT(steering.Take("idl"), IsEmpty());
  EXPECT_THAT(steering.Take("e\n\n  leave \nfoo\n"),
              ElementsAre(Field(&Steer::kind, Steer::Kind::kIdle),
                          Field(&Steer::kind, Steer::Kind::kLeave),
                          AllOf(Field(&Steer::kind, Steer::Kind::kUnknown),
                                Field(&Steer::text, "foo"))));
}

TEST(SteeringTest, KeysNeedNoEnter) {
  Steering steering(Steering::Input::kKeys);
  EXPECT_THAT(steering.Take("a?b"),
              ElementsAre(Field(&Steer::kind, Steer::Kind::kInteract),
                          Field(&Steer::kind, Steer::Kind::kBackground)));
}

simulate::Picture PictureOf(int people) {
  simulate::Picture picture;
  picture.title = "title";
  picture.figures = {people, people, 1000, 100, 3, 0};
  picture.groups = {{"people", {}}};
  for (int i = 0; i < people; ++i) {
    simulate::PersonRow row;
    row.name = "p" + std::to_string(i);
    row.state = v1::PRESENCE_STATE_AWAY;
    row.cause = v1::CAUSE_DECAY;
    // The later ones changed later.
    row.since = absl::Seconds(400 - i);
    row.devices = "mobile";
    row.doing = "phone in a tunnel";
    picture.people.push_back(row);
  }
  return picture;
}

std::vector<std::string> Rows(const std::string& table) {
  std::vector<std::string> rows = absl::StrSplit(table, '\n');
  rows.pop_back();
  return rows;
}

TEST(TableTest, ShowsAPersonInEachRow) {
  const auto rows = Rows(Table(PictureOf(1), {120, 40}, Palette(false)));
  EXPECT_EQ(rows.back(),
            "p0         away    6 min 40 s mobile              time ran out    "
            "phone in a tunnel");
}

TEST(TableTest, NeverLeavesTheScreen) {
  for (const ScreenSize size : {ScreenSize{80, 24}, {20, 5}, {200, 60}}) {
    const auto rows = Rows(Table(PictureOf(300), size, Palette(false)));
    EXPECT_LE(rows.size(), static_cast<std::size_t>(size.rows));
    for (const std::string& row : rows) {
      EXPECT_LE(WidthOf(row), static_cast<std::size_t>(size.columns)) << row;
    }
  }
}

TEST(TableTest, ShowsThoseWhoChangedLastWhenThereAreTooMany) {
  const auto rows = Rows(Table(PictureOf(50), {120, 10}, Palette(false)));
  ASSERT_EQ(rows.size(), 10u);
  EXPECT_THAT(rows[7], StartsWith("p47 "));
  EXPECT_THAT(rows[9], StartsWith("p49 "));
}

TEST(PaletteTest, ColoursNothingWhereColoursAreOff) {
  EXPECT_EQ(Palette(false).State(v1::PRESENCE_STATE_ACTIVE, "active"),
            "active");
  EXPECT_EQ(Palette(true).State(v1::PRESENCE_STATE_ACTIVE, "active"),
            "\x1b[1;32mactive\x1b[0m");
}

}  // namespace
}  // namespace lifesign::cli

namespace lifesign::simulate {
namespace {

TEST(CastTest, IsTheSameForTheSameSeed) {
  const auto one = CastPeople(60, 1);
  const auto two = CastPeople(60, 1);
  ASSERT_EQ(one.size(), two.size());
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].user, two[i].user);
    EXPECT_EQ(one[i].session, two[i].session);
    EXPECT_EQ(one[i].habit, two[i].habit);
    EXPECT_EQ(one[i].network, two[i].network);
  }
}

// The first session of the first person is opened before the cast is known.
TEST(CastTest, BeginsAlikeHoweverManyTakePart) {
  EXPECT_EQ(CastPeople(1, 5).front().session,
            CastPeople(60, 5).front().session);
}

TEST(CastTest, NoTwoSessionsHaveTheSameName) {
  std::set<std::string> names;
  auto roles = CastPeople(500, 1);
  for (int gateway = 1; gateway <= 2; ++gateway) {
    for (auto& role : CastGateway(gateway, 300, 1)) roles.push_back(role);
  }
  for (const Role& role : roles) {
    EXPECT_TRUE(names.insert(role.user + "/" + role.session).second);
  }
  EXPECT_GT(roles.size(), 1400u);
}

}  // namespace
}  // namespace lifesign::simulate
