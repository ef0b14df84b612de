// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What a simulation counts, on made-up sequences of events.
#include "client/cli/simulate/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "client/cli/simulate/figures.h"

namespace lifesign::simulate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// The server's clock says so when the simulation's says 0.
constexpr std::int64_t kServerStart = 1767348000;

class LedgerTest : public ::testing::Test {
 protected:
  LedgerTest() {
    v1::WatchPresenceResponse response;
    response.mutable_synced()->mutable_read_time()->set_seconds(kServerStart);
    ledger_.Received(response, Duration::zero());
  }

  // A watcher is told, at `at`, that `user` is `state` since `since`.
  void Told(const std::string& user, std::uint64_t revision,
            v1::PresenceState state, Duration since, Duration at) {
    v1::WatchPresenceResponse response;
    v1::PresenceRecord& record = *response.add_changes();
    record.set_user_id(user);
    record.set_revision(revision);
    record.set_state(state);
    const auto micros = since.count() + kServerStart * 1000000;
    record.mutable_since()->set_seconds(micros / 1000000);
    record.mutable_since()->set_nanos(
        static_cast<int>(micros % 1000000 * 1000));
    ledger_.Received(response, at);
  }
  void ToldOffline(std::uint64_t revision, Duration since) {
    Told("ann", revision, v1::PRESENCE_STATE_OFFLINE, since,
         since + milliseconds(5));
  }

  std::uint64_t false_offline() { return ledger_.totals().false_offline; }

  Ledger ledger_;
};

TEST_F(LedgerTest, OfflineWhileASessionBeatsIsFalse) {
  ledger_.Answered("ann", 1, seconds(1));
  ToldOffline(10, seconds(5));
  EXPECT_EQ(false_offline(), 1u);
  EXPECT_THAT(ledger_.falsely_offline(), ::testing::ElementsAre("ann"));
}

TEST_F(LedgerTest, OfflineAfterALeaveIsTrue) {
  ledger_.Answered("ann", 1, seconds(1));
  ledger_.SilentFrom("ann", 1, seconds(5));
  ToldOffline(10, seconds(5) + milliseconds(2));
  EXPECT_EQ(false_offline(), 0u);
}

TEST_F(LedgerTest, OfflineOfSomebodyElseIsTrue) {
  ledger_.Answered("bob", 1, seconds(1));
  ToldOffline(10, seconds(5));
  EXPECT_EQ(false_offline(), 0u);
}

TEST_F(LedgerTest, OfflineBeforeTheOpenWasAnsweredIsTrue) {
  ToldOffline(10, seconds(5));
  ledger_.Answered("ann", 1, seconds(6));
  // The same news again, by another watcher and late.
  Told("ann", 10, v1::PRESENCE_STATE_OFFLINE, seconds(5), seconds(8));
  EXPECT_EQ(false_offline(), 0u);
}

// It is the instant of the change that counts, not that of the message.
TEST_F(LedgerTest, OfflineThatArrivesLateIsJudgedByWhenItHeld) {
  ledger_.Answered("ann", 1, seconds(10));
  Told("ann", 10, v1::PRESENCE_STATE_OFFLINE, seconds(5), seconds(20));
  EXPECT_EQ(false_offline(), 0u);
  ledger_.SilentFrom("ann", 1, seconds(30));
  Told("ann", 11, v1::PRESENCE_STATE_OFFLINE, seconds(25), seconds(40));
  EXPECT_EQ(false_offline(), 1u);
}

// A hand-over: the network is lost at 5 s, and a beat was promised every 10 s.
TEST_F(LedgerTest, OfflineWithinThePromiseOfALostSessionIsFalse) {
  ledger_.Answered("ann", 1, seconds(1));
  ledger_.SilentFrom("ann", 1, seconds(15));
  ToldOffline(10, seconds(6));
  EXPECT_EQ(false_offline(), 1u);
  ToldOffline(11, seconds(16));
  EXPECT_EQ(false_offline(), 1u);
}

TEST_F(LedgerTest, WhoIsBackBeforeThePromiseRanOutNeverBrokeIt) {
  ledger_.Answered("ann", 1, seconds(1));
  ledger_.SilentFrom("ann", 1, seconds(15));
  ledger_.Answered("ann", 1, seconds(8));
  ToldOffline(10, seconds(20));
  EXPECT_EQ(false_offline(), 1u);
}

TEST_F(LedgerTest, WhileTheReturnIsNotAnsweredNothingIsCounted) {
  ledger_.Answered("ann", 1, seconds(1));
  ledger_.SilentFrom("ann", 1, seconds(15));
  ToldOffline(10, seconds(255));
  ledger_.Answered("ann", 1, seconds(260));
  EXPECT_EQ(false_offline(), 0u);
  ToldOffline(11, seconds(261));
  EXPECT_EQ(false_offline(), 1u);
}

TEST_F(LedgerTest, OneSessionOfSeveralIsEnough) {
  ledger_.Answered("ann", 1, seconds(1));
  ledger_.Answered("ann", 2, seconds(1));
  ledger_.SilentFrom("ann", 1, seconds(3));
  ToldOffline(10, seconds(5));
  EXPECT_EQ(false_offline(), 1u);
}

TEST_F(LedgerTest, WithinTheMarginOfTheClocksNothingIsCounted) {
  ledger_.Answered("ann", 1, seconds(1));
  ToldOffline(10, seconds(1) + kClockMargin - milliseconds(1));
  EXPECT_EQ(false_offline(), 0u);
  ToldOffline(11, seconds(1) + kClockMargin);
  EXPECT_EQ(false_offline(), 1u);
}

TEST_F(LedgerTest, OtherStatesAreNotOffline) {
  ledger_.Answered("ann", 1, seconds(1));
  Told("ann", 10, v1::PRESENCE_STATE_STALE, seconds(5), seconds(5));
  EXPECT_EQ(false_offline(), 0u);
}

TEST_F(LedgerTest, AChangeIsCountedOnceHoweverManyWatchersHearOfIt) {
  for (int watcher = 0; watcher < 3; ++watcher) {
    Told("ann", 10, v1::PRESENCE_STATE_ACTIVE, seconds(1), seconds(1));
    Told("ann", 11, v1::PRESENCE_STATE_IDLE, seconds(2), seconds(2));
    Told("bob", 10, v1::PRESENCE_STATE_ACTIVE, seconds(1), seconds(1));
  }
  EXPECT_EQ(ledger_.totals().changes, 3u);
  EXPECT_EQ(ledger_.totals().records, 9u);
}

// concepts.md § 9: a user the server does not remember carries its shard's
// newest revision.
TEST_F(LedgerTest, SnapshotsCountAsWellButUnknownUsersAreNoChange) {
  v1::WatchPresenceResponse response;
  v1::PresenceRecord& unknown = *response.add_snapshot();
  unknown.set_user_id("ann");
  unknown.set_revision(4);
  unknown.set_state(v1::PRESENCE_STATE_OFFLINE);
  v1::PresenceRecord& known = *response.add_snapshot();
  known.set_user_id("bob");
  known.set_revision(5);
  known.set_state(v1::PRESENCE_STATE_ACTIVE);
  known.mutable_since()->set_seconds(kServerStart);
  ledger_.Received(response, seconds(1));
  EXPECT_EQ(ledger_.totals().changes, 1u);
}

TEST_F(LedgerTest, AnUnknownUserWhoBeatsIsFalselyOffline) {
  ledger_.Answered("ann", 1, seconds(1));
  v1::WatchPresenceResponse response;
  v1::PresenceRecord& record = *response.add_snapshot();
  record.set_user_id("ann");
  record.set_state(v1::PRESENCE_STATE_OFFLINE);
  ledger_.Received(response, seconds(5));
  EXPECT_EQ(false_offline(), 1u);
}

// Of all the times that the server told, the least delayed one counts.
TEST_F(LedgerTest, DelaysAreThoseOfTheFirstWatcherToldAboveTheLeast) {
  EXPECT_EQ(ledger_.delay_p99(), Duration::zero());
  for (std::uint64_t i = 0; i < 200; ++i) {
    const Duration since = seconds(i + 1);
    const Duration delay = milliseconds(i < 100 ? 2 : 7);
    Told("ann", i + 1, v1::PRESENCE_STATE_ACTIVE, since, since + delay);
    // Another watcher, later.
    Told("ann", i + 1, v1::PRESENCE_STATE_ACTIVE, since, since + seconds(1));
  }
  EXPECT_EQ(ledger_.delay_p99(), milliseconds(7));
}

TEST_F(LedgerTest, ADelayedReadTimeDoesNotMoveTheClock) {
  v1::WatchPresenceResponse late;
  late.mutable_progress()->mutable_read_time()->set_seconds(kServerStart + 1);
  ledger_.Received(late, seconds(9));
  ledger_.Answered("ann", 1, seconds(1));
  ledger_.SilentFrom("ann", 1, seconds(6));
  ToldOffline(10, seconds(6) + milliseconds(1));
  EXPECT_EQ(false_offline(), 0u);
}

TEST(FiguresTest, TheLastLineNamesThemAll) {
  const Figures figures = {42, 120, 5000, 300, 3, 0};
  EXPECT_EQ(figures.Line(),
            "run: users=42 sessions=120 signals=5000 changes=300 watchers=3 "
            "suppressed=4700 false_offline=0");
  EXPECT_EQ(figures.Json("run"),
            "{\"event\":\"run\",\"users\":42,\"sessions\":120,\"signals\":5000,"
            "\"changes\":300,\"watchers\":3,\"suppressed\":4700,"
            "\"false_offline\":0}");
}

TEST(FiguresTest, WhatTimeAloneChangedIsNotSuppressedBelowNothing) {
  EXPECT_EQ((Figures{1, 1, 2, 5, 1, 0}.suppressed()), 0u);
}

}  // namespace
}  // namespace lifesign::simulate
