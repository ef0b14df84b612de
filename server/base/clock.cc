// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/base/clock.h"

#include <cassert>
#include <cstdlib>
#include <ctime>

namespace lifesign {
namespace {

constexpr std::int64_t kStepThreshold = 500'000;  // µs
constexpr std::int64_t kSimulatedRealStart = 1'000'000;
constexpr std::int64_t kSimulatedWallStart = 1'767'225'600'000'000;

std::int64_t ReadMicros(clockid_t id) {
  timespec ts{};
  clock_gettime(id, &ts);
  return std::int64_t{ts.tv_sec} * 1'000'000 + ts.tv_nsec / 1'000;
}

}  // namespace

SystemClock::SystemClock()
    : offset_(ReadMicros(CLOCK_REALTIME) - ReadMicros(CLOCK_BOOTTIME)) {}

RealTime SystemClock::RealNow() const {
  return RealTime(Duration(ReadMicros(CLOCK_BOOTTIME)));
}

Clock::Reading SystemClock::Read() const {
  const std::int64_t real = ReadMicros(CLOCK_BOOTTIME);
  const std::int64_t measured = ReadMicros(CLOCK_REALTIME) - real;
  std::int64_t offset = offset_.load(std::memory_order_relaxed);
  if (std::abs(measured - offset) > kStepThreshold) {
    offset_.store(measured, std::memory_order_relaxed);
    offset = measured;
  }
  return {RealTime(Duration(real)), WallTime(Duration(real + offset))};
}

SimulatedClock::SimulatedClock()
    : real_(kSimulatedRealStart),
      offset_(kSimulatedWallStart - kSimulatedRealStart) {}

RealTime SimulatedClock::RealNow() const {
  return RealTime(Duration(real_.load()));
}

Clock::Reading SimulatedClock::Read() const {
  const std::int64_t real = real_.load();
  return {RealTime(Duration(real)), WallTime(Duration(real + offset_.load()))};
}

void SimulatedClock::Advance(Duration by) {
  assert(by.count() >= 0);
  real_.fetch_add(by.count());
}

void SimulatedClock::JumpWall(Duration by) { offset_.fetch_add(by.count()); }

}  // namespace lifesign
