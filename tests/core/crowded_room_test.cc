// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 11: a stadium that fills and empties within 20 s under the
// eyes of many.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/testing/presence_story.h"

namespace lifesign {
namespace {

constexpr int kCrowd = 100'000;
constexpr int kWatchers = 1'000;
constexpr int kSteps = 100;  // of filling, and as many of emptying
constexpr int kAStep = kCrowd / kSteps;
constexpr double kStep = 0.1;  // seconds
const char kRoom[] = "stadium";

class CrowdedRoomTest : public PresenceStory {
 protected:
  CrowdedRoomTest() {
    PresenceEngine::Options options;
    options.encode_rooms.occupancy = [this](absl::string_view,
                                            const Occupancy& occupancy) {
      ++encoded_;
      return std::make_shared<const Occupancy>(occupancy);
    };
    Begin(std::move(options));
    for (int i = 0; i < kWatchers; ++i) {
      watches_.push_back(
          std::make_shared<Watch>(std::weak_ptr<WatchListener>()));
      engine().WatchOccupancy(watches_.back(), kRoom, now());
      // How many there are at first is encoded for each of them.
      EXPECT_NE(watches_.back()->Take(1).whole, nullptr);
    }
  }

  void Come(int i) {
    const std::vector<absl::string_view> rooms = {kRoom};
    const std::string user = absl::StrCat("u", i);
    OpenRequest request;
    request.name = {user, "s"};
    request.binding = {static_cast<std::uint64_t>(i + 1), 1};
    Signal active;
    active.kind = SignalKind::kActive;
    request.signal = active;
    request.rooms = &rooms;
    refs_.push_back(engine().Open(request, now()).ref);
  }
  void Go(int i) {
    Signal leave;
    leave.kind = SignalKind::kLeave;
    engine().Apply(refs_[static_cast<std::size_t>(i)], leave, now());
  }

  void LetPass(double seconds) {
    At(second() + seconds);
    TakeAll();
  }
  // Each watcher takes what waits: all the same.
  void TakeAll() {
    std::shared_ptr<const void> newest = watches_.front()->Take(1).whole;
    for (std::size_t i = 1; i < watches_.size(); ++i) {
      EXPECT_EQ(watches_[i]->Take(1).whole, newest);
    }
    if (newest == nullptr) return;
    told_.push_back(*std::static_pointer_cast<const Occupancy>(newest));
  }

  std::vector<std::shared_ptr<Watch>> watches_;
  std::vector<SessionRef> refs_;
  std::vector<Occupancy> told_;
  std::size_t encoded_ = 0;
  int steps_ = 0;
};

TEST_F(CrowdedRoomTest, AHundredThousandComeAndGoUnderTheEyesOfAThousand) {
  const auto step = [this](int number, const auto& move) {
    for (int i = number * kAStep; i < (number + 1) * kAStep; ++i) move(i);
    // Somebody else is told of in the same round.
    const std::string other = absl::StrCat("other", steps_++);
    Login(absl::StrCat(other, "/s"));
    EXPECT_EQ(EventsOf(other).size(), 1u);
    LetPass(kStep);
  };
  const auto come = [this](int i) { Come(i); };
  for (int i = 0; i < kSteps; ++i) step(i, come);
  LetPass(2 * kStep);
  EXPECT_EQ(told_.back().users, kCrowd);
  EXPECT_EQ(In(kRoom).users, kCrowd);
  const auto go = [this](int i) { Go(i); };
  for (int i = 0; i < kSteps; ++i) step(i, go);
  LetPass(2 * kStep);
  EXPECT_EQ(told_.back().users, 0);
  EXPECT_EQ(In(kRoom).users, 0);
  EXPECT_EQ(In(kRoom).lately[0].peak, kCrowd);
  // Ten times a second, and encoded once for all of them.
  EXPECT_LE(told_.size(), 2u * kSteps + 4);
  EXPECT_GE(told_.size(), 2u * kSteps - 4);
  EXPECT_EQ(encoded_, told_.size() + kWatchers);
}

}  // namespace
}  // namespace lifesign
