// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Draws worlds and what happens in them from a seed.
#ifndef LIFESIGN_TESTS_SIM_GENERATOR_H_
#define LIFESIGN_TESTS_SIM_GENERATOR_H_

#include <cstdint>
#include <random>
#include <vector>

#include "tests/sim/step.h"
#include "tests/sim/world.h"

namespace lifesign::sim {

class Generator {
 public:
  explicit Generator(std::uint64_t seed);

  const WorldOptions& options() const { return options_; }

  // The next step in `world`, which has done all the steps before. Its time is
  // drawn from what the world holds: now and then exactly at, or a microsecond
  // beside, the end of a window, a cap, a linger, a promise or a token.
  Step Next(const World& world);

 private:
  bool Chance(int percent);
  std::int64_t Between(std::int64_t least, std::int64_t most);
  int Number(int below);  // in [0, below)
  Duration Uniform(Duration least, Duration most);
  // Short mostly, seldom up to `most`.
  Duration Skewed(Duration most);
  void DrawOptions();
  void DrawWeights();
  // The first steps bring everybody in. False once they have.
  bool Introduce(Step& step);
  void MoveClock(const World& world);
  Step::Kind PickKind();
  void Fill(Step& step);
  void FillPeer(Step& step);
  void FillServer(Step& step);
  void FillWatch(Step& step);
  void FillAwait(Step& step);
  void FillList(Step& step);
  OpenStep PickOpen();
  Signal PickSignal();
  SignalKind PickLiveKind();
  AvailabilityDeclaration PickAvailability();
  Duration PickIdleFor();
  std::vector<int> PickRooms();
  void MaybeMove(SignalStep& step);
  void MaybeDeclare(SignalStep& step);
  int PickBack();

  std::mt19937_64 random_;
  WorldOptions options_;
  Duration now_{0};
  bool lively_;
  std::vector<int> weights_;  // by Step::Kind
  int declares_ = 0;          // per cent of signals that declare something
  int introduced_ = 0;        // so many of everybody
};

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_GENERATOR_H_
