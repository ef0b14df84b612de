// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Where time comes from. Nothing but a Clock asks the operating system what
// time it is, so that tests and the simulation decide it.
#ifndef LIFESIGN_SERVER_BASE_CLOCK_H_
#define LIFESIGN_SERVER_BASE_CLOCK_H_

#include <atomic>
#include <cstdint>

#include "server/base/time.h"

namespace lifesign {

// Thread-safe.
class Clock {
 public:
  // One reading of both timelines.
  struct Reading {
    RealTime real;
    WallTime wall;
  };

  virtual ~Clock() = default;

  // Monotonic; never runs backwards.
  virtual RealTime RealNow() const = 0;

  // Both timelines at one instant. Between two readings, `wall - real` changes
  // only by steps: when the wall clock was set, or has drifted by more than
  // half a second. So an event told twice is told with the same wall time.
  virtual Reading Read() const = 0;

  WallTime WallNow() const { return Read().wall; }
};

// The machine's clocks: CLOCK_BOOTTIME and CLOCK_REALTIME.
class SystemClock final : public Clock {
 public:
  SystemClock();

  RealTime RealNow() const override;
  Reading Read() const override;

 private:
  // wall - real, in microseconds.
  mutable std::atomic<std::int64_t> offset_;
};

// A clock that stands still until it is told to move. Starts at real time 1 s
// and wall time 2026-01-01T00:00:00Z.
class SimulatedClock final : public Clock {
 public:
  SimulatedClock();

  RealTime RealNow() const override;
  Reading Read() const override;

  // Moves both timelines. REQUIRES: by >= 0.
  void Advance(Duration by);

  // Sets the wall clock forward or back, without real time going by.
  void JumpWall(Duration by);

 private:
  std::atomic<std::int64_t> real_;
  std::atomic<std::int64_t> offset_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_BASE_CLOCK_H_
