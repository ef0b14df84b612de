// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// concepts.md § 9: FollowPresence, by the logic of the stream alone.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/transport/streams/stream_watcher.h"
#include "tests/transport/streams/stream_world.h"

namespace lifesign::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

v1::FollowPresenceRequest Change(const std::vector<std::string>& add,
                                 const std::vector<std::string>& remove = {}) {
  v1::FollowPresenceRequest request;
  for (const auto& user : add) request.mutable_add()->add_user_ids(user);
  for (const auto& user : remove) request.mutable_remove()->add_user_ids(user);
  return request;
}

class Follower : public Watcher {
 public:
  explicit Follower(StreamWorld& world) : Watcher(world) {}
  Follower(StreamWorld& world, v1::WatchPresenceRequest watch)
      : Follower(world) {
    EXPECT_TRUE(call().Send(First(std::move(watch))));
  }

  // Everything that was told since the last time, as text: the user and the
  // state, with a + in a snapshot; acknowledgements as their number.
  std::vector<std::string> Told() {
    call().TakeWrites();
    std::vector<std::string> told;
    for (const auto& message : call().responses()) {
      v1::WatchPresenceResponse snapshot;
      *snapshot.mutable_changes() = message.snapshot();
      for (const auto& text : StatesOf(snapshot)) told.push_back("+" + text);
      for (const auto& text : StatesOf(message)) told.push_back(text);
      if (message.has_synced()) told.push_back("SYNCED");
      for (const auto& refusal : message.refused()) {
        told.push_back(absl::StrCat("refused ", refusal.message(), " ",
                                    ReasonOf(refusal.status())));
      }
      if (message.acked() > 0) told.push_back(absl::StrCat(message.acked()));
      if (!message.resume_token().empty()) token_ = message.resume_token();
    }
    call().Clear();
    return told;
  }
  const std::string& token() const { return token_; }

 private:
  std::string token_;
};

class WatchFollowTest : public ::testing::Test {
 protected:
  StreamWorld world_;
};

// C39.
TEST_F(WatchFollowTest, WhoIsAddedIsToldAndWhoIsRemovedIsSilent) {
  const Attachment attachment = world_.Login("u2", "s1").ref.attachment;
  const auto beat = [&](int times) {
    for (int i = 0; i < times; ++i) {
      world_.Advance(seconds(10));
      world_.engine().ApplyUnary({"u2", "s1"}, attachment, Signal(),
                                 world_.now());
    }
  };
  beat(3);
  Follower follower(world_, WatchOf({"u1"}));
  EXPECT_THAT(follower.Told(), ElementsAre("+u1 OFFLINE", "SYNCED", "1"));
  beat(1);
  follower.Told();
  ASSERT_TRUE(follower.call().Send(Change({"u2", "u9"})));
  ASSERT_THAT(follower.call().responses(), SizeIs(1));
  const auto& added = follower.last().snapshot(0);
  EXPECT_EQ(added.user_id(), "u2");
  EXPECT_EQ(added.since().seconds() + 40,
            world_.now().wall.time_since_epoch().count() / 1'000'000);
  EXPECT_THAT(follower.Told(), ElementsAre("+u2 ACTIVE", "+u9 OFFLINE", "2"));
  beat(1);
  ASSERT_TRUE(follower.call().Send(Change({}, {"u2"})));
  EXPECT_THAT(follower.Told(), ElementsAre("3"));
  world_.Advance(seconds(5));
  world_.Leave("u2", "s1", attachment);
  world_.Publish();
  EXPECT_THAT(follower.Told(), IsEmpty());
}

TEST_F(WatchFollowTest, WhoIsAddedIsWatchedFromThenOn) {
  Follower follower(world_, WatchOf({}));
  EXPECT_THAT(follower.Told(), ElementsAre("SYNCED", "1"));
  follower.call().Send(Change({"u1", "u1", "u2"}));
  follower.Told();
  // Nothing is told of who is there already.
  follower.call().Send(Change({"u2"}, {"u9"}));
  EXPECT_THAT(follower.Told(), ElementsAre("3"));
  world_.Login("u1", "s");
  world_.Login("u2", "s");
  world_.Publish();
  EXPECT_THAT(follower.Told(), UnorderedElementsAre("u1 ACTIVE", "u2 ACTIVE"));
  // Removed and added again: told again.
  follower.call().Send(Change({}, {"u1"}));
  follower.call().TakeWrites();
  follower.call().Send(Change({"u1"}));
  EXPECT_THAT(follower.Told(), ElementsAre("4", "+u1 ACTIVE", "5"));
}

// In its order, one after another.
TEST_F(WatchFollowTest, TheNextMessageIsReadOnceTheLastIsDealtWith) {
  Follower follower(world_, WatchOf(Users(2'500)));
  EXPECT_FALSE(follower.call().reading());
  while (!follower.last().has_synced()) follower.call().TakeWrite();
  EXPECT_EQ(follower.last().acked(), 1u);
  follower.Told();
  ASSERT_TRUE(follower.call().Send(Change({"a", "b"}, {"u10000"})));
  EXPECT_TRUE(follower.call().reading());
  // Two thousand need two messages.
  std::vector<std::string> many;
  for (int i = 0; i < 2'000; ++i) many.push_back(absl::StrCat("v", i));
  ASSERT_TRUE(follower.call().Send(Change(many)));
  EXPECT_FALSE(follower.call().reading());
  const auto told = follower.Told();
  EXPECT_THAT(told, SizeIs(2'000 + 2 + 2));
  EXPECT_EQ(told.back(), "3");
  EXPECT_TRUE(follower.call().reading());
}

TEST_F(WatchFollowTest, WhatWaitsOfWhoIsRemovedIsNotTold) {
  Follower follower(world_, WatchOf({"u1", "u2"}));
  world_.Login("u1", "s");
  world_.Login("u2", "s");
  world_.Publish();
  // The first message is still in flight.
  ASSERT_TRUE(follower.call().writing());
  ASSERT_TRUE(follower.call().Send(Change({}, {"u1"})));
  const auto told = follower.Told();
  EXPECT_THAT(told, ElementsAre("+u1 OFFLINE", "+u2 OFFLINE", "SYNCED", "1",
                                "u2 ACTIVE", "2"));
}

TEST_F(WatchFollowTest, ABadMessageIsAnsweredInTheStreamAndChangesNothing) {
  Follower follower(world_, WatchOf({"u1"}));
  follower.Told();
  follower.call().Send(Change({"u2", "\x01"}));
  EXPECT_THAT(follower.Told(), ElementsAre("refused 2 INVALID_FIELD", "2"));
  follower.call().Send(Change({"u2"}, {"u2"}));
  EXPECT_THAT(follower.Told(), ElementsAre("refused 3 INVALID_FIELD", "3"));
  follower.call().Send(First(WatchOf({"u2"})));
  EXPECT_THAT(follower.Told(), ElementsAre("refused 4 INVALID_FIELD", "4"));
  const grpc::Slice garbage("\xff\xff\xff");
  follower.call().SendBytes(grpc::ByteBuffer(&garbage, 1));
  EXPECT_THAT(follower.Told(), ElementsAre("refused 5 MALFORMED_MESSAGE", "5"));
  world_.Login("u1", "s");
  world_.Login("u2", "s");
  world_.Publish();
  EXPECT_THAT(follower.Told(), ElementsAre("u1 ACTIVE"));
}

// § 14: at the limit and one past it.
TEST_F(WatchFollowTest, AWatchIsOfSoManyUsersAndNoMore) {
  StreamLimits limits;
  limits.max_watched_users = 3;
  StreamWorld world(limits);
  Follower follower(world, WatchOf({"u1"}));
  follower.Told();
  follower.call().Send(Change({"u1", "u2", "u3"}));
  EXPECT_THAT(follower.Told(), ElementsAre("+u2 OFFLINE", "+u3 OFFLINE", "2"));
  follower.call().Send(Change({"u4"}));
  EXPECT_THAT(follower.Told(),
              ElementsAre("refused 3 TOO_MANY_WATCHED_USERS", "3"));
  follower.call().Send(Change({"u4"}, {"u1"}));
  EXPECT_THAT(follower.Told(), ElementsAre("+u4 OFFLINE", "4"));
}

TEST_F(WatchFollowTest, OneMessageAddsSoManyUsersAndNoMore) {
  StreamLimits limits;
  limits.max_watched_users = 100'000;
  StreamWorld world(limits);
  Follower follower(world, WatchOf({}));
  follower.Told();
  const int most = static_cast<int>(limits::kMaxFollowedPerMessage);
  follower.call().Send(Change(Users(most)));
  EXPECT_THAT(follower.Told(), Contains("2"));
  follower.call().Send(Change(Users(most + 1)));
  EXPECT_THAT(follower.Told(), ElementsAre("refused 3 INVALID_FIELD", "3"));
  follower.call().Send(Change({}, Users(most)));
  EXPECT_THAT(follower.Told(), ElementsAre("4"));
}

TEST_F(WatchFollowTest, TheFirstMessageSaysWhatIsWatched) {
  {
    Follower follower(world_, WatchOfAll());
    ASSERT_TRUE(follower.call().finished());
    EXPECT_EQ(ReasonOf(follower.call().status()), "INVALID_FIELD");
  }
  {
    Follower follower(world_);
    follower.call().Send(Change({"u1"}));
    ASSERT_TRUE(follower.call().finished());
    EXPECT_EQ(ReasonOf(follower.call().status()), "INVALID_FIELD");
  }
  {
    Follower follower(world_);
    follower.call().HalfClose();
    ASSERT_TRUE(follower.call().finished());
    EXPECT_EQ(ReasonOf(follower.call().status()), "INVALID_FIELD");
  }
  Follower follower(world_);
  world_.Advance(milliseconds(59'900));
  EXPECT_FALSE(follower.call().finished());
  world_.Advance(milliseconds(100));
  ASSERT_TRUE(follower.call().finished());
  EXPECT_EQ(ReasonOf(follower.call().status()), "INVALID_FIELD");
}

TEST_F(WatchFollowTest, AClientThatHalfClosesKeepsTheSetItHas) {
  Follower follower(world_, WatchOf({"u1"}));
  follower.Told();
  follower.call().HalfClose();
  world_.Login("u1", "s");
  world_.Publish();
  EXPECT_THAT(follower.Told(), ElementsAre("u1 ACTIVE"));
}

TEST_F(WatchFollowTest, DrainEndsAFollowerAndOneThatHasSaidNothing) {
  auto quiet = std::make_shared<WatchStream>(world_.parts());
  FakeCall<v1::WatchPresenceResponse> call;
  call.Attach(quiet);
  quiet->Start(call);
  quiet->EndForDrain();
  ASSERT_TRUE(call.finished());
  EXPECT_EQ(ReasonOf(call.status()), "DRAINING");
  call.Done();
}

// A token is of the set as of the last acknowledgement.
TEST_F(WatchFollowTest, ATokenIsContinuedWithTheSetThatWasAcknowledged) {
  Follower follower(world_, WatchOf({"u1", "u2"}));
  follower.call().TakeWrites();
  follower.call().Send(Change({"u3"}, {"u1"}));
  follower.Told();
  const std::string token = follower.token();
  world_.Advance(milliseconds(100));
  for (const char* user : {"u1", "u3"}) world_.Login(user, "s");
  world_.Publish();
  Watcher same(world_, Resumed(WatchOf({"u2", "u3"}), token));
  EXPECT_FALSE(same.last().has_resync());
  EXPECT_THAT(StatesOf(same.last()), ElementsAre("u3 ACTIVE"));
  Watcher other(world_, Resumed(WatchOf({"u1", "u2"}), token));
  EXPECT_EQ(other.last().resync().reason(), v1::RESYNC_REASON_OTHER_SELECTOR);
}

// Sets that change at random while users do: at every quiescent moment the
// follower knows what the server does, of just those it follows.
TEST_F(WatchFollowTest, AtRandomItKnowsWhatItFollowsAndNobodyElse) {
  StreamLimits limits;
  limits.max_mailbox_bytes = 5'000;
  StreamWorld world(limits);
  std::mt19937_64 random(11);
  const auto name = [](std::size_t user) { return absl::StrCat("u", user); };
  std::vector<Attachment> attachments(60);
  auto follower = std::make_unique<Follower>(world, WatchOf({}));
  std::set<std::string> followed;
  std::map<std::string, std::string> known;
  const auto hear = [&] {
    for (const std::string& text : follower->Told()) {
      const auto space = text.find(' ');
      if (space == std::string::npos) continue;
      const std::size_t from = text[0] == '+' ? 1 : 0;
      known[text.substr(from, space - from)] = text.substr(space + 1);
    }
  };
  for (int step = 0; step < 3'000; ++step) {
    for (auto i = random() % 20; i > 0; --i) {
      const std::size_t user = random() % attachments.size();
      Attachment& attachment = attachments[user];
      if (attachment == kNoAttachment) {
        attachment = world.Login(name(user), "s").ref.attachment;
      } else {
        world.Leave(name(user), "s", attachment);
        attachment = kNoAttachment;
      }
    }
    if (random() % 2 == 0) world.Publish();
    if (random() % 3 == 0) world.Advance(milliseconds(100));
    if (follower->call().reading() && random() % 3 == 0) {
      std::vector<std::string> add;
      std::vector<std::string> remove;
      for (auto i = random() % 5; i > 0; --i) {
        const std::string user = name(random() % attachments.size());
        const bool is_new =
            std::find(add.begin(), add.end(), user) == add.end() &&
            std::find(remove.begin(), remove.end(), user) == remove.end();
        if (!is_new) continue;
        if (followed.erase(user) > 0) {
          remove.push_back(user);
        } else {
          followed.insert(user);
          add.push_back(user);
        }
      }
      ASSERT_TRUE(follower->call().Send(Change(add, remove)));
    } else if (follower->call().writing() && random() % 2 == 0) {
      follower->call().TakeWrite();
    }
    if (step % 10 != 0) continue;
    world.Publish();
    hear();
    // What was removed is as it was when it was.
    for (auto it = known.begin(); it != known.end();) {
      it = followed.count(it->first) > 0 ? std::next(it) : known.erase(it);
    }
    ASSERT_EQ(known.size(), followed.size());
    for (const auto& [user, state] : known) {
      const bool live = world.StateOf(user) != State::kOffline;
      ASSERT_EQ(state == "OFFLINE", !live) << user << " at " << step;
    }
  }
}

}  // namespace
}  // namespace lifesign::testing
