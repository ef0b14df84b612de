// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 9: a watcher that is cut off at random instants, hundreds
// of times, knows what one knows that never was. The client's logic against the
// server's, without a network; seeded, so that it replays.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "server/transport/codec/encode.h"
#include "tests/client/watch_client.h"

namespace lifesign::client::internal {
namespace {

struct Case {
  const char* name;
  WatchOptions options;
  // How many users are remembered after they went: few make it begin anew.
  std::int64_t remembered = limits::kMaxRetainedUsers;
  std::size_t mailbox_bytes = limits::kMaxMailboxBytes;
};

// Or gtest prints its bytes.
void PrintTo(const Case& the, std::ostream* out) { *out << the.name; }

std::vector<Case> Cases() {
  WatchOptions set;
  for (int user = 0; user < kUsers; ++user) set.user_ids.push_back(Name(user));
  WatchOptions everyone;
  everyone.all_users = true;
  WatchOptions devices = everyone;
  devices.detail = v1::WATCH_DETAIL_DEVICES;
  WatchOptions active_of_set = set;
  active_of_set.states = {v1::PRESENCE_STATE_ACTIVE};
  WatchOptions live_of_everyone = everyone;
  live_of_everyone.states = {v1::PRESENCE_STATE_ACTIVE,
                             v1::PRESENCE_STATE_IDLE};
  WatchOptions batched = set;
  batched.batching_delay = milliseconds(700);
  constexpr std::int64_t kFew = 16;
  // Ten changes.
  constexpr std::size_t kTiny = 5'000;
  return {
      {"ASet", set},
      {"Everyone", everyone},
      {"Devices", devices},
      {"ActiveOfASet", active_of_set},
      {"ActiveAndIdleOfEveryone", live_of_everyone},
      {"Batched", batched},
      {"ASetOfWhomFewAreRemembered", set, kFew},
      {"EveryoneOfWhomFewAreRemembered", everyone, kFew},
      {"ASetWithATinyMailbox", set, limits::kMaxRetainedUsers, kTiny},
      {"EveryoneWithATinyMailbox", everyone, limits::kMaxRetainedUsers, kTiny},
      {"DevicesWithATinyMailboxAndFewRemembered", devices, kFew, kTiny},
  };
}

class WatchReconnectTest : public ::testing::TestWithParam<Case> {
 protected:
  // What a view of everyone has to hold, by asking.
  static std::map<std::string, std::string> Truth(StreamWorld& world) {
    const WatchOptions& options = GetParam().options;
    std::map<std::string, std::string> truth;
    for (int user = 0; user < kUsers; ++user) {
      const auto record =
          world.engine().GetUser(Name(user), world.now()).record;
      v1::PresenceRecord message;
      EncodeRecord(record,
                   options.detail == v1::WATCH_DETAIL_DEVICES ? Detail::kDevices
                                                              : Detail::kState,
                   message);
      if (IsOfInterest(message, options)) truth[Name(user)] = Text(message);
    }
    return truth;
  }

  static StreamLimits Limits() {
    StreamLimits limits;
    limits.max_mailbox_bytes = GetParam().mailbox_bytes;
    return limits;
  }
};

TEST_P(WatchReconnectTest, KnowsWhatOneKnowsThatNeverWasCutOff) {
  StreamWorld world(Limits(), absl::nullopt, GetParam().remembered);
  std::mt19937_64 random(20'251'125);
  Sessions sessions(world, random);
  Client always(world, GetParam().options);
  Client often(world, GetParam().options);
  const bool is_batched = GetParam().options.batching_delay.count() > 0;
  int breaks = 0;
  int compared = 0;
  for (int step = 0; step < kSteps && !HasFatalFailure(); ++step) {
    for (auto i = random() % 12; i > 0; --i) sessions.Step();
    // Not every change has been published when the stream breaks.
    if (random() % 3 != 0) world.Publish();
    if (random() % 4 == 0) {
      // To a tick: what time has done is found and published then.
      world.Advance(limits::kDefaultTick * static_cast<int>(random() % 30));
    }
    if (random() % 200 == 0) {
      // So that nobody takes the stream for dead.
      for (int i = 0; i < 20; ++i) {
        world.Advance(seconds(5));
        for (Client* client : {&always, &often}) {
          client->TakeAll();
          client->OnTime();
        }
      }
    }
    // At their own pace.
    if (random() % 2 == 0) always.TakeOne();
    for (auto i = random() % 3; i > 0; --i) often.TakeOne();
    if (often.connected() && random() % 10 == 0) {
      often.Break();
      ++breaks;
    }
    if (random() % 4 == 0) often.Hurry();
    for (Client* client : {&always, &often}) client->OnTime();
    if (step % 20 != 0) continue;
    // Quiescent: everything is published and told. What a batch holds back
    // comes within a second.
    world.Advance(seconds(1));
    world.Publish();
    for (Client* client : {&always, &often}) {
      client->OnTime();
      client->TakeAll();
      client->Reconnect();
      client->TakeAll();
    }
    const auto truth = Truth(world);
    world.Advance(seconds(1));
    for (Client* client : {&always, &often}) client->TakeAll();
    // With a batch, only if nothing has come into it since.
    if (is_batched && Truth(world) != truth) continue;
    ASSERT_EQ(often.View(), always.View()) << "step " << step;
    ASSERT_EQ(often.Told(), always.Told()) << "step " << step;
    ASSERT_EQ(often.View(), Truth(world)) << "step " << step;
    ++compared;
  }
  EXPECT_GE(breaks, 300);
  EXPECT_GE(compared, is_batched ? 30 : 300);
  if (GetParam().remembered == limits::kMaxRetainedUsers) {
    EXPECT_EQ(often.resyncs(), 0u);
  }
}

INSTANTIATE_TEST_SUITE_P(Of, WatchReconnectTest, ::testing::ValuesIn(Cases()),
                         [](const auto& of) { return of.param.name; });

}  // namespace
}  // namespace lifesign::client::internal
