// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Draws worlds and what happens in them from a seed.
#ifndef LIFESIGN_TESTS_PROPERTY_GENERATOR_H_
#define LIFESIGN_TESTS_PROPERTY_GENERATOR_H_

#include <cstdint>
#include <random>
#include <vector>

#include "tests/property/step.h"
#include "tests/property/world.h"

namespace lifesign::property {

class Generator {
 public:
  explicit Generator(std::uint64_t seed);

  const WorldOptions& options() const { return options_; }
  const Now& start() const { return start_; }

  // The next step in `world`, which has done all the steps before. Its time is
  // drawn from what the world holds: now and then exactly at, or a microsecond
  // beside, the end of a window, a cap, a linger, a promise or a token.
  Step Next(const World& world);

 private:
  // How steps follow each other in this world.
  enum class Pace { kFlood, kLively, kSlow };

  // What goes on for several steps with one session.
  enum class Passage { kNone, kBurst, kFight };

  bool Chance(int percent);
  std::int64_t Between(std::int64_t least, std::int64_t most);
  Duration Gap();
  void MoveClock(const World& world);
  void MoveToTick();
  void MoveBy(Duration gap);
  void BeginPassage();
  // The next signal of a burst: more than ten a second.
  Step NextOfBurst();
  // The next open of a fight for one session; the last comes when the first
  // take-over is about a minute old.
  Step NextOfFight();
  Step::Kind PickKind();
  Signal PickSignal();
  SignalKind PickLiveKind();
  Duration PickIdleFor();
  AvailabilityDeclaration PickAvailability();
  void FillOpen(Step& step);

  std::mt19937_64 random_;
  WorldOptions options_;
  Now start_;
  Now now_;
  Pace pace_;
  std::vector<int> weights_;  // by Step::Kind
  int declares_ = 0;          // per cent of signals that declare something
  Passage passage_ = Passage::kNone;
  int left_of_passage_ = 0;
  int user_of_passage_ = 0;
  int session_of_passage_ = 0;
  Signal signal_of_burst_;
  PresenceTime fight_began_{};
  int opens_of_fight_ = 0;
};

}  // namespace lifesign::property

#endif  // LIFESIGN_TESTS_PROPERTY_GENERATOR_H_
