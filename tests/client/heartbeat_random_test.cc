// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Whatever happens, in whatever order: once the network and the server are well
// again, the server knows exactly what the holder wants it to know. On the way
// the world aborts at a second write, or a word on a stream that is not there.
//
// A failure names its seed; LIFESIGN_SEED=n runs that one alone.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <string>

#include "tests/client/heartbeat_world.h"

namespace lifesign::client::internal {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr int kSeeds = 2'000;
constexpr int kSteps = 150;
constexpr int kUsers = 6;

class RandomWalk {
 public:
  RandomWalk(uint64_t seed, bool beats)
      : world_(HeartbeatWorld::ForGateway(beats), seed), random_(seed) {}

  void Run() {
    for (int step = 0; step < kSteps; ++step) Step();
    Heal();
    Check();
  }

 private:
  int Below(int bound) {
    return std::uniform_int_distribution<int>(0, bound - 1)(random_);
  }

  void Step() {
    switch (Below(16)) {
      case 0:
      case 1:
      case 2:
        return Open();
      case 3:
      case 4:
        return Signal();
      case 5:
        return Leave();
      case 6:
        return Detach();
      case 7:
        world_.Do(
            [](auto& logic, RealTime now) { logic.OnNetworkChange(now); });
        return;
      case 8:
      case 9:
        world_.Advance(milliseconds(Below(20'000)));
        return Reap();
      case 10:
        world_.Sleep(seconds(Below(100)));
        return Reap();
      case 11:
        if (world_.streaming) world_.EndStream(grpc::StatusCode::UNAVAILABLE);
        return;
      case 12:
        world_.answers = Below(3) != 0;
        world_.takes_writes = Below(3) != 0;
        world_.connection_stands = Below(2) != 0;
        return world_.Settle();
      case 13:
        // The server forgets a session, or all of them.
        if (Below(3) == 0) world_.bound.clear();
        if (!world_.bound.empty()) world_.bound.erase(world_.bound.begin());
        return;
      case 14:
        if (Below(4) == 0 && world_.streaming) {
          world_.SendDrain(seconds(Below(30)));
        }
        return;
      default:
        return AnswerCalls(Below(2) == 0 ? grpc::StatusCode::OK
                                         : grpc::StatusCode::UNAVAILABLE);
    }
  }

  void Open() {
    SessionSpec spec;
    spec.user_id = "u" + std::to_string(Below(kUsers));
    spec.session_id = "tab";
    const auto opened = world_.Do(
        [&spec](auto& logic, RealTime now) { return logic.Open(spec, now); });
    if (opened.ok()) wanted_[*opened] = {spec.user_id, Lifecycle::kActive};
  }

  // A session of those that are wanted; 0: there is none.
  Handle Any() {
    if (wanted_.empty()) return 0;
    auto any = wanted_.begin();
    std::advance(any, Below(static_cast<int>(wanted_.size())));
    return any->first;
  }

  void Signal() {
    const Handle handle = Any();
    if (handle == 0) return;
    const auto lifecycle = static_cast<Lifecycle>(Below(3));
    wanted_[handle].second = lifecycle;
    world_.Do([=](auto& logic, RealTime now) {
      logic.Signal(handle, lifecycle, absl::nullopt, now);
    });
  }

  void Leave() {
    const Handle handle = Any();
    if (handle == 0) return;
    const Duration linger = seconds(Below(2) * Below(10));
    wanted_.erase(handle);
    world_.Do(
        [=](auto& logic, RealTime now) { logic.Leave(handle, linger, now); });
  }

  void Detach() {
    const Handle handle = Any();
    if (handle == 0) return;
    wanted_.erase(handle);
    world_.Do([=](auto& logic, RealTime now) { logic.Detach(handle, now); });
  }

  // As the library does when it has told an end.
  void Reap() {
    while (const Handle handle = world_.logic.PopNews()) {
      world_.logic.Forget(handle, world_.now);
    }
  }

  void AnswerCalls(grpc::StatusCode code) {
    while (answered_ < world_.called.size()) {
      world_.AnswerCall(answered_++, code);
    }
  }

  void Heal() {
    world_.answers = true;
    world_.takes_writes = true;
    world_.connection_stands = true;
    world_.Settle();
    for (int minute = 0; minute < 10; ++minute) {
      AnswerCalls(grpc::StatusCode::OK);
      world_.Advance(minutes(1));
      Reap();
    }
    // Without beats a session learns that it was forgotten from its next word.
    for (const auto& [handle, session] : wanted_) {
      world_.Do([&, handle = handle, lifecycle = session.second](auto& logic,
                                                                 RealTime now) {
        logic.Signal(handle, lifecycle, absl::nullopt, now);
      });
    }
    world_.Advance(minutes(10));
    Reap();
  }

  void Check() {
    ASSERT_EQ(world_.logic.held(), wanted_.size());
    if (!wanted_.empty()) {
      ASSERT_TRUE(world_.streaming);
      ASSERT_EQ(world_.logic.link(), Link::kConnected);
    }
    for (const auto& [handle, session] : wanted_) {
      ASSERT_EQ(world_.bound.count(handle), 1u) << session.first;
      ASSERT_EQ(world_.bound[handle], session.first + "/tab");
      ASSERT_EQ(world_.kinds[handle], KindOf(session.second));
      ASSERT_EQ(world_.Status(handle).end, SessionEnd::kNotEnded);
      ASSERT_TRUE(world_.Status(handle).last_error.ok());
    }
  }

  static v1::SignalKind KindOf(Lifecycle lifecycle) {
    switch (lifecycle) {
      case Lifecycle::kActive:
        return v1::SIGNAL_KIND_ACTIVE;
      case Lifecycle::kIdle:
        return v1::SIGNAL_KIND_IDLE;
      case Lifecycle::kBackground:
        return v1::SIGNAL_KIND_BACKGROUND;
    }
    return v1::SIGNAL_KIND_UNSPECIFIED;
  }

  HeartbeatWorld world_;
  std::mt19937_64 random_;
  // What the holder wants held: its user, and where its client stands.
  std::map<Handle, std::pair<std::string, Lifecycle>> wanted_;
  size_t answered_ = 0;
};

class HeartbeatRandomTest : public testing::TestWithParam<bool> {};

TEST_P(HeartbeatRandomTest, WhenAllIsWellAgainTheServerKnowsWhatIsWanted) {
  const char* const only = std::getenv("LIFESIGN_SEED");
  const uint64_t first = only == nullptr ? 1 : std::strtoull(only, nullptr, 10);
  const uint64_t last = only == nullptr ? kSeeds : first;
  for (uint64_t seed = first; seed <= last; ++seed) {
    SCOPED_TRACE("LIFESIGN_SEED=" + std::to_string(seed));
    RandomWalk(seed, /*beats=*/GetParam()).Run();
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Beats, HeartbeatRandomTest, testing::Bool(),
                         [](const auto& beats) {
                           return beats.param ? "ByStream" : "ByCaller";
                         });

}  // namespace
}  // namespace lifesign::client::internal
