// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The clients and the real server over real gRPC. The server's time is moved by
// hand; the clients' runs by itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "lifesign/client/channel.h"
#include "lifesign/client/gateway_stream.h"
#include "lifesign/client/session.h"
#include "lifesign/client/watcher.h"
#include "server/base/limits.h"
#include "tests/integration/testing/test_server.h"

namespace lifesign::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kPatience = seconds(30);

bool Connected(const SessionStatus& status) {
  return status.link == Link::kConnected && !status.unconfirmed;
}

class RealServerTest : public ::testing::Test {
 protected:
  std::shared_ptr<grpc::Channel> Channel() {
    return MakeChannel(absl::StrCat("127.0.0.1:", server_.port()));
  }
  std::unique_ptr<Session> Open(const std::string& user,
                                const std::string& session) {
    auto opened =
        Session::Open(Channel(), {.user_id = user, .session_id = session});
    EXPECT_TRUE(opened.ok());
    EXPECT_TRUE((*opened)->Await(Connected, kPatience));
    return *std::move(opened);
  }
  // A watcher whose view is complete, and told.
  std::unique_ptr<Watcher> Watch(std::vector<std::string> users) {
    auto watcher = *Watcher::Start(Channel(), {.user_ids = std::move(users)});
    while (const auto event = watcher->Next(kPatience)) {
      if (event->kind == WatchEvent::Kind::kSynced) break;
    }
    return watcher;
  }
  // The next change, as "user BEFORE->AFTER CAUSE"; without BEFORE for the
  // first word.
  static std::string NextChange(Watcher& watcher) {
    while (const auto event = watcher.Next(kPatience)) {
      if (event->kind != WatchEvent::Kind::kChange) continue;
      const auto& [before, after] = event->change;
      return absl::StrCat(
          after.user_id(), " ",
          before.has_value()
              ? v1::PresenceState_Name(before->state()).substr(15)
              : "",
          "->", v1::PresenceState_Name(after.state()).substr(15), " ",
          v1::Cause_Name(after.cause()).substr(6));
    }
    return "nothing";
  }

  SimulatedClock clock_;
  lifesign::testing::TestServer server_{clock_, {}};
};

TEST_F(RealServerTest, WhatASessionSaysIsWhatAWatcherIsTold) {
  const auto watcher = Watch({"ann"});
  EXPECT_EQ(watcher->Find("ann")->state(), v1::PRESENCE_STATE_OFFLINE);
  const auto session = Open("ann", "laptop");
  EXPECT_EQ(NextChange(*watcher), "ann OFFLINE->ACTIVE SIGNAL");
  EXPECT_EQ(session->status().state, v1::PRESENCE_STATE_ACTIVE);
  EXPECT_EQ(session->status().next_interval, seconds(10));
  EXPECT_EQ(session->status().report_after, seconds(5));
  EXPECT_FALSE(session->status().resumed);

  session->SetLifecycle(Lifecycle::kBackground);
  ASSERT_TRUE(session->Await(
      [](auto& status) { return status.next_interval == seconds(60); },
      kPatience));
  server_.Advance(milliseconds(2'100));
  EXPECT_EQ(NextChange(*watcher), "ann ACTIVE->AWAY DECAY");
  session->Interacted();
  EXPECT_EQ(NextChange(*watcher), "ann AWAY->ACTIVE SIGNAL");
  session->Leave();
  EXPECT_EQ(NextChange(*watcher), "ann ACTIVE->OFFLINE LEAVE");
  EXPECT_TRUE(session->Await(
      [](auto& status) { return status.end == SessionEnd::kLeft; }, kPatience));
}

// docs/concepts.md § 11.
TEST_F(RealServerTest, ASessionIsPutIntoItsRoomsAgainWhereverTheServerIs) {
  auto opened =
      Session::Open(Channel(), {.user_id = "ann",
                                .session_id = "laptop",
                                .rooms = std::set<std::string>{"lobby"}});
  ASSERT_TRUE(opened.ok());
  ASSERT_TRUE((*opened)->Await(Connected, kPatience));
  const auto members = *Watcher::Start(Channel(), {.room_id = "stage"});
  const auto many =
      *Watcher::Start(Channel(), {.room_id = "stage", .occupancy = true});
  // What the client says may come after the time was moved, and be told by a
  // later tick. What was told on the way there may come as well.
  const auto become = [&](int users) {
    for (int i = 0; i < 200; ++i) {
      const auto event = many->Next(milliseconds(50));
      if (!event.has_value()) {
        server_.Advance(milliseconds(100));
      } else if (event->kind == WatchEvent::Kind::kOccupancy &&
                 event->occupancy.users() == users) {
        return true;
      }
    }
    return false;
  };
  EXPECT_TRUE(become(0));
  ASSERT_TRUE((*opened)->JoinRoom("stage").ok());
  ASSERT_TRUE((*opened)->LeaveRoom("lobby").ok());
  server_.Advance(milliseconds(200));
  EXPECT_TRUE(become(1));
  while (const auto event = members->Next(kPatience)) {
    if (event->kind != WatchEvent::Kind::kChange) continue;
    EXPECT_EQ(event->change.after.user_id(), "ann");
    break;
  }
  // It ends without the client's knowing, and is opened anew by its next word.
  server_.Advance(seconds(241));
  EXPECT_TRUE(become(0));
  (*opened)->SetLifecycle(Lifecycle::kBackground);
  server_.Advance(milliseconds(200));
  EXPECT_TRUE(become(1));
  (*opened)->Leave();
  server_.Advance(milliseconds(200));
  EXPECT_TRUE(become(0));
}

TEST_F(RealServerTest, AGuestWhoLogsInIsReplacedInTheirRoom) {
  auto guest = Session::Open(Channel(), {.user_id = "guest-7",
                                         .session_id = "tab",
                                         .rooms = std::set<std::string>{"shop"},
                                         .instance = 42});
  ASSERT_TRUE((*guest)->Await(Connected, kPatience));
  const auto members = *Watcher::Start(Channel(), {.room_id = "shop"});
  while (const auto event = members->Next(kPatience)) {
    if (event->kind == WatchEvent::Kind::kSynced) break;
  }
  guest->reset();
  const auto user = *Session::Open(
      Channel(),
      {.user_id = "ann", .session_id = "tab", .guest_user_id = "guest-7"});
  ASSERT_TRUE(user->Await(Connected, kPatience));
  EXPECT_TRUE(user->status().resumed);
  const auto next = [&] {
    while (const auto event = members->Next(kPatience)) {
      if (event->kind == WatchEvent::Kind::kChange) return event->change.after;
    }
    return v1::PresenceRecord();
  };
  EXPECT_EQ(next().user_id(), "ann");
  const v1::PresenceRecord gone = next();
  EXPECT_EQ(gone.user_id(), "guest-7");
  EXPECT_EQ(gone.merged_into(), "ann");
}

// C39, of the library.
TEST_F(RealServerTest, WatcherAddsAndRemovesUsers) {
  const auto bob = Open("bob", "phone");
  const auto watcher = Watch({"ann"});
  ASSERT_TRUE(watcher->Add({"bob"}).ok());
  EXPECT_EQ(NextChange(*watcher), "bob ->ACTIVE SIGNAL");
  ASSERT_TRUE(watcher->Add({"cid", "ann"}).ok());
  EXPECT_EQ(NextChange(*watcher), "cid ->OFFLINE UNSPECIFIED");
  bob->SetLifecycle(Lifecycle::kBackground);
  ASSERT_TRUE(bob->Await(
      [](auto& status) { return status.next_interval == seconds(60); },
      kPatience));
  server_.Advance(milliseconds(2'100));
  EXPECT_EQ(NextChange(*watcher), "bob ACTIVE->AWAY DECAY");

  ASSERT_TRUE(watcher->Remove({"bob", "nobody"}).ok());
  EXPECT_FALSE(watcher->Find("bob").has_value());
  bob->Leave();
  ASSERT_TRUE(bob->Await(
      [](auto& status) { return status.end == SessionEnd::kLeft; }, kPatience));
  const auto ann = Open("ann", "laptop");
  EXPECT_EQ(NextChange(*watcher), "ann OFFLINE->ACTIVE SIGNAL");
  EXPECT_EQ(watcher->View().size(), 2u);
  EXPECT_EQ(watcher->status().streams, 2u);

  EXPECT_EQ(watcher->Add({"dee", ""}).code(),
            absl::StatusCode::kInvalidArgument);
  const auto everyone = *Watcher::Start(Channel(), {.all_users = true});
  EXPECT_EQ(everyone->Add({"dee"}).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(RealServerTest, WatcherIsToldWhomTheServerRefusesToAdd) {
  const auto watcher = Watch({});
  std::vector<std::string> most;
  for (int i = 0; i < 10'000; ++i) most.push_back(absl::StrCat("u", i));
  ASSERT_TRUE(watcher->Add(most).ok());
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_NE(NextChange(*watcher), "nothing");
  }
  ASSERT_TRUE(watcher->Add({"one", "more"}).ok());
  auto event = watcher->Next(kPatience);
  while (event.has_value() && event->kind != WatchEvent::Kind::kRefused) {
    event = watcher->Next(kPatience);
  }
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->error.reason, v1::ERROR_REASON_TOO_MANY_WATCHED_USERS);
  EXPECT_THAT(event->user_ids, ::testing::ElementsAre("more", "one"));
  ASSERT_TRUE(watcher->Remove({"u7"}).ok());
  ASSERT_TRUE(watcher->Add({"one"}).ok());
  EXPECT_EQ(NextChange(*watcher), "one ->OFFLINE UNSPECIFIED");
}

// docs/concepts.md § 5: by another instance it is a take-over.
TEST_F(RealServerTest, SecondInstanceTakesOverAndTheFirstStaysAway) {
  const auto first = Open("ann", "tab");
  const auto second = Open("ann", "tab");
  ASSERT_TRUE(first->Await(
      [](auto& status) { return status.link == Link::kEnded; }, kPatience));
  EXPECT_EQ(first->status().end, SessionEnd::kTakenOver);
  EXPECT_EQ(first->status().last_error.reason,
            v1::ERROR_REASON_SESSION_TAKEN_OVER);
  EXPECT_TRUE(second->status().resumed);
  EXPECT_EQ(second->status().link, Link::kConnected);
}

TEST_F(RealServerTest, SessionThatExpiredIsOpenedAnewByItsNextWord) {
  const auto watcher = Watch({"ann"});
  const auto session = Open("ann", "laptop");
  EXPECT_EQ(NextChange(*watcher), "ann OFFLINE->ACTIVE SIGNAL");
  const uint64_t attachment = session->status().attachment;
  // Promised a minute, it says nothing of itself while the server's time runs.
  session->SetLifecycle(Lifecycle::kBackground);
  ASSERT_TRUE(session->Await(
      [](auto& status) { return status.next_interval == seconds(60); },
      kPatience));
  server_.Advance(seconds(241));
  std::string change;
  while (change.find("->OFFLINE EXPIRY") == std::string::npos) {
    change = NextChange(*watcher);
    ASSERT_NE(change, "nothing");
  }
  session->Interacted();
  EXPECT_EQ(NextChange(*watcher), "ann OFFLINE->ACTIVE SIGNAL");
  EXPECT_TRUE(session->Await(
      [attachment](auto& status) {
        return status.attachment != attachment && Connected(status);
      },
      kPatience));
  EXPECT_FALSE(session->status().resumed);
}

TEST_F(RealServerTest, DrainingServerSaysWhenToComeBack) {
  const auto watcher = Watch({"ann"});
  const auto session = Open("ann", "laptop");
  EXPECT_EQ(NextChange(*watcher), "ann OFFLINE->ACTIVE SIGNAL");
  server_.runtime().drain().Begin(seconds(30));
  server_.Advance(milliseconds(200));
  ASSERT_TRUE(session->Await(
      [](auto& status) { return status.link == Link::kWaiting; }, kPatience));
  EXPECT_TRUE(session->status().reconnect_in.has_value());
  EXPECT_EQ(session->status().end, SessionEnd::kNotEnded);
  server_.Advance(seconds(11));
  const auto drained = [&watcher] {
    const WatchStatus status = watcher->status();
    return status.last_error.reason == v1::ERROR_REASON_DRAINING;
  };
  while (!drained()) {
    ASSERT_FALSE(watcher->Next(milliseconds(10)).has_value());
  }
  EXPECT_EQ(watcher->Find("ann")->state(), v1::PRESENCE_STATE_ACTIVE);
  EXPECT_TRUE(watcher->status().last_error.retry_delay.has_value());
}

TEST_F(RealServerTest, GatewayHoldsTwentyThousandSessionsOnOneStream) {
  const auto gateway = GatewayStream::Make(Channel());
  std::vector<Handle> handles;
  for (int i = 0; i < limits::kMaxSessionsPerStream; ++i) {
    const auto handle = gateway->Open(
        {.user_id = absl::StrCat("user", i), .session_id = "tab"});
    ASSERT_TRUE(handle.ok());
    handles.push_back(*handle);
  }
  ASSERT_TRUE(gateway->AwaitSettled(kPatience));
  EXPECT_EQ(gateway->status(handles.back())->state, v1::PRESENCE_STATE_ACTIVE);
  const auto watcher = Watch({"user0", "user19999"});
  for (const Handle handle : handles) {
    gateway->Signal(handle, Lifecycle::kIdle);
  }
  ASSERT_TRUE(gateway->AwaitSettled(kPatience));
  server_.Advance(milliseconds(2'100));
  EXPECT_THAT(
      (std::vector<std::string>{NextChange(*watcher), NextChange(*watcher)}),
      ::testing::UnorderedElementsAre("user0 ACTIVE->IDLE DECAY",
                                      "user19999 ACTIVE->IDLE DECAY"));
  for (const Handle handle : handles) gateway->Leave(handle);
  ASSERT_TRUE(gateway->AwaitSettled(kPatience));
  EXPECT_EQ(gateway->size(), 0u);
  EXPECT_EQ(gateway->counters().errors_received, 0u);
  EXPECT_EQ(gateway->counters().streams, 1u);
}

// C21 (gamejolt/issue-tracker#459), through a gateway.
TEST_F(RealServerTest, C21RefreshedPageIsSilentThroughAGateway) {
  const auto watcher = Watch({"ann"});
  const auto gateway = GatewayStream::Make(Channel());
  const SessionSpec page = {.user_id = "ann", .session_id = "tab"};
  Handle handle = *gateway->Open(page);
  ASSERT_TRUE(gateway->AwaitSettled(kPatience));
  EXPECT_EQ(NextChange(*watcher), "ann OFFLINE->ACTIVE SIGNAL");
  for (int refresh = 0; refresh < 10; ++refresh) {
    gateway->Leave(handle, seconds(5));
    ASSERT_TRUE(gateway->AwaitSettled(kPatience));
    server_.Advance(milliseconds(800));
    handle = *gateway->Open(page);
    ASSERT_TRUE(gateway->AwaitSettled(kPatience));
    EXPECT_TRUE(gateway->status(handle)->resumed);
    server_.Advance(seconds(5));
  }
  gateway->Leave(handle);
  EXPECT_EQ(NextChange(*watcher), "ann ACTIVE->OFFLINE LEAVE")
      << "and nothing between";
  EXPECT_EQ(gateway->counters().errors_received, 0u);
}

TEST_F(RealServerTest, UnknownTenantEndsSessionAndWatch) {
  SessionOptions options;
  options.tenant = "acme";
  const auto session =
      *Session::Open(Channel(), {.user_id = "ann", .session_id = "laptop"},
                     std::move(options));
  ASSERT_TRUE(session->Await(
      [](auto& status) { return status.link == Link::kEnded; }, kPatience));
  EXPECT_EQ(session->status().last_error.reason,
            v1::ERROR_REASON_TENANT_DENIED);
  const auto watcher =
      *Watcher::Start(Channel(), {.tenant = "acme", .user_ids = {"ann"}});
  const auto event = watcher->Next(kPatience);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->kind, WatchEvent::Kind::kEnded);
  EXPECT_EQ(event->error.reason, v1::ERROR_REASON_TENANT_DENIED);
}

TEST_F(RealServerTest, BadIdIsAnsweredForItsSessionAlone) {
  const auto gateway = GatewayStream::Make(Channel());
  const Handle good = *gateway->Open({.user_id = "ann", .session_id = "tab"});
  const Handle bad =
      *gateway->Open({.user_id = "a\u0007nn", .session_id = "tab"});
  ASSERT_TRUE(gateway->AwaitSettled(kPatience));
  EXPECT_EQ(gateway->status(good)->state, v1::PRESENCE_STATE_ACTIVE);
  EXPECT_EQ(gateway->size(), 1u) << "handle " << bad << " has ended";
}

}  // namespace
}  // namespace lifesign::client
