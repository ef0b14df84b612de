// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The client's watch against the server's, without a network between them.
#ifndef LIFESIGN_TESTS_CLIENT_WATCH_CLIENT_H_
#define LIFESIGN_TESTS_CLIENT_WATCH_CLIENT_H_

#include <grpcpp/support/status.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "lifesign/client/internal/watch_logic.h"
#include "tests/transport/streams/stream_watcher.h"
#include "tests/transport/streams/stream_world.h"

namespace lifesign::client::internal {

using lifesign::testing::StreamWorld;
using ServerWatcher = lifesign::testing::Watcher;

inline constexpr int kUsers = 120;
inline constexpr int kSteps = 6'000;

inline std::string Name(int user) { return absl::StrCat("user-", user); }

inline std::string Text(const v1::PresenceRecord& record) {
  std::string text = v1::PresenceState_Name(record.state());
  for (const auto& device : record.devices()) {
    absl::StrAppend(&text, " ", device.device_class(), ":", device.state());
  }
  return text;
}

inline bool IsOfInterest(const v1::PresenceRecord& record,
                         const WatchOptions& options) {
  if (record.state() == v1::PRESENCE_STATE_OFFLINE) return false;
  return options.states.empty() ||
         std::find(options.states.begin(), options.states.end(),
                   record.state()) != options.states.end();
}

// A WatchLogic whose streams end at a server's, and what it was told.
class Client : private WatchPort {
 public:
  Client(StreamWorld& world, const WatchOptions& options)
      : world_(world),
        options_(options),
        watched_(options.user_ids.begin(), options.user_ids.end()),
        logic_(options, *this, random_) {
    logic_.Start(now());
  }

  void Add(const std::string& user) {
    watched_.insert(user);
    logic_.Add({user});
  }
  // From now on nothing is reported of them.
  void Remove(const std::string& user) {
    watched_.erase(user);
    told_.erase(user);
    logic_.Remove({user});
  }
  const std::set<std::string>& watched() const { return watched_; }

  // Takes what is in flight, if anything is; then the next is written.
  bool TakeOne() {
    if (stream_ == nullptr || !stream_->call().writing()) return false;
    const v1::WatchPresenceResponse message = stream_->last();
    stream_->call().Clear();
    Check(message);
    logic_.OnResponse(message, now());
    Hear();
    stream_->call().TakeWrite();
    Say();
    return true;
  }
  void TakeAll() {
    while (TakeOne()) {
    }
  }

  // The connection is lost, and what is in flight with it.
  void Break(grpc::StatusCode code = grpc::StatusCode::UNAVAILABLE) {
    if (stream_ == nullptr) return;
    stream_.reset();
    to_say_.reset();
    held_.clear();
    cancelled_ = false;
    Error error;
    error.code = code;
    logic_.OnStreamEnded(error, now());
    Hear();
  }

  // Timers; then the stream of a logic that broke it is over.
  void OnTime() {
    if (now() >= logic_.NextDeadline()) logic_.OnTimer(now());
    if (cancelled_) Break(grpc::StatusCode::CANCELLED);
    Hear();
  }
  // Does not wait any longer for its next attempt.
  void Hurry() {
    if (stream_ == nullptr) logic_.OnNetworkChange(now());
  }
  // Until it is synced.
  void Reconnect() {
    while (!logic_.StatusAt(now()).synced) {
      OnTime();
      Hurry();
      TakeAll();
    }
  }

  bool connected() const { return stream_ != nullptr; }
  const WatchLogic& logic() const { return logic_; }
  std::uint64_t resyncs() const { return logic_.StatusAt(now()).resyncs; }

  // What it was told last of each user, as text; who is not of interest is
  // nobody.
  std::map<std::string, std::string> Told() const {
    return InText([this](const auto& add) {
      for (const auto& [user, record] : told_) add(record);
    });
  }
  std::map<std::string, std::string> View() const {
    return InText([this](const auto& add) { logic_.view().ForEach(add); });
  }

 private:
  RealTime now() const { return world_.now().real; }

  void BeginStream(const v1::WatchPresenceRequest& request) override {
    stream_ = std::make_unique<ServerWatcher>(world_, request);
    follows_ = false;
  }
  void BeginFollowing(const v1::WatchPresenceRequest& request) override {
    stream_ = std::make_unique<ServerWatcher>(world_);
    follows_ = true;
    ASSERT_TRUE(stream_->call().Send(lifesign::testing::First(request)));
  }
  void Write(const v1::FollowPresenceRequest& message) override {
    ASSERT_TRUE(follows_ && stream_ != nullptr && !to_say_.has_value());
    to_say_ = message;
    Say();
  }
  // The server reads when it has dealt with what it read before.
  void Say() {
    if (to_say_.has_value() && stream_->call().Send(*to_say_)) to_say_.reset();
  }
  void CancelStream() override { cancelled_ = true; }

  // Within a stream: what is told of a user is newer than what was told before,
  // and of a user there is one change in a message.
  void Check(const v1::WatchPresenceResponse& message) {
    // There, who was removed and added again may be told anew.
    if (follows_) return;
    std::map<std::string, int> changes;
    if (message.has_resync()) held_.clear();
    for (const auto* part : {&message.snapshot(), &message.changes()}) {
      for (const auto& record : *part) {
        std::uint64_t& held = held_[record.user_id()];
        ASSERT_GT(record.revision(), held) << record.user_id();
        held = record.revision();
      }
    }
    for (const auto& record : message.changes()) {
      ASSERT_EQ(++changes[record.user_id()], 1) << record.user_id();
    }
  }

  // No two reports of a user in a row are equal, each begins where the last one
  // ended, and revisions rise.
  void Hear() {
    while (const auto event = logic_.NextEvent()) {
      ASSERT_NE(event->kind, WatchEvent::Kind::kEnded);
      if (event->kind != WatchEvent::Kind::kChange) continue;
      const v1::PresenceRecord& after = event->change.after;
      ASSERT_TRUE(options_.all_users || watched_.count(after.user_id()) > 0)
          << after.user_id();
      const auto before = told_.find(after.user_id());
      if (before != told_.end()) {
        ASSERT_NE(Text(before->second), Text(after)) << after.user_id();
        // Of one whom a snapshot does not mention there is none.
        if (after.revision() != 0) {
          ASSERT_GT(after.revision(), before->second.revision())
              << after.user_id();
        }
      }
      if (event->change.before.has_value()) {
        ASSERT_NE(before, told_.end());
        ASSERT_EQ(Text(*event->change.before), Text(before->second));
      }
      told_[after.user_id()] = after;
    }
  }

  template <typename Visit>
  std::map<std::string, std::string> InText(const Visit& visit) const {
    std::map<std::string, std::string> texts;
    visit([&](const v1::PresenceRecord& record) {
      if (IsOfInterest(record, options_)) {
        texts[record.user_id()] = Text(record);
      }
    });
    return texts;
  }

  StreamWorld& world_;
  const WatchOptions options_;
  std::mt19937_64 random_{3};
  std::unique_ptr<ServerWatcher> stream_;
  bool cancelled_ = false;
  bool follows_ = false;
  absl::optional<v1::FollowPresenceRequest> to_say_;
  std::set<std::string> watched_;
  std::map<std::string, v1::PresenceRecord> told_;
  std::map<std::string, std::uint64_t> held_;
  WatchLogic logic_;
};

// Sessions that do whatever sessions do.
class Sessions {
 public:
  Sessions(StreamWorld& world, std::mt19937_64& random)
      : world_(world), random_(random) {}

  void Step() {
    const std::string user = Name(static_cast<int>(random_() % kUsers));
    const std::string session = absl::StrCat("s", random_() % 2);
    Attachment& attachment = attachments_[{user, session}];
    switch (random_() % 8) {
      case 0:
      case 1:
        attachment =
            world_
                .Login(user, session,
                       static_cast<DeviceClass>(random_() % kDeviceClasses))
                .ref.attachment;
        return;
      case 2:
        world_.Leave(user, session, attachment);
        return;
      default:
        Signal signal;
        signal.kind = static_cast<SignalKind>(random_() % 3);
        world_.engine().ApplyUnary({user, session}, attachment, signal,
                                   world_.now());
        return;
    }
  }

 private:
  StreamWorld& world_;
  std::mt19937_64& random_;
  std::map<std::pair<std::string, std::string>, Attachment> attachments_;
};

}  // namespace lifesign::client::internal

#endif  // LIFESIGN_TESTS_CLIENT_WATCH_CLIENT_H_
