// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 9: a watcher that is cut off at random instants, hundreds
// of times, knows what one knows that never was. The client's logic against the
// server's, without a network; seeded, so that it replays.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <ostream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "lifesign/client/internal/watch_logic.h"
#include "server/transport/codec/encode.h"
#include "tests/transport/streams/stream_watcher.h"
#include "tests/transport/streams/stream_world.h"

namespace lifesign::client::internal {
namespace {

using lifesign::testing::StreamWorld;
using ServerWatcher = lifesign::testing::Watcher;

constexpr int kUsers = 120;
constexpr int kSteps = 6'000;

std::string Name(int user) { return absl::StrCat("user-", user); }

std::string Text(const v1::PresenceRecord& record) {
  std::string text = v1::PresenceState_Name(record.state());
  for (const auto& device : record.devices()) {
    absl::StrAppend(&text, " ", device.device_class(), ":", device.state());
  }
  return text;
}

bool IsOfInterest(const v1::PresenceRecord& record,
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
      : world_(world), options_(options), logic_(options, *this, random_) {
    logic_.Start(now());
  }

  // Takes what is in flight, if anything is; then the next is written.
  bool TakeOne() {
    if (stream_ == nullptr || !stream_->call().writing()) return false;
    const v1::WatchPresenceResponse message = stream_->last();
    stream_->call().Clear();
    Check(message);
    logic_.OnResponse(message, now());
    Hear();
    stream_->call().TakeWrite();
    return true;
  }
  void TakeAll() {
    while (TakeOne()) {
    }
  }

  // The connection is lost, and what is in flight with it.
  void Break() {
    if (stream_ == nullptr) return;
    stream_.reset();
    held_.clear();
    Error error;
    error.code = grpc::StatusCode::UNAVAILABLE;
    logic_.OnStreamEnded(error, now());
    Hear();
  }

  // Timers; then the stream of a logic that broke it is over.
  void OnTime() {
    if (now() >= logic_.NextDeadline()) logic_.OnTimer(now());
    if (cancelled_) Break();
    cancelled_ = false;
    Hear();
  }
  // Does not wait any longer for its next attempt.
  void Hurry() {
    if (stream_ == nullptr) logic_.OnNetworkChange(now());
  }
  // Until it is synced.
  void Reconnect() {
    while (!logic_.StatusAt(now()).synced) {
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
  }
  void CancelStream() override { cancelled_ = true; }

  // Within a stream: what is told of a user is newer than what was told before,
  // and of a user there is one change in a message.
  void Check(const v1::WatchPresenceResponse& message) {
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
