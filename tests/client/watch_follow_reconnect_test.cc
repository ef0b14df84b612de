// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 9, FollowPresence: a watcher whose users change at random,
// and that is cut off at random, knows those whom it watches and nobody else.
// Seeded, so that it replays.
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

#include "server/transport/codec/encode.h"
#include "tests/client/watch_client.h"

namespace lifesign::client::internal {
namespace {

TEST(WatchFollowReconnectTest, KnowsWhomItWatchesAndNobodyElse) {
  StreamLimits limits;
  limits.max_mailbox_bytes = 5'000;
  StreamWorld world(limits, absl::nullopt, /*max_retained_users=*/16);
  std::mt19937_64 random(39);
  Sessions sessions(world, random);
  WatchOptions options;
  options.user_ids = {Name(0), Name(1)};
  Client client(world, options);
  int compared = 0;
  int resumed = 0;
  for (int step = 0; step < kSteps && !::testing::Test::HasFatalFailure();
       ++step) {
    for (auto i = random() % 12; i > 0; --i) sessions.Step();
    if (random() % 3 != 0) world.Publish();
    if (random() % 4 == 0) world.Advance(limits::kDefaultTick);
    for (auto i = random() % 3; i > 0; --i) {
      const std::string user = Name(static_cast<int>(random() % kUsers));
      if (random() % 2 == 0) {
        client.Add(user);
      } else {
        client.Remove(user);
      }
    }
    for (auto i = random() % 3; i > 0; --i) client.TakeOne();
    if (client.connected() && random() % 20 == 0) {
      client.Break();
      ++resumed;
    }
    if (random() % 4 == 0) client.Hurry();
    client.OnTime();
    if (step % 20 != 0) continue;
    world.Advance(seconds(1));
    client.TakeAll();
    client.Reconnect();
    client.TakeAll();
    std::set<std::string> held;
    client.logic().view().ForEach([&](const v1::PresenceRecord& record) {
      held.insert(record.user_id());
      EXPECT_EQ(record.state(), EncodeState(world.StateOf(record.user_id())))
          << record.user_id() << " at step " << step;
    });
    ASSERT_EQ(held, client.watched()) << "step " << step;
    ASSERT_EQ(client.View(), client.Told()) << "step " << step;
    ++compared;
  }
  EXPECT_GE(resumed, 150);
  EXPECT_GE(compared, 300);
  EXPECT_EQ(client.resyncs(), 0u);
}

}  // namespace
}  // namespace lifesign::client::internal
