// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A WatchLogic in a world that stands still between steps: the test is its
// server, its network and its clock.
#ifndef LIFESIGN_TESTS_CLIENT_WATCH_FIXTURE_H_
#define LIFESIGN_TESTS_CLIENT_WATCH_FIXTURE_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "lifesign/client/internal/watch_logic.h"
#include "tests/client/heartbeat_world.h"

namespace lifesign::client::internal {

inline constexpr auto kActive = v1::PRESENCE_STATE_ACTIVE;
inline constexpr auto kIdle = v1::PRESENCE_STATE_IDLE;
inline constexpr auto kAway = v1::PRESENCE_STATE_AWAY;
inline constexpr auto kOffline = v1::PRESENCE_STATE_OFFLINE;

inline std::string Name(v1::PresenceState state) {
  return v1::PresenceState_Name(state).substr(sizeof("PRESENCE_STATE_") - 1);
}

// One message of the server, put together word by word.
class Message {
 public:
  Message& Created(uint64_t epoch) {
    response_.mutable_created()->set_epoch(epoch);
    return *this;
  }
  Message& Resync() {
    response_.mutable_resync()->set_reason(v1::RESYNC_REASON_OTHER_EPOCH);
    return *this;
  }
  Message& Snapshot(const std::string& user, v1::PresenceState state,
                    uint64_t revision) {
    Fill(*response_.add_snapshot(), user, state, revision);
    return *this;
  }
  Message& Change(const std::string& user, v1::PresenceState state,
                  uint64_t revision) {
    Fill(*response_.add_changes(), user, state, revision);
    return *this;
  }
  Message& Synced(const std::string& token, int64_t read_time = 1'000) {
    response_.mutable_synced()->mutable_read_time()->set_seconds(read_time);
    return Token(token);
  }
  Message& Progress(const std::string& token) {
    response_.mutable_progress();
    return Token(token);
  }
  Message& Occupancy(int users) {
    response_.mutable_occupancy()->set_users(users);
    return *this;
  }
  Message& Acked(uint64_t count) {
    response_.set_acked(count);
    return *this;
  }
  Message& Refused(uint64_t message, v1::ErrorReason reason) {
    v1::FollowRefusal& refusal = *response_.add_refused();
    refusal.set_message(message);
    *refusal.mutable_status() =
        MakeStatus(grpc::StatusCode::RESOURCE_EXHAUSTED, reason);
    return *this;
  }
  Message& Token(const std::string& token) {
    response_.set_resume_token(token);
    return *this;
  }
  const v1::WatchPresenceResponse& response() const { return response_; }

 private:
  static void Fill(v1::PresenceRecord& record, const std::string& user,
                   v1::PresenceState state, uint64_t revision) {
    record.set_user_id(user);
    record.set_state(state);
    record.set_revision(revision);
  }
  v1::WatchPresenceResponse response_;
};

class WatchLogicTest : public testing::Test, protected WatchPort {
 protected:
  explicit WatchLogicTest(const WatchOptions& options = Options())
      : logic_(options, *this, random_) {
    logic_.Start(now_);
  }

  static WatchOptions Options() {
    WatchOptions options;
    options.user_ids = {"u1", "u2"};
    return options;
  }

  void BeginStream(const v1::WatchPresenceRequest& request) override {
    ASSERT_FALSE(streaming_);
    streaming_ = true;
    cancelled_ = false;
    requests_.push_back(request);
    begun_.push_back(now_);
    follows_ = false;
  }
  void BeginFollowing(const v1::WatchPresenceRequest& request) override {
    BeginStream(request);
    follows_ = true;
  }
  void Write(const v1::FollowPresenceRequest& message) override {
    ASSERT_TRUE(follows_ && streaming_);
    said_.push_back(message);
  }
  void CancelStream() override { cancelled_ = true; }

  void Hear(const Message& message) {
    logic_.OnResponse(message.response(), now_);
  }
  void EndStream(grpc::StatusCode code,
                 v1::ErrorReason reason = v1::ERROR_REASON_UNSPECIFIED,
                 absl::optional<Duration> retry_delay = absl::nullopt) {
    EndStream(ErrorFrom(MakeStatus(code, reason, retry_delay)));
  }
  void EndStream(const Error& error) {
    streaming_ = false;
    logic_.OnStreamEnded(error, now_);
  }
  void Advance(Duration by) {
    const RealTime end = now_ + by;
    while (logic_.NextDeadline() <= end) {
      now_ = std::max(now_, logic_.NextDeadline());
      logic_.OnTimer(now_);
      if (streaming_ && cancelled_) {
        Error error;
        error.code = grpc::StatusCode::CANCELLED;
        EndStream(error);
      }
    }
    now_ = end;
  }
  // All that is to be told, as text: "u1 IDLE->ACTIVE", "SYNCED".
  std::vector<std::string> Told() {
    std::vector<std::string> told;
    while (const auto event = logic_.NextEvent()) {
      switch (event->kind) {
        case WatchEvent::Kind::kChange:
          told.push_back(event->change.after.user_id() + " " +
                         (event->change.before.has_value()
                              ? Name(event->change.before->state())
                              : "") +
                         "->" + Name(event->change.after.state()));
          break;
        case WatchEvent::Kind::kSynced:
          told.push_back("SYNCED");
          break;
        case WatchEvent::Kind::kStale:
          told.push_back("STALE");
          break;
        case WatchEvent::Kind::kFresh:
          told.push_back("FRESH");
          break;
        case WatchEvent::Kind::kRefused:
          told.push_back(
              absl::StrCat("REFUSED ", absl::StrJoin(event->user_ids, ","), " ",
                           v1::ErrorReason_Name(event->error.reason)));
          break;
        case WatchEvent::Kind::kEnded:
          told.push_back("ENDED");
          break;
        case WatchEvent::Kind::kOccupancy:
          told.push_back(absl::StrCat(event->occupancy.users(), " USERS"));
          break;
      }
    }
    return told;
  }
  v1::PresenceState StateOf(const std::string& user) {
    return logic_.view().Find(user)->state();
  }
  // u1 ACTIVE at revision 10, u2 OFFLINE at revision 5, token "t1".
  void Sync() {
    Hear(Message().Created(1));
    Hear(Message().Snapshot("u1", kActive, 10).Snapshot("u2", kOffline, 5));
    Hear(Message().Synced("t1"));
    Told();
  }

  RealTime now_ = HeartbeatWorld::kStart;
  bool streaming_ = false;
  bool cancelled_ = false;
  // Of the stream.
  bool follows_ = false;
  std::vector<v1::WatchPresenceRequest> requests_;
  std::vector<RealTime> begun_;
  // On streams that follow, after the first message.
  std::vector<v1::FollowPresenceRequest> said_;
  std::mt19937_64 random_{1};
  WatchLogic logic_;
};

}  // namespace lifesign::client::internal

#endif  // LIFESIGN_TESTS_CLIENT_WATCH_FIXTURE_H_
